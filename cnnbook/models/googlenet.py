"""GoogLeNet: look at several sizes at once, and make it cheap with 1 × 1 convolutions.

Szegedy et al., "Going deeper with convolutions", CVPR 2015 (arXiv:1409.4842): figure 2b (the inception
module), table 1 (the widths), section 5 (the auxiliary classifiers). Batch norm, which torchvision's version
has and the paper's has not, is from Ioffe and Szegedy, ICML 2015.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ._common import check_choice, check_positive_int, conv_bn, he_init, rename


class Inception(nn.Module):
    """Four branches side by side, joined along the channels.

    The 1 × 1 "reduce" convolutions thin the input out before the costly kernels see it.
    """

    def __init__(
        self,
        in_channels: int,
        n1x1: int,
        reduce3: int,
        n3x3: int,
        reduce5: int,
        n5x5: int,
        n_pool: int,
        kernel5: int,
    ) -> None:
        super().__init__()
        self.conv1x1 = _conv(in_channels, n1x1, 1)
        self.reduce3x3 = _conv(in_channels, reduce3, 1)
        self.conv3x3 = _conv(reduce3, n3x3, 3)
        self.reduce5x5 = _conv(in_channels, reduce5, 1)
        self.conv5x5 = _conv(reduce5, n5x5, kernel5)
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.project = _conv(in_channels, n_pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, n1x1 + n3x3 + n5x5 + n_pool, H, W)."""
        branches = [
            self.conv1x1(x),
            self.conv3x3(self.reduce3x3(x)),
            self.conv5x5(self.reduce5x5(x)),
            self.project(self.pool(x)),
        ]
        return torch.cat(branches, dim=1)


class AuxiliaryHead(nn.Module):
    """A small classifier half-way, used in training only: it feeds gradient to the layers below it."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.conv = _conv(in_channels, 128, 1)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to scores (N, num_classes)."""
        x = self.conv(self.pool(x)).flatten(1)
        return self.fc2(self.dropout(self.relu(self.fc1(x))))


class GoogLeNetOutput(NamedTuple):
    """What a GoogLeNet with auxiliary heads gives in training: three scores, each (N, num_classes).

    The paper's loss is loss(logits) + 0.3 loss(aux1) + 0.3 loss(aux2).
    """

    logits: Tensor
    aux1: Tensor
    aux2: Tensor


class GoogLeNet(nn.Module):
    """See `googlenet`."""

    def __init__(self, num_classes: int, aux_logits: bool, kernel5: int, transform_input: bool) -> None:
        super().__init__()
        self.transform_input = transform_input

        def inception(*widths: int) -> Inception:
            return Inception(*widths, kernel5=kernel5)

        # Ceil mode: a window may hang over the edge, which makes 112 → 56 → 28 → 14 → 7 come out even.
        self.conv1 = _conv(3, 64, 7, stride=2)  #                            64 × 112 × 112
        self.pool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)  #            64 × 56 × 56
        self.conv2_reduce = _conv(64, 64, 1)
        self.conv2 = _conv(64, 192, 3)  #                                   192 × 56 × 56
        self.pool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)  #           192 × 28 × 28
        # Table 1:                     in   1×1  3×3 reduce, 3×3  5×5 reduce, 5×5  pool
        self.inception3a = inception(192, 64, 96, 128, 16, 32, 32)  #       256 × 28 × 28
        self.inception3b = inception(256, 128, 128, 192, 32, 96, 64)  #     480 × 28 × 28
        self.pool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)  #           480 × 14 × 14
        self.inception4a = inception(480, 192, 96, 208, 16, 48, 64)  #      512 × 14 × 14
        self.inception4b = inception(512, 160, 112, 224, 24, 64, 64)  #     512 × 14 × 14
        self.inception4c = inception(512, 128, 128, 256, 24, 64, 64)  #     512 × 14 × 14
        self.inception4d = inception(512, 112, 144, 288, 32, 64, 64)  #     528 × 14 × 14
        self.inception4e = inception(528, 256, 160, 320, 32, 128, 128)  #   832 × 14 × 14
        self.pool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)  #           832 × 7 × 7 (the paper: 3 × 3)
        self.inception5a = inception(832, 256, 160, 320, 32, 128, 128)  #   832 × 7 × 7
        self.inception5b = inception(832, 384, 192, 384, 48, 128, 128)  #  1024 × 7 × 7
        self.avgpool = nn.AdaptiveAvgPool2d(1)  #                          1024 × 1 × 1
        self.dropout = nn.Dropout(0.2)  #                                  (the paper: 0.4)
        self.fc = nn.Linear(1024, num_classes)

        self.aux1 = AuxiliaryHead(512, num_classes) if aux_logits else None
        self.aux2 = AuxiliaryHead(528, num_classes) if aux_logits else None
        he_init(self)

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutput:
        """Map images (N, 3, H, W) to scores; in training, auxiliary heads add theirs."""
        if self.transform_input:
            x = _imagenet_to_unit_range(x)
        x = self.pool1(self.conv1(x))
        x = self.pool2(self.conv2(self.conv2_reduce(x)))
        x = self.pool3(self.inception3b(self.inception3a(x)))
        after_4a = self.inception4a(x)
        after_4d = self.inception4d(self.inception4c(self.inception4b(after_4a)))
        x = self.pool4(self.inception4e(after_4d))
        x = self.inception5b(self.inception5a(x))
        x = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if self.training and self.aux1 is not None and self.aux2 is not None:
            return GoogLeNetOutput(x, self.aux1(after_4a), self.aux2(after_4d))
        return x


def googlenet(
    num_classes: int = 1000, aux_logits: bool = False, kernel5: int = 3, transform_input: bool = False
) -> GoogLeNet:
    """GoogLeNet, or Inception v1, with batch norm (6,624,904 parameters; 13,004,888 with auxiliary heads).

    Parameters
    ----------
    num_classes : int
        Number of classes.
    aux_logits : bool
        Whether to have the two auxiliary heads. In training the model then gives a `GoogLeNetOutput`.
    kernel5 : {3, 5}
        Kernel of the third branch: 5 in the paper, 3 in torchvision and its weights.
    transform_input : bool
        Set it for torchvision's trained weights, which want pixels from -1 to 1: images normalised with
        ImageNet's mean and standard deviation are brought there first.

    Returns
    -------
    GoogLeNet
        Takes images (N, 3, H, W), made for 224 × 224, gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.
    """
    check_positive_int("num_classes", num_classes)
    check_choice("aux_logits", aux_logits, (False, True))
    check_choice("kernel5", kernel5, (3, 5))
    check_choice("transform_input", transform_input, (False, True))
    return GoogLeNet(num_classes, aux_logits, kernel5, transform_input)


def from_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of `torchvision.models.googlenet`: numbered branches get the paper's names."""
    return rename(
        state_dict,
        (r"^conv2\.", "conv2_reduce."),
        (r"^conv3\.", "conv2."),
        (r"\.branch1\.", ".conv1x1."),
        (r"\.branch2\.0\.", ".reduce3x3."),
        (r"\.branch2\.1\.", ".conv3x3."),
        (r"\.branch3\.0\.", ".reduce5x5."),
        (r"\.branch3\.1\.", ".conv5x5."),
        (r"\.branch4\.1\.", ".project."),
    )


def _conv(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    return conv_bn(in_channels, out_channels, kernel_size, stride, eps=1e-3)


def _imagenet_to_unit_range(x: Tensor) -> Tensor:
    """Undo (x - mean) / std and apply (x - 0.5) / 0.5 instead."""
    mean = x.new_tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = x.new_tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    return (x * std + mean - 0.5) / 0.5
