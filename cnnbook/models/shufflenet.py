"""ShuffleNet: group the 1 × 1 convolutions too, and shuffle the channels so that the groups meet.

v1: Zhang, Zhou, Lin and Sun, "ShuffleNet: an extremely efficient convolutional neural network for mobile
devices", CVPR 2018 (arXiv:1707.01083): figure 2 (b and c), table 1. v2: Ma, Zhang, Zheng and Sun, "ShuffleNet
V2: practical guidelines for efficient CNN architecture design", ECCV 2018 (arXiv:1807.11164): figure 3 (c and
d), table 5.
"""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from ._common import check_choice, check_positive_int, conv_bn, he_init, rename, sequential, stage

# --- v1 ----------------------------------------------------------------------------------------------------


class ShuffleUnit(nn.Module):
    """A bottleneck of two grouped 1 × 1 convolutions, with a shuffle between them, and a shortcut.

    At stride 1 both paths are added. At stride 2 the shortcut is a 3 × 3 average and both are put behind each
    other, so that the residual path makes only the channels that are missing.

    Parameters
    ----------
    in_channels, out_channels : int
        Of the unit; inside it has a quarter of `out_channels`.
    stride : {1, 2}
        Of the 3 × 3 convolution.
    groups : int
        Of both 1 × 1 convolutions.
    first_groups : int, optional
        Of the first one, where it differs.
    shuffle : bool
        Whether to shuffle; without it the groups never meet.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        groups: int,
        first_groups: int | None = None,
        shuffle: bool = True,
    ) -> None:
        super().__init__()
        width = out_channels // 4
        new_channels = out_channels if stride == 1 else out_channels - in_channels
        self.residual = sequential(
            gconv1=conv_bn(in_channels, width, 1, groups=first_groups or groups),
            shuffle=nn.ChannelShuffle(groups) if shuffle else nn.Identity(),
            depthwise=conv_bn(width, width, 3, stride, groups=width, activation=None),
            gconv2=conv_bn(width, new_channels, 1, groups=groups, activation=None),
        )
        self.shortcut = nn.Identity() if stride == 1 else nn.AvgPool2d(3, stride=2, padding=1)
        self.stride = stride
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        new, old = self.residual(x), self.shortcut(x)
        return self.relu(old + new if self.stride == 1 else torch.cat([old, new], dim=1))


# Table 1: channels of stage 2 by the number of groups; more groups are cheaper, so they may be wider.
_V1_WIDTHS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}


def shufflenet_v1(num_classes: int = 1000, groups: int = 3, shuffle: bool = True) -> nn.Sequential:
    """ShuffleNet v1, 1× (1,865,728 parameters, 137.5 M multiply-accumulates at 224 × 224 with 3 groups).

    Parameters
    ----------
    num_classes : int
        Number of classes.
    groups : {1, 2, 3, 4, 8}
        Groups of the 1 × 1 convolutions. Widths go with it so that the cost stays the same (table 1).
    shuffle : bool
        Whether to shuffle the channels between the two 1 × 1 convolutions (table 3 compares).

    Returns
    -------
    nn.Sequential
        Takes images (N, 3, H, W), made for 224 × 224, gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.
    """
    check_positive_int("num_classes", num_classes)
    check_choice("groups", groups, _V1_WIDTHS)
    check_choice("shuffle", shuffle, (False, True))
    width = _V1_WIDTHS[groups]
    unit = partial(ShuffleUnit, groups=groups, shuffle=shuffle)
    model = sequential(
        conv1=conv_bn(3, 24, 3, stride=2),  #                     24 × 112 × 112
        maxpool=nn.MaxPool2d(3, stride=2, padding=1),  #          24 × 56 × 56
        # 24 channels are too few to group: the first 1 × 1 of stage 2 sees all of them (section 3).
        stage2=nn.Sequential(  #                                 240 × 28 × 28 with 3 groups
            unit(24, width, 2, first_groups=1), *(unit(width, width, 1) for _ in range(3))
        ),
        stage3=stage(unit, width, 2 * width, 8, stride=2),  #    480 × 14 × 14
        stage4=stage(unit, 2 * width, 4 * width, 4, stride=2),  # 960 × 7 × 7
        avgpool=nn.AdaptiveAvgPool2d(1),  #                      960 × 1 × 1
        flatten=nn.Flatten(),
        fc=nn.Linear(4 * width, num_classes),
    )
    he_init(model)
    return model


# --- v2 ----------------------------------------------------------------------------------------------------


class SplitUnit(nn.Module):
    """Half of the channels pass, half are convolved; joined again, they are shuffled into each other.

    At stride 2 nothing is split: both branches see all channels and shrink the map.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        half = out_channels // 2
        self.stride = stride
        branch_in = in_channels if stride == 2 else half
        self.left = (
            sequential(
                depthwise=conv_bn(branch_in, branch_in, 3, stride, groups=branch_in, activation=None),
                pointwise=conv_bn(branch_in, half, 1),
            )
            if stride == 2
            else nn.Identity()
        )
        self.right = sequential(
            pointwise1=conv_bn(branch_in, half, 1),
            depthwise=conv_bn(half, half, 3, stride, groups=half, activation=None),
            pointwise2=conv_bn(half, half, 1),
        )
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        left, right = (x, x) if self.stride == 2 else x.chunk(2, dim=1)
        return self.shuffle(torch.cat([self.left(left), self.right(right)], dim=1))


def shufflenet_v2_x1_0(num_classes: int = 1000) -> nn.Sequential:
    """ShuffleNet v2, 1× (2,278,604 parameters, 145 M multiply-accumulates at 224 × 224).

    Parameters
    ----------
    num_classes : int
        Number of classes.

    Returns
    -------
    nn.Sequential
        Takes images (N, 3, H, W), made for 224 × 224, gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If `num_classes` is not a positive whole number.
    """
    check_positive_int("num_classes", num_classes)
    model = sequential(
        conv1=conv_bn(3, 24, 3, stride=2),  #               24 × 112 × 112
        maxpool=nn.MaxPool2d(3, stride=2, padding=1),  #    24 × 56 × 56
        stage2=stage(SplitUnit, 24, 116, 4, stride=2),  #  116 × 28 × 28
        stage3=stage(SplitUnit, 116, 232, 8, stride=2),  # 232 × 14 × 14
        stage4=stage(SplitUnit, 232, 464, 4, stride=2),  # 464 × 7 × 7
        conv5=conv_bn(464, 1024, 1),  #                   1024 × 7 × 7
        avgpool=nn.AdaptiveAvgPool2d(1),  #               1024 × 1 × 1
        flatten=nn.Flatten(),
        fc=nn.Linear(1024, num_classes),
    )
    he_init(model)
    return model


def from_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of `torchvision.models.shufflenet_v2_x1_0`: places in lists become names."""
    branches = {
        "branch1": ("left", {0: "depthwise.conv", 1: "depthwise.bn", 2: "pointwise.conv", 3: "pointwise.bn"}),
        "branch2": (
            "right",
            {
                0: "pointwise1.conv",
                1: "pointwise1.bn",
                3: "depthwise.conv",
                4: "depthwise.bn",
                5: "pointwise2.conv",
                6: "pointwise2.bn",
            },
        ),
    }
    return rename(
        state_dict,
        (r"^(conv[15])\.0\.", r"\1.conv."),
        (r"^(conv[15])\.1\.", r"\1.bn."),
        *(
            (rf"\.{theirs}\.{place}\.", f".{ours}.{name}.")
            for theirs, (ours, names) in branches.items()
            for place, name in names.items()
        ),
    )
