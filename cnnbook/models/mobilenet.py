"""MobileNet: convolve each map on its own, then mix the maps pixel by pixel.

v1: Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision applications",
arXiv:1704.04861, 2017: section 3, table 1. v2: Sandler, Howard, Zhu, Zhmoginov and Chen, "MobileNetV2:
inverted residuals and linear bottlenecks", CVPR 2018 (arXiv:1801.04381): tables 1 and 2.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from ._common import check_positive, check_positive_int, conv_bn, he_init, rename, sequential

# --- v1 ----------------------------------------------------------------------------------------------------


def depthwise_separable(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """Chain a 3 × 3 convolution a channel and a 1 × 1 convolution across channels (figure 3, right).

    The paper writes ReLU; the authors' code, and the weights that came of it, clip at 6.
    """
    return sequential(
        depthwise=conv_bn(in_channels, in_channels, 3, stride, groups=in_channels, activation=nn.ReLU6),
        pointwise=conv_bn(in_channels, out_channels, 1, activation=nn.ReLU6),
    )


# Table 1: output channels and stride of the 13 blocks.
_V1_BLOCKS = (
    (64, 1),  #             64 × 112 × 112
    (128, 2), (128, 1),  # 128 × 56 × 56
    (256, 2), (256, 1),  # 256 × 28 × 28
    (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1),  # 512 × 14 × 14
    (1024, 2), (1024, 1),  # 1024 × 7 × 7
)  # fmt: skip


def mobilenet_v1(num_classes: int = 1000, width_mult: float = 1.0) -> nn.Sequential:
    """MobileNet v1 (4,231,976 parameters, 569 M multiply-accumulates at 224 × 224).

    Parameters
    ----------
    num_classes : int
        Number of classes.
    width_mult : float
        The width multiplier α of section 3.3: every layer has α times the channels. The resolution multiplier
        ρ of section 3.4 needs no argument: feed smaller images.

    Returns
    -------
    nn.Sequential
        Takes images (N, 3, H, W), made for 224 × 224, gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If an argument is not positive, or `num_classes` not a whole number.
    """
    check_positive_int("num_classes", num_classes)
    check_positive("width_mult", width_mult)

    def scaled(channels: int) -> int:
        return max(1, round(channels * width_mult))

    channels = scaled(32)
    stem = conv_bn(3, channels, 3, stride=2, activation=nn.ReLU6)  # 32 × 112 × 112
    blocks = []
    for out_channels, stride in _V1_BLOCKS:
        blocks.append(depthwise_separable(channels, scaled(out_channels), stride))
        channels = scaled(out_channels)
    model = sequential(
        stem=stem,
        blocks=nn.Sequential(*blocks),
        avgpool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        classifier=nn.Linear(channels, num_classes),
    )
    he_init(model)
    return model


def from_timm(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of timm's `mobilenetv1_100`, which counts blocks within stages."""
    places = sorted({tuple(map(int, key.split(".")[1:3])) for key in state_dict if key.startswith("blocks.")})
    return rename(
        state_dict,
        (r"^conv_stem\.", "stem.conv."),
        (r"^bn1\.", "stem.bn."),
        (r"\.conv_dw\.", ".depthwise.conv."),
        (r"\.conv_pw\.", ".pointwise.conv."),
        (r"^(blocks\.\d+\.\d+)\.bn1\.", r"\1.depthwise.bn."),
        (r"^(blocks\.\d+\.\d+)\.bn2\.", r"\1.pointwise.bn."),
        *((rf"^blocks\.{i}\.{j}\.", f"blocks.{n}.") for n, (i, j) in enumerate(places)),
    )


# --- v2 ----------------------------------------------------------------------------------------------------


class InvertedResidual(nn.Module):
    """Widen, convolve each channel, narrow again without an activation; shortcut between the narrow ends.

    Parameters
    ----------
    in_channels, out_channels, stride : int
        Of the block.
    expansion : int
        The factor t: the block is t times as wide inside as its input.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = in_channels * expansion
        layers = {
            "expand": conv_bn(in_channels, width, 1, activation=nn.ReLU6),
            "depthwise": conv_bn(width, width, 3, stride, groups=width, activation=nn.ReLU6),
            "project": conv_bn(width, out_channels, 1, activation=None),
        }
        if expansion == 1:
            del layers["expand"]  # nothing to widen
        self.residual = sequential(**layers)
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        return x + self.residual(x) if self.has_shortcut else self.residual(x)


# Table 2: expansion t, output channels c, repeats n, stride s of the first.
_V2_STAGES = (
    (1, 16, 1, 1),  #   16 × 112 × 112
    (6, 24, 2, 2),  #   24 × 56 × 56
    (6, 32, 3, 2),  #   32 × 28 × 28
    (6, 64, 4, 2),  #   64 × 14 × 14
    (6, 96, 3, 1),  #   96 × 14 × 14
    (6, 160, 3, 2),  # 160 × 7 × 7
    (6, 320, 1, 1),  # 320 × 7 × 7
)


def mobilenet_v2(num_classes: int = 1000, width_mult: float = 1.0) -> nn.Sequential:
    """MobileNet v2 (3,504,872 parameters, 301 M multiply-accumulates at 224 × 224).

    Parameters
    ----------
    num_classes : int
        Number of classes.
    width_mult : float
        Every layer has `width_mult` times the channels, rounded to a multiple of 8; the last convolution
        never has fewer than 1,280.

    Returns
    -------
    nn.Sequential
        Takes images (N, 3, H, W), made for 224 × 224, gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If an argument is not positive, or `num_classes` not a whole number.
    """
    check_positive_int("num_classes", num_classes)
    check_positive("width_mult", width_mult)
    channels = _multiple_of_8(32 * width_mult)
    stem = conv_bn(3, channels, 3, stride=2, activation=nn.ReLU6)  # 32 × 112 × 112
    blocks = []
    for expansion, out_channels, repeats, first_stride in _V2_STAGES:
        out_channels = _multiple_of_8(out_channels * width_mult)
        for i in range(repeats):
            blocks.append(InvertedResidual(channels, out_channels, first_stride if i == 0 else 1, expansion))
            channels = out_channels
    last = _multiple_of_8(1280 * max(1.0, width_mult))
    model = sequential(
        stem=stem,
        blocks=nn.Sequential(*blocks),
        head=conv_bn(channels, last, 1, activation=nn.ReLU6),  # 1280 × 7 × 7
        avgpool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        dropout=nn.Dropout(0.2),
        classifier=nn.Linear(last, num_classes),
    )
    he_init(model)
    return model


def _multiple_of_8(channels: float) -> int:
    """Round to the nearest multiple of 8, at least 8, up instead if it would lose more than a tenth."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8


def from_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of `torchvision.models.mobilenet_v2`.

    features.0 is the stem, features.1 to 17 are the blocks, features.18 is the last convolution. In a block
    the convolutions are numbered; only block 1 (t = 1) has none to expand.
    """
    return rename(
        state_dict,
        (r"^features\.0\.0\.", "stem.conv."),
        (r"^features\.0\.1\.", "stem.bn."),
        (r"^features\.18\.0\.", "head.conv."),
        (r"^features\.18\.1\.", "head.bn."),
        (r"^classifier\.1\.", "classifier."),
        (r"^features\.1\.conv\.0\.0\.", "blocks.0.residual.depthwise.conv."),
        (r"^features\.1\.conv\.0\.1\.", "blocks.0.residual.depthwise.bn."),
        (r"^features\.1\.conv\.1\.", "blocks.0.residual.project.conv."),
        (r"^features\.1\.conv\.2\.", "blocks.0.residual.project.bn."),
        (r"\.conv\.0\.0\.", ".residual.expand.conv."),
        (r"\.conv\.0\.1\.", ".residual.expand.bn."),
        (r"\.conv\.1\.0\.", ".residual.depthwise.conv."),
        (r"\.conv\.1\.1\.", ".residual.depthwise.bn."),
        (r"\.conv\.2\.", ".residual.project.conv."),
        (r"\.conv\.3\.", ".residual.project.bn."),
        *((rf"^features\.{i + 1}\.", f"blocks.{i}.") for i in range(17)),
    )
