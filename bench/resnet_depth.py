"""Measure the gradient at every block, with and without shortcuts: ``python -m bench.resnet_depth``.

The networks are small and real: 8 × 8 digits from scikit-learn, 16 channels, basic blocks as in ResNet,
PyTorch's own first weights. The norm of d loss / d (output of a block) is taken on one batch before training,
as a median over seeds; then the network of the first seed is trained and its loss on the training set is
taken. The page ``chapters/models/resnet.md`` and the demo ``residual_depth`` show the result. About two
minutes on one core.
"""

from __future__ import annotations

import statistics
import time
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnbook import data, results

BLOCKS = (2, 4, 8, 16, 32)  # of two convolutions each
CHANNELS = 16
SEEDS = 5
BATCH = 128
EPOCHS = 8
RATE = 0.05


class Block(nn.Module):
    """Two 3 × 3 convolutions, each normalised or not; with a shortcut, the input is added."""

    def __init__(self, skip: bool, norm: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.conv2 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(CHANNELS) if norm else nn.Identity()
        self.norm2 = nn.BatchNorm2d(CHANNELS) if norm else nn.Identity()
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, CHANNELS, H, W) to the same shape."""
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + x if self.skip else y)


class Net(nn.Module):
    """A stem, blocks, global average pooling and a fully connected layer."""

    def __init__(self, blocks: int, skip: bool, norm: bool) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, CHANNELS, 3, padding=1)
        self.blocks = nn.ModuleList(Block(skip, norm) for _ in range(blocks))
        self.fc = nn.Linear(CHANNELS, 10)

    def outputs(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Map images (N, 1, 8, 8) to scores (N, 10), and give the output of the stem and of every block."""
        maps = [F.relu(self.stem(x))]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return self.fc(maps[-1].mean(dim=(2, 3))), maps

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 1, 8, 8) to scores (N, 10)."""
        return self.outputs(x)[0]


def digits() -> tuple[Tensor, Tensor]:
    """Return all images, standardised, (N, 1, 8, 8), and their labels, (N,)."""
    x, labels = data.digits()
    return (x - x.mean()) / x.std(), labels


def first_gradients(
    blocks: int, skip: bool, norm: bool, seed: int, images: Tensor, labels: Tensor
) -> list[float]:
    """Return the norm of the loss's gradient at the output of the stem and of every block, before training.

    In double precision: without shortcuts and normalisation it falls below what single precision can hold.
    """
    torch.manual_seed(seed)
    net = Net(blocks, skip, norm).double()
    batch = torch.randperm(len(images))[:BATCH]
    scores, maps = net.outputs(images[batch].double())
    return [g.norm().item() for g in torch.autograd.grad(F.cross_entropy(scores, labels[batch]), maps)]


def train(net: Net, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Train by SGD with momentum; return loss and accuracy on the training set, in evaluation mode."""
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            loss = F.cross_entropy(net(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
    # Fresh statistics for batch norm, so that evaluation judges the weights and not the running averages.
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    with torch.no_grad():
        net(x)
        net.eval()
        scores = net(x)
    return F.cross_entropy(scores, y).item(), (scores.argmax(dim=1) == y).double().mean().item()


def main() -> None:
    """Measure every combination, store it and print a line each."""
    torch.set_num_threads(1)
    x, y = digits()
    networks = []
    for norm, skip, blocks in product((True, False), (False, True), BLOCKS):
        gradients = [
            statistics.median(at)
            for at in zip(
                *(first_gradients(blocks, skip, norm, seed, x, y) for seed in range(SEEDS)), strict=True
            )
        ]
        start = time.monotonic()
        torch.manual_seed(0)
        loss, accuracy = train(net := Net(blocks, skip, norm), x, y)
        networks.append(
            {
                "blocks": blocks,
                "skip": skip,
                "norm": norm,
                "parameters": sum(p.numel() for p in net.parameters()),
                "gradients": [float(f"{g:.4g}") for g in gradients],
                "loss": round(loss, 4),
                "accuracy": round(accuracy, 4),
            }
        )
        seconds = time.monotonic() - start
        print(
            f"{2 * blocks:2} convolutions, skip {skip!s:5}, norm {norm!s:5}: gradient {gradients[0]:.1e} at "
            f"the stem, {gradients[-1]:.1e} at the end; loss {loss:.4f}, "
            f"accuracy {accuracy:.3f} ({seconds:.0f} s)",
            flush=True,
        )
    path = results.save(
        "resnet-depth",
        {
            "images": len(x),
            "channels": CHANNELS,
            "seeds": SEEDS,
            "batch": BATCH,
            "epochs": EPOCHS,
            "rate": RATE,
            "networks": networks,
        },
        command="python -m bench.resnet_depth",
        packages=("torch", "scikit-learn"),
    )
    print(path)


if __name__ == "__main__":
    main()
