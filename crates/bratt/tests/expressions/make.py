"""Writes cases.json: expressions with the values and gradients that PyTorch computes for them, in f64.

Run with any Python that has torch: `python make.py`. Images are channels last here and channels first in PyTorch.
Inputs are multiples of 1/64 from a fixed generator, so that the file holds them exactly.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(20)


def real(*shape, low=-2.0, high=2.0):
    x = torch.rand(*shape, generator=generator) * (high - low) + low
    return (x * 64).round() / 64


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def oihw(w):
    return w.permute(3, 2, 0, 1)


cases = []


def case(expression, compute, fixed=(), **inputs):
    """`fixed` names what has no gradient: labels and conditions."""
    leaves = {name: x.clone().requires_grad_(name not in fixed) for name, x in inputs.items()}
    result = compute(*leaves.values())
    result.sum().backward()
    cases.append({
        "expression": expression,
        "inputs": {
            name: {
                "shape": list(x.shape),
                "value": x.detach().flatten().tolist(),
                "gradient": None if name in fixed else x.grad.flatten().tolist(),
            }
            for name, x in leaves.items()
        },
        "shape": list(result.shape),
        "value": result.detach().flatten().tolist(),
    })


def unary(name, f, low=-2.0, high=2.0, attributes=""):
    case(f"{name}(x{attributes})", lambda x: f(x), x=real(3, 4, low=low, high=high))


unary("neg", torch.neg)
unary("abs", torch.abs)
unary("exp", torch.exp)
unary("expm1", torch.expm1)
unary("log", torch.log, low=0.1)
unary("log1p", torch.log1p, low=-0.8)
unary("sqrt", torch.sqrt, low=0.1)
unary("recip", torch.reciprocal, low=0.5)
unary("sigmoid", torch.sigmoid)
unary("sigmoid", torch.sigmoid, low=-40, high=40)
unary("tanh", torch.tanh)
unary("softplus", F.softplus)
unary("relu", F.relu)
unary("relu6", F.relu6, low=-3, high=9)
unary("leaky_relu", lambda x: F.leaky_relu(x, 0.2), attributes=", slope=0.2")
unary("elu", lambda x: F.elu(x, 1.5), attributes=", alpha=1.5")
unary("silu", F.silu)
unary("square", torch.square)
case("relu(x)", F.relu, x=torch.tensor([-1.0, 0.0, 1.0]))
case("abs(x)", torch.abs, x=torch.tensor([-1.0, 0.0, 1.0]))

case("a + b", lambda a, b: a + b, a=real(3, 4), b=real(4))
case("a - b", lambda a, b: a - b, a=real(3, 1), b=real(3, 4))
case("a * b", lambda a, b: a * b, a=real(2, 3, 4), b=real(3, 1))
case("a / b", lambda a, b: a / b, a=real(3, 4), b=real(4, low=0.5))
case("a ^ b", lambda a, b: a ** b, a=real(3, 4, low=0.2), b=real(4))
case("-x ^ 2 + 2 ^ 3 ^ y", lambda x, y: -(x ** 2) + 2 ** (3 ** y), x=real(3), y=real(3, low=-1, high=1))
case("min(a, b)", torch.minimum, a=torch.tensor([1.0, 2.0, 3.0]), b=torch.tensor([3.0, 2.0, 1.0]))
case("max(a, b)", torch.maximum, a=torch.tensor([1.0, 2.0, 3.0]), b=torch.tensor([3.0, 2.0, 1.0]))
case("select(c, a, b)", lambda c, a, b: torch.where(c != 0, a, b), fixed=("c",), c=torch.tensor([0.0, 1.0, 1.0]),
     a=real(3), b=real(3))
case("relu(x) * (x > 0.5)", lambda x: F.relu(x) * (x > 0.5), x=real(8))
case("x * stop_gradient(x)", lambda x: x * x.detach(), x=real(4))
case("h = tanh(x); h * h + h", lambda x: torch.tanh(x) ** 2 + torch.tanh(x), x=real(5))

case("a @ b", lambda a, b: a @ b, a=real(3, 4), b=real(4, 2))
case("matmul(a, b, transpose_a=true)", lambda a, b: a.T @ b, a=real(4, 3), b=real(4, 2))
case("matmul(a, b, transpose_b=true)", lambda a, b: a @ b.T, a=real(3, 4), b=real(2, 4))
case("linear(x, w, b)", lambda x, w, b: x @ w + b, x=real(3, 4), w=real(4, 2), b=real(2))
case("dot(a, b)", torch.dot, a=real(4), b=real(4))

case("sum(x, axes=1) ^ 2", lambda x: x.sum(1) ** 2, x=real(3, 4))
case("sum(x, axes=[0, 2], keep=true) * x", lambda x: x.sum((0, 2), keepdim=True) * x, x=real(2, 3, 2))
case("mean(x, axes=-1) ^ 2", lambda x: x.mean(-1) ** 2, x=real(3, 4))
case("variance(x, axes=0)", lambda x: x.var(0, unbiased=False), x=real(5, 3))
case("norm(x)", torch.linalg.vector_norm, x=real(5))
case("reduce_max(x, axes=1)", lambda x: x.amax(1), x=torch.tensor([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]]))
case("reduce_min(x, axes=0) * [1, 2, 3]", lambda x: x.amin(0) * torch.tensor([1.0, 2.0, 3.0]), x=real(4, 3))
case("logsumexp(x, axes=1)", lambda x: x.logsumexp(1), x=real(3, 4, low=-300, high=300))
case("argmax(x, axis=1) + 0 * sum(x, axes=1)", lambda x: x.argmax(1) + 0 * x.sum(1), x=real(3, 4))
case("argmin(x, axis=0) + 0 * sum(x, axes=0)", lambda x: x.argmin(0) + 0 * x.sum(0), x=real(3, 4))

case("reshape(x, [4, 3]) * w", lambda x, w: x.reshape(4, 3) * w, x=real(3, 4), w=real(4, 3))
case("flatten(x) @ w", lambda x, w: x.flatten(1) @ w, x=real(2, 3, 2), w=real(6, 2))
case("broadcast(x, [3, 4]) * w", lambda x, w: x.expand(3, 4) * w, x=real(3, 1), w=real(3, 4))
case("transpose(x, order=[2, 0, 1]) * w", lambda x, w: x.permute(2, 0, 1) * w, x=real(2, 3, 4), w=real(4, 2, 3))
case("slice(x, start=[1, 0], end=[3, 2]) ^ 2", lambda x: x[1:3, 0:2] ** 2, x=real(4, 3))
case("pad(x, low=[1, 0], high=[0, 2], value=3) ^ 2", lambda x: F.pad(x, (0, 2, 1, 0), value=3.0) ** 2, x=real(2, 2))
case("concat(a, b, axis=1) ^ 2", lambda a, b: torch.cat([a, b], 1) ** 2, a=real(2, 3), b=real(2, 1))
case("iota([3, 4], axis=1) * x", lambda x: torch.arange(4.0).expand(3, 4) * x, x=real(3, 4))
case("full([2, 2], 3) * x", lambda x: torch.full((2, 2), 3.0) * x, x=real(2, 2))

for attributes, arguments in [
    ("", {}),
    (", stride=2, padding=1", {"stride": 2, "padding": 1}),
    (", stride=[2, 1], padding=[0, 2], dilation=[1, 2]", {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 2)}),
    (", padding=same", {"padding": "same"}),
]:
    case(f"conv2d(x, w{attributes}) ^ 2", lambda x, w: nhwc(F.conv2d(nchw(x), oihw(w), **arguments)) ** 2,
         x=real(2, 6, 7, 2), w=real(3, 3, 2, 3))
case("conv2d(x, w, groups=2, padding=1)", lambda x, w: nhwc(F.conv2d(nchw(x), oihw(w), groups=2, padding=1)),
     x=real(1, 5, 5, 4), w=real(3, 3, 2, 6))
# A transposed convolution's weights are [channels in, channels out / groups, kh, kw].
case("conv2d_input_gradient(dy, w, height=7, width=7, stride=2, padding=1)",
     lambda dy, w: nhwc(F.conv_transpose2d(nchw(dy), oihw(w), stride=2, padding=1)),
     dy=real(1, 4, 4, 3), w=real(3, 3, 2, 3))
case("conv2d_weight_gradient(x, dy, kernel=3, padding=1) ^ 2",
     lambda x, dy: F.conv2d(nchw(x).transpose(0, 1), nchw(dy).transpose(0, 1), padding=1).permute(2, 3, 0, 1) ** 2,
     x=real(2, 5, 5, 2), dy=real(2, 5, 5, 3))
case("windows(x, kernel=[2, 3]) ^ 2",
     lambda x: F.unfold(nchw(x), (2, 3)).reshape(2, 2, 2, 3, 3, 2).permute(0, 4, 5, 2, 3, 1) ** 2, x=real(2, 4, 4, 2))
case("max_pool2d(x, kernel=2) ^ 2", lambda x: nhwc(F.max_pool2d(nchw(x), 2)) ** 2, x=real(2, 4, 6, 2))
case("max_pool2d(x, kernel=3, stride=2, padding=1)", lambda x: nhwc(F.max_pool2d(nchw(x), 3, 2, 1)),
     x=real(1, 7, 7, 2))
case("avg_pool2d(x, kernel=3, stride=2, padding=1) ^ 2", lambda x: nhwc(F.avg_pool2d(nchw(x), 3, 2, 1)) ** 2,
     x=real(1, 7, 7, 2))
case("global_avg_pool2d(x) ^ 2", lambda x: x.mean((1, 2)) ** 2, x=real(2, 3, 3, 2))


def max_unpooled(x, dy):
    indices = F.max_pool2d(nchw(x), 2, return_indices=True)[1]
    return nhwc(F.max_unpool2d(nchw(dy), indices, 2)) + 0 * x


case("max_pool2d_gradient(x, dy, kernel=2) + 0 * x", max_unpooled, x=real(1, 4, 4, 2), dy=real(1, 2, 2, 2))
case("avg_pool2d_gradient(dy, height=4, width=4, kernel=2) ^ 2",
     lambda dy: (dy.repeat_interleave(2, 1).repeat_interleave(2, 2) / 4) ** 2, dy=real(1, 2, 2, 2))

case("softmax(x) * w", lambda x, w: F.softmax(x, -1) * w, x=real(3, 4), w=real(3, 4))
case("softmax(x, axis=0) * w", lambda x, w: F.softmax(x, 0) * w, x=real(3, 4), w=real(3, 4))
case("log_softmax(x) * w", lambda x, w: F.log_softmax(x, -1) * w, x=real(3, 4, low=-500, high=500), w=real(3, 4))
case("standardize(x, axes=0, epsilon=0.001) * w",
     lambda x, w: (x - x.mean(0)) / (x.var(0, unbiased=False) + 0.001).sqrt() * w, x=real(5, 3), w=real(5, 3))
case("batch_norm(x, gamma, beta) ^ 2",
     lambda x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, training=True) ** 2,
     x=real(5, 3), gamma=real(3), beta=real(3))
case("batch_norm_inference(x, gamma, beta, mean, variance) ^ 2",
     lambda x, gamma, beta, mean, variance: ((x - mean) / (variance + 1e-5).sqrt() * gamma + beta) ** 2,
     x=real(5, 3), gamma=real(3), beta=real(3), mean=real(3), variance=real(3, low=0.5))
case("maxout(x, pieces=2) ^ 2", lambda x: x.reshape(3, 2, 2).amax(-1) ** 2, x=real(3, 4))
case("dropout(x, keep=1)", lambda x: F.dropout(x, 0.0), x=real(6))
case("one_hot(y, classes=3) * w", lambda y, w: F.one_hot(y.long(), 3) * w, fixed=("y",), y=torch.tensor([0.0, 2.0]),
     w=real(2, 3))
labels = torch.tensor([0.0, 2.0, 1.0])
case("gather(x, y) ^ 2", lambda x, y: x.gather(1, y.long()[:, None])[:, 0] ** 2, fixed=("y",), x=real(3, 3), y=labels)
case("cross_entropy(z, y)", lambda z, y: F.cross_entropy(z, y.long(), reduction="none"), fixed=("y",), z=real(3, 3),
     y=labels)
case("softmax_cross_entropy(z, y)", lambda z, y: F.cross_entropy(z, y.long()), fixed=("y",),
     z=real(3, 3, low=-800, high=800), y=labels)
case("binary_cross_entropy(z, t)",
     lambda z, t: F.binary_cross_entropy_with_logits(z, t, reduction="none"), fixed=("t",), z=real(4, low=-50, high=50),
     t=torch.tensor([0.0, 1.0, 1.0, 0.0]))
case("logistic_cost(z, t)", F.binary_cross_entropy_with_logits, fixed=("t",), z=real(4),
     t=torch.tensor([0.0, 1.0, 1.0, 0.0]))
case("squared_error(p, t)", lambda p, t: 0.5 * (p - t) ** 2, p=real(4), t=real(4))
case("linear_cost(x @ w, y)", lambda x, w, y: ((x @ w - y) ** 2).sum() / (2 * len(x)), x=real(5, 2), w=real(2, 1),
     y=real(5, 1))
case("mse(p, t)", F.mse_loss, p=real(3, 2), t=real(3, 2))
case("depthwise_matmul(a, w) ^ 2", lambda a, w: (a.reshape(5, 3, 4) * w).sum(1) ** 2, a=real(5, 12), w=real(3, 4))
case("depthwise_matmul(a, dy, transpose_a=true) ^ 2",
     lambda a, dy: (a.reshape(5, 3, 4) * dy[:, None]).sum(0) ** 2, a=real(5, 12), dy=real(5, 4))

text = ",\n".join(json.dumps(case) for case in cases)
origin = f"PyTorch {torch.__version__}, f64, by make.py"
path = pathlib.Path(__file__).with_name("cases.json")
path.write_text(f'{{"origin": "{origin}", "cases": [\n{text}\n]}}\n')
print(len(cases), "cases")
