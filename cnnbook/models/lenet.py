"""LeNet-5: the convolutional network that read cheques.

LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", Proceedings of
the IEEE 86 (11), 1998: section II-B and figure 2 (all layers), table I (which maps C3 sees), equation 7 (RBF
outputs), equation 9 (loss), appendix A (activation function and initial weights).
"""

import math
import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._common import accept_only, check_choice, check_positive_int, sequential

_PAD_HINT = "pad 28 × 28 digits with torch.nn.functional.pad(x, (2, 2, 2, 2)), resize other images"


def lenet5(num_classes: int = 10, in_channels: int = 1) -> nn.Sequential:
    """LeNet-5 as it is usually rewritten: dense C3, max pooling, ReLU, linear output (61,706 parameters).

    Parameters
    ----------
    num_classes : int
        Number of classes.
    in_channels : int
        1 for grey images, 3 for colour.

    Returns
    -------
    nn.Sequential
        Takes images (N, in_channels, 32, 32), gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If an argument is not a positive whole number, or if the images are not 32 × 32.
    """
    check_positive_int("num_classes", num_classes)
    check_positive_int("in_channels", in_channels)
    model = sequential(
        c1=nn.Conv2d(in_channels, 6, 5),  #   6 × 28 × 28
        relu1=nn.ReLU(),
        s2=nn.MaxPool2d(2),  #                6 × 14 × 14
        c3=nn.Conv2d(6, 16, 5),  #           16 × 10 × 10
        relu3=nn.ReLU(),
        s4=nn.MaxPool2d(2),  #               16 × 5 × 5
        flatten=nn.Flatten(),  #            400
        c5=nn.Linear(400, 120),  #          120
        relu5=nn.ReLU(),
        f6=nn.Linear(120, 84),  #            84
        relu6=nn.ReLU(),
        output=nn.Linear(84, num_classes),
    )
    accept_only(model, in_channels, 32, _PAD_HINT)
    return model


def lenet5_1998(num_classes: int = 10, output: str = "rbf") -> nn.Sequential:
    """LeNet-5 as published: sparse C3, trainable subsampling, scaled tanh, fixed RBF outputs.

    C1 to F6 have 156 + 12 + 1,516 + 32 + 48,120 + 10,164 = 60,000 trainable parameters, the paper's count.

    Parameters
    ----------
    num_classes : int
        Number of classes. The paper has the ten digits; further classes get random codes.
    output : {"rbf", "linear"}
        "rbf": minus the squared distance from F6 to a fixed code of each class, with nothing to train. The
        cross-entropy of these scores is the paper's loss (eq. 9) without its constant "rubbish" class.
        "linear": an ordinary trainable layer instead (850 more parameters for ten classes).

    Returns
    -------
    nn.Sequential
        Takes images (N, 1, 32, 32), gives scores (N, num_classes), the highest for the most likely class.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or if the images are not 1 × 32 × 32.
    """
    check_positive_int("num_classes", num_classes)
    check_choice("output", output, ("rbf", "linear"))
    model = sequential(
        c1=nn.Conv2d(1, 6, 5),  #              6 × 28 × 28
        tanh1=ScaledTanh(),
        s2=Subsampling(6),  #                  6 × 14 × 14
        tanh2=ScaledTanh(),
        c3=SparseConv2d(C3_CONNECTIONS, 5),  # 16 × 10 × 10
        tanh3=ScaledTanh(),
        s4=Subsampling(16),  #                16 × 5 × 5
        tanh4=ScaledTanh(),
        c5=nn.Conv2d(16, 120, 5),  #         120 × 1 × 1
        tanh5=ScaledTanh(),
        flatten=nn.Flatten(),  #             120
        f6=nn.Linear(120, 84),  #             84
        tanh6=ScaledTanh(),
        output=RBF(num_classes) if output == "rbf" else nn.Linear(84, num_classes),
    )
    _init_1998(model)
    accept_only(model, 1, 32, _PAD_HINT)
    return model


# Table I: the maps of S2 that each map of C3 sees. No two see the same, so they must learn different things.
C3_CONNECTIONS = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip


class ScaledTanh(nn.Module):
    """1.7159 tanh(2x/3): takes 1 to 1 and -1 to -1 and bends most just there (appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map any shape to the same shape."""
        return 1.7159 * torch.tanh(x * 2 / 3)


class Subsampling(nn.Module):
    """Halve a map's sides: (sum of each 2 × 2 square) × coefficient + bias, one pair a map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((channels, 1, 1), 0.25))  # the average, to begin with
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, channels, H / 2, W / 2)."""
        sums = F.avg_pool2d(x, kernel_size=2, divisor_override=1)
        return sums * self.coefficient + self.bias


class SparseConv2d(nn.Module):
    """A convolution whose i-th output map sees only the input maps `connections[i]`."""

    def __init__(self, connections: tuple[tuple[int, ...], ...], kernel_size: int) -> None:
        super().__init__()
        self.connections = connections
        self.maps = nn.ModuleList(nn.Conv2d(len(seen), 1, kernel_size) for seen in connections)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, input maps, H, W) to (N, len(connections), H - kernel_size + 1, W - kernel_size + 1)."""
        seen_by = zip(self.maps, self.connections, strict=True)
        return torch.cat([conv(x[:, list(seen)]) for conv, seen in seen_by], dim=1)


class RBF(nn.Module):
    """Minus the squared distance of each input (N, 84) to each class's fixed code of ±1 (eq. 7)."""

    codes: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        digits = [[1.0 if c == "#" else -1.0 for c in bitmap] for bitmap in _bitmaps()]
        coin = random.Random(1998)  # the paper: codes could as well be drawn at random
        others = [[coin.choice((-1.0, 1.0)) for _ in range(84)] for _ in range(10, num_classes)]
        self.register_buffer("codes", torch.tensor((digits + others)[:num_classes]))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 84) to scores (N, num_classes), at most 0."""
        return -(x.unsqueeze(1) - self.codes).square().sum(dim=2)


# F6 has 84 units because the code of a class is a picture of its character, 7 wide and 12 high (figure 3):
# characters that look alike get codes that are close. These pictures are our own.
_DIGITS = """
.#####. ...##.. .#####. .#####. ....##. ####### ..####. ####### .#####. .#####.
##...## ..###.. ##...## ##...## ...###. ##..... .##..## ##...## ##...## ##...##
##...## .####.. ##...## .....## ..####. ##..... ##..... .....## ##...## ##...##
##...## ...##.. .....## .....## .##.##. ##..... ##..... ....##. ##...## ##...##
##...## ...##.. .....## .....## ##..##. ######. ##.###. ....##. .#####. ##...##
##...## ...##.. ....##. ..####. ##..##. .....## ###..## ...##.. .#####. .######
##...## ...##.. ...##.. .....## ####### .....## ##...## ...##.. ##...## .....##
##...## ...##.. ..##... .....## ####### .....## ##...## ..##... ##...## .....##
##...## ...##.. .##.... .....## ....##. .....## ##...## ..##... ##...## .....##
##...## ...##.. ##..... .....## ....##. ##...## ##...## ..##... ##...## ##..##.
##...## ...##.. ##..... ##...## ....##. ##...## ##...## .##.... ##...## ##.##..
.#####. .###### ####### .#####. ....##. .#####. .#####. .##.... .#####. .###...
"""


def _bitmaps() -> list[str]:
    """Return ten strings of 84 characters, one a digit, row after row."""
    rows = [line.split() for line in _DIGITS.split("\n") if line]
    return ["".join(column) for column in zip(*rows, strict=True)]


def _init_1998(model: nn.Module) -> None:
    """Draw a unit's weights and bias uniformly within ±2.4 / (number of its inputs), as appendix A does."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            inputs = math.prod(module.weight.shape[1:])
        elif isinstance(module, Subsampling):
            inputs = 4
        else:
            continue
        for parameter in module.parameters():
            nn.init.uniform_(parameter, -2.4 / inputs, 2.4 / inputs)
