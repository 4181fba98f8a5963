"""JAX's side of the comparison: the same MLP and softmax regression, jitted, with Adam written by hand."""

import os
import sys

# Threads are those of XLA's pool, which takes one a core it may run on; this must be set before JAX loads.
os.environ["JAX_PLATFORMS"] = "cpu"
if "--threads" in sys.argv:
    count = int(sys.argv[sys.argv.index("--threads") + 1])
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:count]))

import jax
import jax.numpy as jnp
import numpy as np

from common import BATCH, FORWARD_FLOPS, SIZES, STEP_FLOPS, arguments, digits, measure

WORKS = ("mlp_step", "mlp_epoch", "mlp_latency", "softmax_epoch", "matmul")


def initial(key):
    params, running = [], []
    for number, (fan_in, fan_out) in enumerate(zip(SIZES, SIZES[1:])):
        scale = (2 / fan_in) ** 0.5
        weights = jax.random.normal(jax.random.fold_in(key, number), (fan_in, fan_out)) * scale
        layer = {"w": weights, "b": jnp.zeros(fan_out)}
        if fan_out != SIZES[-1]:
            layer |= {"gamma": jnp.ones(fan_out), "beta": jnp.zeros(fan_out)}
            running.append({"mean": jnp.zeros(fan_out), "var": jnp.ones(fan_out)})
        params.append(layer)
    return params, running


def logits(params, running, x, key=None):
    """The network's output; with a key in training mode, and then with the new running statistics."""
    new = []
    for number, (layer, old) in enumerate(zip(params, running)):
        x = x @ layer["w"] + layer["b"]
        if key is None:
            mean, var = old["mean"], old["var"]
        else:
            mean, var = x.mean(0), x.var(0)
            new.append({"mean": 0.9 * old["mean"] + 0.1 * mean, "var": 0.9 * old["var"] + 0.1 * var})
        x = jax.nn.relu((x - mean) * jax.lax.rsqrt(var + 1e-5) * layer["gamma"] + layer["beta"])
        if key is not None:
            x = jnp.where(jax.random.bernoulli(jax.random.fold_in(key, number), 0.5, x.shape), x * 2, 0)
    return x @ params[-1]["w"] + params[-1]["b"], new


def cross_entropy(scores, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], 1).mean()


def adam(params, grads, moments, count):
    first, second = moments
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)
    fix1, fix2 = 1 - 0.9**count, 1 - 0.999**count
    update = lambda p, m, v: p - 1e-3 * (m / fix1) / (jnp.sqrt(v / fix2) + 1e-8)
    return jax.tree.map(update, params, first, second), (first, second)


def step(state, x, y):
    params, running, moments, count, key = state
    dropout = jax.random.fold_in(key, count)

    def loss_of(params):
        scores, new = logits(params, running, x, dropout)
        return cross_entropy(scores, y), new

    (loss, running), grads = jax.value_and_grad(loss_of, has_aux=True)(params)
    params, moments = adam(params, grads, moments, count + 1)
    return (params, running, moments, count + 1, key), loss


def start():
    params, running = initial(jax.random.key(0))
    zeros = jax.tree.map(jnp.zeros_like, params)
    # Copies: the state is donated, so no two of its parts may share memory.
    return params, running, (zeros, jax.tree.map(jnp.copy, zeros)), jnp.int32(0), jax.random.key(1)


def mlp_step(images, labels):
    jitted = jax.jit(step, donate_argnums=0)
    state = start()
    x, y = jnp.array(images[:BATCH]), jnp.array(labels[:BATCH])

    def run():
        nonlocal state
        state, loss = jitted(state, x, y)
        loss.block_until_ready()

    measure("mlp_step", "jax", "jit", run, warm=10, flops=STEP_FLOPS)


def mlp_epoch(images, labels):
    jitted = jax.jit(step, donate_argnums=0)
    state, random = start(), np.random.default_rng(0)

    def run():
        nonlocal state
        order = random.permutation(len(images))
        for at in range(0, len(images) - BATCH + 1, BATCH):
            rows = order[at : at + BATCH]
            state, loss = jitted(state, images[rows], labels[rows])
        loss.block_until_ready()

    flops = len(images) // BATCH * STEP_FLOPS
    measure("mlp_epoch", "jax", "jit, indexing", run, least=2, warm=1, flops=flops)


def mlp_latency(images, _labels):
    params, running = initial(jax.random.key(0))
    forward = jax.jit(lambda params, running, x: logits(params, running, x)[0])
    x = jnp.array(images[:1])
    run = lambda: forward(params, running, x).block_until_ready()
    measure("mlp_latency", "jax", "jit", run, warm=200, flops=FORWARD_FLOPS)


def softmax_epoch(images, labels):
    @jax.jit
    def update(params, x, y):
        loss_of = lambda params: cross_entropy(x @ params["w"] + params["b"], y)
        return jax.tree.map(lambda p, g: p - 0.1 * g, params, jax.grad(loss_of)(params))

    params, random = {"w": jnp.zeros((784, 10)), "b": jnp.zeros(10)}, np.random.default_rng(0)

    def run():
        nonlocal params
        order = random.permutation(len(images))
        for at in range(0, len(images) - BATCH + 1, BATCH):
            rows = order[at : at + BATCH]
            params = update(params, images[rows], labels[rows])
        params["w"].block_until_ready()

    measure("softmax_epoch", "jax", "jit, indexing", run, warm=1)


def matmul(threads):
    product = jax.jit(jnp.matmul)
    for size in (512, 1024):
        a, b = (jax.random.normal(jax.random.key(seed), (size, size)) for seed in (0, 1))
        run = lambda: product(a, b).block_until_ready()
        measure(f"matmul_{size}_{threads}t", "jax", "jit", run, flops=2 * size**3, threads=threads)


def main():
    chosen = arguments(WORKS)
    images, labels = digits(chosen.mnist)
    labels = labels.astype(np.int32)
    for work in chosen.works:
        if work == "matmul":
            matmul(chosen.threads)
        else:
            globals()[work](images, labels)


if __name__ == "__main__":
    main()
