"""Train the small network of the page ``models/inside``: ``python -m bench.inside --root data``.

Ten epochs of CIFAR-10 with batch normalisation, flips and small moves; the first pictures are shown smaller,
which saves time. Batch normalisation is then folded into the convolutions and the weights are rounded to
eight bits: the accuracy stored is that of the weights stored. Beside them lie the first test picture of each
class and, for some channels, the patches of test pictures that excite them most. A few minutes on one core;
the trained network is kept in ``_build/inside``, and a second run only measures.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnbook import inside, results
from cnnbook.counting import count_parameters
from cnnbook.data import as_tensors, cifar10
from cnnbook.recipes import Batches, endless, mixed_precision, resized
from cnnbook.results import rounded
from cnnbook.training import evaluate, seed_everything

EPOCHS, BATCH, RATE = 10, 250, 0.2
SIZES = ((0.0, 20), (0.35, 26), (0.65, 32))  # from which part of training pictures have which size
PATCHES = 5  # a channel
CHOSEN = {2: 3, 3: 3, 4: 2}  # channels of each layer: those that answer least evenly
KEPT = Path(__file__).resolve().parents[1] / "_build" / "inside" / "trained.pt"


def train(images: Tensor, labels: Tensor, epochs: int) -> nn.Sequential:
    """Train by SGD with Nesterov momentum and a one-cycle schedule."""
    net = inside.build(norm=True).to(memory_format=torch.channels_last)
    dtype = mixed_precision(torch.device("cpu"))
    weights = [p for p in net.parameters() if p.ndim > 1]
    rest = [p for p in net.parameters() if p.ndim == 1]
    groups = [{"params": weights, "weight_decay": 5e-4}, {"params": rest}]
    optimizer = torch.optim.SGD(groups, lr=RATE, momentum=0.9, nesterov=True)
    batches = Batches(images, labels, BATCH, flip=True, shift=2, prepare=inside.to_input)
    steps = epochs * len(batches)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for step, (x, y) in zip(range(steps), endless(batches), strict=False):
        if step % len(batches) == 0:
            print(f"epoch {step // len(batches) + 1}", flush=True)
        x = resized(x, SIZES, step / steps)
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            scores = net(x.contiguous(memory_format=torch.channels_last))
        F.cross_entropy(scores.float(), y, label_smoothing=0.05).backward()
        optimizer.step()
        schedule.step()
    return net.eval()


@torch.no_grad()
def answers(net: nn.Sequential, images: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return for each layer the largest value of each channel in each picture (N, C), and its cell."""
    parts = [inside.feature_maps(net, inside.to_input(part)) for part in images.split(500)]
    return [torch.cat([m[i].flatten(2) for m in parts]).max(dim=2) for i in range(len(inside.WIDTHS))]


def patches(net: nn.Sequential, images: Tensor) -> tuple[dict[str, np.ndarray], dict[str, dict]]:
    """Return the windows that excite some channels most, at most one a picture, and where they come from."""
    arrays, told = {}, {}
    for layer, (value, cell) in enumerate(answers(net, images), start=1):
        if layer not in CHOSEN:
            continue  # the first layer's filters can be looked at themselves
        best, place = value.topk(PATCHES, dim=0)
        uneven = best.mean(dim=0) / value.mean(dim=0).clamp(min=1e-6)
        side = 32 // inside.receptive_field(layer)[1]
        for channel in sorted(uneven.topk(CHOSEN[layer]).indices.tolist()):
            which = place[:, channel].tolist()
            cells = [divmod(cell[n, channel].item(), side) for n in which]
            pairs = zip(images[which].numpy(), cells, strict=True)
            windows = [inside.window(image, layer, *at) for image, at in pairs]
            arrays[f"patches{layer}-{channel}"] = np.stack(windows)
            told[f"{layer}-{channel}"] = {
                "test": which,
                "value": rounded(best[:, channel], 3),
                "mean": round(value[:, channel].mean().item(), 3),
            }
    return arrays, told


def main() -> None:
    """Train, fold, round, measure, store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default="data")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if not KEPT.exists():
        seed_everything(0)
        started = time.perf_counter()
        net = inside.fold(train(*as_tensors(cifar10(options.root)), options.epochs))
        seconds = round(time.perf_counter() - started, 1)
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        torch.save({"state": net.state_dict(), "seconds": seconds, "epochs": options.epochs}, KEPT)
    trained = torch.load(KEPT, weights_only=True)
    exact = inside.build().eval()
    exact.load_state_dict(trained["state"])
    weights = inside.quantize(exact)
    net = inside.restore(weights)

    images, labels = as_tensors(cifar10(options.root, train=False))
    order = Batches(images, labels, 500, shuffle=False, prepare=inside.to_input)
    loss, accuracy = evaluate(net, order)
    _, before = evaluate(exact, order)
    first = [(labels == c).nonzero()[0].item() for c in range(10)]
    arrays, told = patches(net, images)
    np.savez_compressed(
        inside.FILE,
        pictures=images[first].numpy(),
        **arrays,
        **weights,
    )
    data = {
        "epochs": trained["epochs"],
        "seconds": trained["seconds"],
        "parameters": count_parameters(net),
        "bytes": inside.FILE.stat().st_size,
        "accuracy": accuracy,
        "accuracy_before_rounding": before,
        "loss": round(loss, 4),
        "test_pictures": first,
        "patches": told,
    }
    print(results.save("inside", data, command="python -m bench.inside"))
    print(f"{100 * before:.2f} %, in eight bits {100 * accuracy:.2f} %, {data['bytes'] / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
