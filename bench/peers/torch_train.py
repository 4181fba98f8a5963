"""Trains the MLP on MNIST for 5 epochs as an ordinary user would, and prints its test accuracy.

Run as a process of its own: the caller measures time and memory from cold start to end.
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from common import BATCH, digits
from torch_mlp import batches, mlp


def main():
    variant, epochs = sys.argv[1], int(sys.argv[2])
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    torch.set_num_threads(2)
    torch.manual_seed(0)
    images, labels = (torch.from_numpy(part) for part in digits(folder))
    loader = DataLoader(TensorDataset(images, labels), batch_size=BATCH, shuffle=True)
    model, loss_of = mlp(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=variant == "indexing, fused adam")
    for _ in range(epochs):
        model.train()
        for x, y in loader if variant == "loader" else batches(images, labels):
            optimizer.zero_grad()
            loss_of(model(x), y).backward()
            optimizer.step()
    model.eval()
    images, labels = (torch.from_numpy(part) for part in digits(folder, "t10k"))
    with torch.inference_mode():
        accuracy = (model(images).argmax(1) == labels).float().mean().item()
    print(json.dumps({"accuracy": accuracy}))


if __name__ == "__main__":
    main()
