"""Train the LeNet-5 of 1998 on small digits, for the demo to look into: ``python -m bench.lenet_digits``.

The digits are scikit-learn's, 8 × 8, scaled to 28 × 28 and framed to 32 × 32, with the paper's values for
paper and ink (section III-B). Stored are the weights of C1 to S4, rounded before anything is measured with
them, one test digit of each class, and what C5, F6 and the output make of it. A minute on one core.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnbook import data, results
from cnnbook.models import lenet5_1998
from cnnbook.results import rounded

TRAINING = 1400  # of 1797 digits, in the order of the data set; the others are the test set
EPOCHS = 40
PAPER, INK = -0.1, 1.175


def images(digits: Tensor) -> Tensor:
    """Map digits (N, 1, 8, 8) of 0 to 1 to pixels (N, 32, 32) of 0 to 255, whole numbers."""
    large = F.interpolate(digits, size=28, mode="bilinear", align_corners=False)
    return (F.pad(large, (2, 2, 2, 2))[:, 0] * 255).round()


def values(pixels: Tensor) -> Tensor:
    """Map pixels (N, 32, 32) to what the network sees (N, 1, 32, 32): paper -0.1, ink 1.175."""
    return pixels[:, None] / 255 * (INK - PAPER) + PAPER


def main() -> None:
    """Train, round, measure, store and print."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    digits, y = data.digits()
    pixels = images(digits)
    x = values(pixels)
    net = lenet5_1998()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for _ in range(EPOCHS):
        for batch in torch.randperm(TRAINING).split(50):
            optimizer.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
        schedule.step()

    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.round(parameter, decimals=4))
        net.eval()
        wrong = (net(x[TRAINING:]).argmax(1) != y[TRAINING:]).sum().item()
        shown = [next(i for i in range(TRAINING, len(y)) if y[i] == digit) for digit in range(10)]
        made, value = {}, x[shown]
        for name, layer in net.named_children():
            value = layer(value)
            made[name] = value
    path = results.save(
        "lenet-digits",
        {
            "training": TRAINING,
            "test": len(y) - TRAINING,
            "test_errors": wrong,
            "epochs": EPOCHS,
            "paper": PAPER,
            "ink": INK,
            "digits": [[int(v) for v in pixels[i].flatten()] for i in shown],
            "weights": {
                "c1": {"weight": rounded(net.c1.weight[:, 0], 4), "bias": rounded(net.c1.bias, 4)},
                "s2": {
                    "coefficient": rounded(net.s2.coefficient.flatten(), 4),
                    "bias": rounded(net.s2.bias.flatten(), 4),
                },
                "c3": {
                    "weight": [rounded(conv.weight[0], 4) for conv in net.c3.maps],
                    "bias": [rounded(conv.bias[0], 4) for conv in net.c3.maps],
                },
                "s4": {
                    "coefficient": rounded(net.s4.coefficient.flatten(), 4),
                    "bias": rounded(net.s4.bias.flatten(), 4),
                },
            },
            "c5": rounded(made["flatten"], 3),
            "f6": rounded(made["tanh6"], 3),
            "output": rounded(made["output"], 2),
        },
        command="python -m bench.lenet_digits",
        packages=("torch", "scikit-learn"),
    )
    print(f"{wrong} of {len(y) - TRAINING} test digits wrong: {path}")


if __name__ == "__main__":
    main()
