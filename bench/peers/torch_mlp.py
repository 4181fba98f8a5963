"""PyTorch's side of the comparison: the MLP's training step and latency, softmax regression, matrix products."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from common import BATCH, FORWARD_FLOPS, SIZES, STEP_FLOPS, arguments, digits, measure
from torch_step import trainer

WORKS = ("mlp_step", "mlp_epoch", "mlp_latency", "softmax_epoch", "matmul")


def mlp():
    layers = []
    for fan_in, fan_out in zip(SIZES, SIZES[1:-1]):
        layers += [nn.Linear(fan_in, fan_out), nn.BatchNorm1d(fan_out), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(*SIZES[-2:]))


def mlp_trainer(fused, compiled):
    model = mlp().train()
    return trainer(model, torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused), compiled)


def step_variants():
    return {
        "eager": mlp_trainer(fused=False, compiled=False),
        "fused adam": mlp_trainer(fused=True, compiled=False),
        "compiled, fused adam": mlp_trainer(fused=True, compiled=True),
    }


def mlp_step(images, labels):
    batch = images[:BATCH].contiguous(), labels[:BATCH].contiguous()
    for variant, step in step_variants().items():
        # The loss is read, as every loop that reports or checks it must.
        measure("mlp_step", "torch", variant, lambda: step(*batch).item(), warm=10, flops=STEP_FLOPS)


def batches(images, labels):
    order = torch.randperm(len(images))
    for start in range(0, len(images) - BATCH + 1, BATCH):
        rows = order[start : start + BATCH]
        yield images[rows], labels[rows]


def mlp_epoch(images, labels):
    step = mlp_trainer(fused=True, compiled=False)

    def epoch():
        for batch in batches(images, labels):
            step(*batch)

    flops = len(images) // BATCH * STEP_FLOPS
    measure("mlp_epoch", "torch", "fused adam, indexing", epoch, least=2, warm=1, flops=flops)


def mlp_latency(images, _labels):
    model, image = mlp().eval(), images[:1].contiguous()
    with torch.inference_mode():
        traced = torch.jit.freeze(torch.jit.trace(model, image))
        variants = {
            "eager": model,
            "scripted": torch.jit.optimize_for_inference(torch.jit.script(model)),
            "traced, frozen": traced,
            "compiled": torch.compile(model),
        }
        for variant, run in variants.items():
            measure("mlp_latency", "torch", variant, lambda: run(image), warm=200, flops=FORWARD_FLOPS)


def softmax_epoch(images, labels):
    model, loss_of = nn.Linear(784, 10), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(images, labels), batch_size=BATCH, shuffle=True)

    def epoch(source):
        for x, y in source:
            optimizer.zero_grad()
            loss_of(model(x), y).backward()
            optimizer.step()

    measure("softmax_epoch", "torch", "indexing", lambda: epoch(batches(images, labels)), warm=1)
    measure("softmax_epoch", "torch", "loader", lambda: epoch(loader), warm=1, least=3)


def matmul(threads):
    for count in sorted({1, threads}):
        torch.set_num_threads(count)
        for size in (512, 1024):
            a, b = torch.randn(size, size), torch.randn(size, size)
            out = torch.empty(size, size)
            name = f"matmul_{size}_{count}t"
            measure(name, "torch", "mm", lambda: torch.mm(a, b, out=out), flops=2 * size**3, threads=count)
    torch.set_num_threads(threads)


def main():
    chosen = arguments(WORKS)
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    images, labels = (torch.from_numpy(part) for part in digits(chosen.mnist))
    for work in chosen.works:
        if work == "matmul":
            matmul(chosen.threads)
        else:
            globals()[work](images, labels)


if __name__ == "__main__":
    main()
