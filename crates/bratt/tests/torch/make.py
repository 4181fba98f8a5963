"""Numbers of PyTorch for the tests in main.rs, written beside this file as JSON: python make.py

Everything is float64 on one thread; inputs are multiples of 1/8 from a fixed generator, so that they are short and
exact in float32 too; results are kept to 12 digits. Layouts are bratt's: images [n, h, w, c], weights of convolutions
[kh, kw, ci / groups, co], weights of dense layers [inputs, units]; PyTorch's [n, c, h, w], [co, ci / groups, kh, kw]
and [units, inputs] are transposed on the way in and out. A gradient is that of sum(y * dy).
"""

import json
import pathlib

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
HERE = pathlib.Path(__file__).parent
_state = 1


def eighths(*shape, low=-8, high=8):
    """Multiples of 1/8 from low/8 to high/8 by a linear congruential generator."""
    global _state
    values = []
    for _ in range(torch.Size(shape).numel()):
        _state = (_state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append((low + (_state >> 33) % (high - low + 1)) / 8)
    return torch.tensor(values).reshape(shape)


def nchw(x):
    return x.permute(0, 3, 1, 2)


def oihw(w):
    return w.permute(3, 2, 0, 1)


def tensor(t):
    t = t.detach()
    rounded = (float(f"{x:.12g}") for x in t.contiguous().flatten().tolist())
    data = [int(x) if x == int(x) else x for x in rounded]
    return {"shape": list(t.shape), "data": data}


def ours(t):
    """An image or vector in bratt's layout."""
    return tensor(t.permute(0, 2, 3, 1) if t.dim() == 4 else t)


def write(name, cases):
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / f"{name}.json").write_text(f"[\n{lines}\n]\n")


def window(kernel, stride=(1, 1), dilation=(1, 1), padding=(0, 0, 0, 0)):
    """Padding is top, bottom, left, right."""
    return {"kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding}


def padded(x, padding, value=0.0):
    top, bottom, left, right = padding
    return F.pad(x, (left, right, top, bottom), value=value)


def leaf(t):
    return t.clone().requires_grad_()


def case(name, forward, inputs, **settings):
    """Runs forward on leaves of the inputs and stores output and gradients."""
    leaves = {key: leaf(value) for key, value in inputs.items()}
    y = forward(**leaves)
    # The output's gradient in bratt's layout.
    shape = [y.shape[0], *y.shape[2:], y.shape[1]] if y.dim() == 4 else list(y.shape)
    dy = eighths(*shape)
    y.backward(nchw(dy) if y.dim() == 4 else dy)
    given = {key: tensor(value) for key, value in inputs.items()}
    expected = {"y": ours(y)} | {f"d{key}": tensor(value.grad) for key, value in leaves.items()}
    return {"name": name, **settings, "inputs": given | {"dy": tensor(dy)}, "expected": expected}


def convolutions():
    cases = []
    for name, (n, h, w, ci, co), groups, win in [
        ("3x3 same", (2, 5, 6, 3, 4), 1, window((3, 3), padding=(1, 1, 1, 1))),
        ("3x3 valid, odd size", (1, 7, 5, 2, 3), 1, window((3, 3))),
        ("stride 2", (2, 7, 7, 3, 4), 1, window((3, 3), (2, 2), padding=(1, 1, 1, 1))),
        ("stride 2x3", (1, 9, 8, 2, 5), 1, window((3, 2), (2, 3))),
        ("stride 2 with pixels left over", (1, 8, 8, 2, 3), 1, window((3, 3), (2, 2))),
        ("padding below and right only", (1, 6, 6, 2, 3), 1, window((3, 3), (2, 2), padding=(0, 1, 0, 1))),
        ("padding of four kinds", (2, 4, 5, 2, 3), 1, window((3, 3), padding=(2, 0, 1, 3))),
        ("dilation 2", (1, 7, 8, 2, 3), 1, window((3, 3), dilation=(2, 2), padding=(2, 2, 2, 2))),
        ("dilation 2x3, stride 2x1", (1, 9, 9, 2, 2), 1, window((3, 3), (2, 1), (2, 3), (1, 0, 0, 2))),
        ("two groups", (2, 5, 5, 4, 6), 2, window((3, 3), padding=(1, 1, 1, 1))),
        ("depthwise", (2, 6, 5, 5, 5), 5, window((3, 3), padding=(1, 1, 1, 1))),
        ("depthwise, stride 2, two of each", (1, 7, 7, 3, 6), 3, window((3, 3), (2, 2), padding=(1, 1, 1, 1))),
        ("1x1", (2, 3, 5, 4, 7), 1, window((1, 1))),
        ("1x1, stride 2", (1, 7, 6, 3, 4), 1, window((1, 1), (2, 2))),
        ("5x5 on a smaller image", (1, 3, 3, 2, 2), 1, window((5, 5), padding=(2, 2, 2, 2))),
        ("1x7", (1, 4, 9, 2, 3), 1, window((1, 7), padding=(0, 0, 3, 3))),
        ("the whole image", (2, 3, 4, 2, 3), 1, window((3, 4))),
        ("17 channels to 18", (1, 4, 4, 17, 18), 1, window((3, 3), padding=(1, 1, 1, 1))),
    ]:
        def forward(x, w, win=win, groups=groups):
            x = padded(nchw(x), win["padding"])
            return F.conv2d(x, oihw(w), stride=win["stride"], dilation=win["dilation"], groups=groups)

        inputs = {"x": eighths(n, h, w, ci), "w": eighths(*win["kernel"], ci // groups, co)}
        cases.append(case(name, forward, inputs, op="conv2d", window=win, groups=groups))
    write("conv2d", cases)


def pools():
    """Average pools are those with count_include_pad=True, PyTorch's default: padding counts as zeros."""
    cases = []
    windows = [
        ("2x2 by 2", window((2, 2), (2, 2))),
        ("3x3 by 2, overlapping", window((3, 3), (2, 2))),
        ("3x3 by 2, padded", window((3, 3), (2, 2), padding=(1, 1, 1, 1))),
        ("3x3 by 1, padded", window((3, 3), padding=(1, 1, 1, 1))),
        ("2x3 by 1x2, padded below and right", window((2, 3), (1, 2), padding=(0, 1, 0, 1))),
    ]
    for name, win in windows:
        k, s = win["kernel"], win["stride"]
        largest = lambda x: F.max_pool2d(padded(nchw(x), win["padding"], float("-inf")), k, s)
        mean = lambda x: F.avg_pool2d(padded(nchw(x), win["padding"]), k, s)
        cases.append(case(f"max {name}", largest, {"x": eighths(1, 7, 6, 3)}, op="max_pool2d", window=win))
        ties = eighths(1, 7, 7, 2, low=0, high=1)
        cases.append(case(f"max {name}, ties", largest, {"x": ties}, op="max_pool2d", window=win))
        below = eighths(1, 5, 5, 2, low=-8, high=-1)
        cases.append(case(f"max {name}, negative", largest, {"x": below}, op="max_pool2d", window=win))
        cases.append(case(f"mean {name}", mean, {"x": eighths(1, 7, 6, 3)}, op="avg_pool2d", window=win))
    win = window((3, 3), (2, 2), padding=(1, 1, 1, 1))
    own = lambda x: F.avg_pool2d(nchw(x), 3, 2, 1, count_include_pad=True)
    cases.append(case("mean, PyTorch's own padding", own, {"x": eighths(1, 5, 7, 2)}, op="avg_pool2d", window=win))
    whole = lambda x: F.adaptive_avg_pool2d(nchw(x), 1).flatten(1)
    for shape in [(2, 5, 3, 4), (1, 1, 1, 3)]:
        cases.append(case(f"global {shape}", whole, {"x": eighths(*shape)}, op="global_avg_pool2d"))
    write("pool", cases)


def pointwise():
    cases = [case("relu6", lambda x: F.relu6(x), {"x": eighths(3, 17, low=-60, high=80) + 1 / 16}, op="relu6")]
    labels = torch.tensor([0, 3, 1, 4])
    for smoothing in [0.0, 0.1, 0.25]:
        loss = lambda x: F.cross_entropy(x, labels, label_smoothing=smoothing, reduction="none")
        made = case(f"cross-entropy, smoothing {smoothing}", loss, {"x": eighths(4, 5, low=-40, high=40)},
                    op="cross_entropy", smoothing=smoothing)
        made["inputs"]["labels"] = tensor(labels.double())
        cases.append(made)
    write("pointwise", cases)


def batch_norms():
    """PyTorch's momentum is the weight of the new batch, bratt's rate; its running variance is unbiased, as bratt's."""
    cases = []
    for shape in [(4, 3, 5, 3), (2, 1, 1, 4), (1, 7, 6, 2), (6, 5)]:
        for rate, epsilon in [(0.1, 1e-5), (0.25, 1e-3)]:
            for training in [True, False]:
                c = shape[-1]
                slots = {
                    "gamma": eighths(c, low=4, high=16), "beta": eighths(c),
                    "running_mean": eighths(c), "running_variance": eighths(c, low=4, high=16),
                }
                mean, variance = slots["running_mean"].clone(), slots["running_variance"].clone()

                def forward(x, gamma, beta):
                    x = nchw(x) if x.dim() == 4 else x
                    return F.batch_norm(x, mean, variance, gamma, beta, training, rate, epsilon)

                inputs = {"x": eighths(*shape), "gamma": slots["gamma"], "beta": slots["beta"]}
                made = case(f"{'training' if training else 'inference'} {shape}, rate {rate}", forward, inputs,
                            op="batch_norm", rate=rate, epsilon=epsilon, training=training)
                made["slots"] = {f"batch_norm1.{key}": tensor(value) for key, value in slots.items()}
                made["inputs"] = {key: made["inputs"][key] for key in ["x", "dy"]}
                made["expected_slots"] = {
                    "batch_norm1.running_mean": tensor(mean), "batch_norm1.running_variance": tensor(variance),
                }
                cases.append(made)
    write("batch_norm", cases)


def optimizers():
    """Five steps of a small convolutional network: losses before each step and the parameters after the last.
    AdamW decays weights by 0.1, not biases.

    PyTorch keeps Nesterov's parameters at the point ahead, x + mu v.
    """
    x, labels = eighths(4, 6, 5, 2), torch.tensor([0, 2, 1, 2])
    start = {
        "conv2d1.weight": eighths(3, 3, 2, 4), "conv2d1.bias": eighths(4),
        "dense1.weight": eighths(4, 3), "dense1.bias": eighths(3),
    }
    cases = []
    for name, lr, make in [
        ("sgd", 0.1, lambda p, lr: torch.optim.SGD(p, lr)),
        ("momentum", 0.05, lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9)),
        ("nesterov", 0.05, lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, nesterov=True)),
        ("adam", 0.01, lambda p, lr: torch.optim.Adam(p, lr)),
        ("adamw", 0.01, lambda p, lr: torch.optim.AdamW([
            {"params": p[0::2], "weight_decay": 0.1}, {"params": p[1::2], "weight_decay": 0.0}], lr)),
    ]:
        p = {key: leaf(value) for key, value in start.items()}
        optimizer, losses = make(list(p.values()), lr), []
        for _ in range(5):
            y = F.relu(F.conv2d(nchw(x), oihw(p["conv2d1.weight"]), p["conv2d1.bias"], padding=1))
            y = y.mean((2, 3)) @ p["dense1.weight"] + p["dense1.bias"]
            loss = F.cross_entropy(y, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        cases.append({
            "name": name, "op": name, "lr": lr, "inputs": {"x": tensor(x), "labels": tensor(labels.double())},
            "slots": {key: tensor(value) for key, value in start.items()}, "expected": {"losses": {"shape": [5], "data": losses}},
            "expected_slots": {key: tensor(value) for key, value in p.items()},
        })
    write("optimizer", cases)


if __name__ == "__main__":
    convolutions()
    pools()
    pointwise()
    batch_norms()
    optimizers()
