"""Keras' side of the comparison on images: the small convolutional network of its own introduction, on JAX."""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np
from keras import layers

from common import arguments, measure

WORKS = ("cnn_step",)


def cnn_step():
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    random = np.random.default_rng(0)
    images = random.standard_normal((128, 28, 28, 1), dtype=np.float32)
    labels = random.integers(0, 10, 128)
    measure("cnn_step", "keras", "jax", lambda: model.train_on_batch(images, labels), warm=3)
    # Many steps at a time, as `fit` runs them.
    count = 20
    many = np.concatenate([images] * count), np.concatenate([labels] * count)
    run = lambda: model.fit(*many, batch_size=128, epochs=1, verbose=0, shuffle=False)
    times = []
    import json, time

    run()
    for _ in range(3):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) / count)
    row = {"work": "cnn_step", "peer": "keras", "variant": "jax, fit", "seconds": sorted(times)[1]}
    print(json.dumps(row | {"min": min(times), "n": len(times)}), flush=True)


if __name__ == "__main__":
    arguments(WORKS)
    cnn_step()
