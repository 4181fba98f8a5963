"""PyTorch's side of the comparison on images: training steps, forward passes and latency of convolutional networks.

Eager, channels_last and compiled; batch norm in training, SGD with momentum (Adam for the small network).
"""

import torch
from torch import nn
from torch.nn import functional as F

from common import arguments, measure
from torch_step import trainer

WORKS = ("cnn_step", "resnet20_step", "resnet20_forward", "resnet18_step", "resnet20_latency", "resnet20_memory",
         "mobilenet_step")


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut: subsampled with zero channels (option A), or projected."""

    def __init__(self, inputs, outputs, stride, project):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.stride, self.more = stride, outputs - inputs
        self.project = None
        if project and (stride != 1 or self.more):
            self.project = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        if self.project is not None:
            x = self.project(x)
        elif self.stride != 1 or self.more:
            half = self.more // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.more - half))
        return F.relu(y + x)


def resnet(widths, blocks, project):
    layers = [nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    inputs = widths[0]
    for stage, width in enumerate(widths):
        for block in range(blocks):
            layers.append(Block(inputs, width, 2 if stage and not block else 1, project))
            inputs = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


def resnet20():
    return resnet((16, 32, 64), 3, project=False)


def resnet18():
    return resnet((64, 128, 256, 512), 2, project=True)


class Inverted(nn.Module):
    """1x1 to more channels, 3x3 in each channel, 1x1 to fewer (MobileNetV2)."""

    def __init__(self, inputs, outputs, expand, stride):
        super().__init__()
        wide = inputs * expand
        widen = [] if expand == 1 else [nn.Conv2d(inputs, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6()]
        self.layers = nn.Sequential(
            *widen,
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.shortcut else self.layers(x)


def mobilenet():
    layers, inputs = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6()], 32
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for expand, channels, blocks, stride in stages:
        for block in range(blocks):
            layers.append(Inverted(inputs, channels, expand, 1 if block else stride))
            inputs = channels
    layers += [nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, 10))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(64 * 12 * 12, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


def steps(work, make, shape, optimizer_of):
    images, labels = torch.randn(shape), torch.randint(0, 10, shape[:1])
    for variant in ("eager", "channels_last", "compiled", "compiled, channels_last"):
        model = make().train()
        x = images
        if "channels_last" in variant:
            model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
        step = trainer(model, optimizer_of(model), "compiled" in variant)
        measure(work, "torch", variant, lambda: step(x, labels).item(), warm=2, least=3)


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)


def cnn_step():
    steps("cnn_step", cnn, (128, 1, 28, 28), adam)


def resnet20_step():
    steps("resnet20_step", resnet20, (128, 3, 32, 32), sgd)


def resnet18_step():
    steps("resnet18_step", resnet18, (64, 3, 32, 32), sgd)


def mobilenet_step():
    steps("mobilenet_step", mobilenet, (8, 3, 224, 224), sgd)


def inference(work, shape, warm):
    images = torch.randn(shape)
    with torch.inference_mode():
        for layout in ("", "channels_last"):
            model = resnet20().eval()
            x = images
            if layout:
                model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
            script = torch.jit.optimize_for_inference(torch.jit.trace(model, x))
            for name, run in {"eager": model, "scripted": script, "compiled": torch.compile(model)}.items():
                variant = ", ".join(part for part in (name, layout) if part)
                measure(work, "torch", variant, lambda: run(x), warm=warm)


def resnet20_forward():
    inference("resnet20_forward", (128, 3, 32, 32), 3)


def resnet20_latency():
    inference("resnet20_latency", (1, 3, 32, 32), 50)


def resnet20_memory():
    """A few plain steps, in a process of their own."""
    model = resnet20().train()
    step = trainer(model, sgd(model), compiled=False)
    images, labels = torch.randn(128, 3, 32, 32), torch.randint(0, 10, (128,))
    measure("resnet20_memory", "torch", "eager", lambda: step(images, labels).item(), seconds=0.5, least=3, warm=1)


def main():
    chosen = arguments(WORKS)
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    for work in chosen.works:
        globals()[work]()


if __name__ == "__main__":
    main()
