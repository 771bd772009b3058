"""ResNeXt: split the bottleneck into many thin paths; their number is the cardinality.

Xie, Girshick, Dollár, Tu and He, "Aggregated residual transformations for deep neural networks", CVPR 2017
(arXiv:1611.05431): figure 3 (three equivalent forms; this is form c), table 1.
"""

from functools import partial

from torch import nn

from ._common import check_positive_int
from .resnet import BOTTLENECK_WIDTHS, Bottleneck, ResNet, from_torchvision

__all__ = ["from_torchvision", "resnext50_32x4d", "resnext_block"]


def resnext_block(
    in_channels: int, out_channels: int, stride: int = 1, cardinality: int = 32, width: int = 4
) -> nn.Module:
    """Build a bottleneck of `cardinality` paths, each `width` channels wide where `out_channels` is 256.

    One grouped convolution does the work of all paths: 32 × 4 gives a 3 × 3 of 128 channels in 32 groups.
    """
    inner = cardinality * width * out_channels // 256  # each stage doubles the paths' width
    return Bottleneck(in_channels, out_channels, stride, width=inner, groups=cardinality)


def resnext50_32x4d(num_classes: int = 1000, cardinality: int = 32, width: int = 4) -> ResNet:
    """ResNeXt-50 (32 × 4d): ResNet-50 with 32 paths of width 4 (25,028,904 parameters).

    Parameters
    ----------
    num_classes : int
        Number of classes.
    cardinality, width : int
        Paths and their width in the first stage. The paper's table 2 keeps the cost of a ResNet-50 with
        1 × 64d, 2 × 40d, 4 × 24d, 8 × 14d and 32 × 4d.

    Returns
    -------
    ResNet
        Takes images (N, 3, H, W), made for 224 × 224, gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If an argument is not a positive whole number.
    """
    check_positive_int("cardinality", cardinality)
    check_positive_int("width", width)
    block = partial(resnext_block, cardinality=cardinality, width=width)
    return ResNet(block, (3, 4, 6, 3), BOTTLENECK_WIDTHS, num_classes)
