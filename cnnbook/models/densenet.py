"""DenseNet: give every layer all maps made before it, and ask it for a few new ones.

Huang, Liu, van der Maaten and Weinberger, "Densely connected convolutional networks", CVPR 2017
(arXiv:1608.06993): section 3 (growth rate, bottleneck, compression: this is DenseNet-BC), table 1.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ._common import check_positive_int, he_init, rename, sequential


class DenseLayer(nn.Module):
    """Make `growth_rate` new maps from all maps so far and put them behind these."""

    def __init__(self, in_channels: int, growth_rate: int) -> None:
        super().__init__()
        bottleneck = 4 * growth_rate
        self.new_maps = sequential(
            norm1=nn.BatchNorm2d(in_channels),
            relu1=nn.ReLU(),
            conv1=nn.Conv2d(in_channels, bottleneck, 1, bias=False),
            norm2=nn.BatchNorm2d(bottleneck),
            relu2=nn.ReLU(),
            conv2=nn.Conv2d(bottleneck, growth_rate, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, in_channels + growth_rate, H, W)."""
        return torch.cat([x, self.new_maps(x)], dim=1)


def dense_block(in_channels: int, depth: int, growth_rate: int) -> nn.Sequential:
    """Chain `depth` dense layers: in_channels + depth × growth_rate channels come out."""
    layers = {f"layer{i + 1}": DenseLayer(in_channels + i * growth_rate, growth_rate) for i in range(depth)}
    return sequential(**layers)


def transition(in_channels: int, out_channels: int) -> nn.Sequential:
    """Compress the channels with a 1 × 1 convolution and halve the map."""
    return sequential(
        norm=nn.BatchNorm2d(in_channels),
        relu=nn.ReLU(),
        conv=nn.Conv2d(in_channels, out_channels, 1, bias=False),
        pool=nn.AvgPool2d(2),
    )


def _densenet(depths: Sequence[int], growth_rate: int, num_classes: int) -> nn.Sequential:
    check_positive_int("num_classes", num_classes)
    channels = 2 * growth_rate
    # Shapes for 224 × 224 images and DenseNet-121 (growth rate 32):
    layers: dict[str, nn.Module] = {
        "conv0": nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False),  # 64 × 112 × 112
        "norm0": nn.BatchNorm2d(channels),
        "relu0": nn.ReLU(),
        "pool0": nn.MaxPool2d(3, stride=2, padding=1),  #                       64 × 56 × 56
    }
    for i, depth in enumerate(depths, start=1):
        layers[f"block{i}"] = dense_block(channels, depth, growth_rate)
        channels += depth * growth_rate  #                       256 × 56 × 56, 512 × 28 × 28, 1024 × 14 × 14
        if i < len(depths):
            layers[f"transition{i}"] = transition(channels, channels // 2)
            channels //= 2  #                                    128 × 28 × 28, 256 × 14 × 14, 512 × 7 × 7
    model = sequential(
        **layers,  #                                            1024 × 7 × 7
        norm5=nn.BatchNorm2d(channels),
        relu5=nn.ReLU(),
        avgpool=nn.AdaptiveAvgPool2d(1),  #                     1024 × 1 × 1
        flatten=nn.Flatten(),
        classifier=nn.Linear(channels, num_classes),
    )
    he_init(model)
    return model


def densenet121(num_classes: int = 1000) -> nn.Sequential:
    """DenseNet-121: dense blocks of 6, 12, 24 and 16 layers, growth rate 32 (7,978,856 parameters).

    Parameters
    ----------
    num_classes : int
        Number of classes.

    Returns
    -------
    nn.Sequential
        Takes images (N, 3, H, W), made for 224 × 224, at least 29 × 29; gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If `num_classes` is not a positive whole number.
    """
    return _densenet((6, 12, 24, 16), 32, num_classes)


def densenet161(num_classes: int = 1000) -> nn.Sequential:
    """DenseNet-161: blocks of 6, 12, 36 and 24 layers, growth rate 48 (28,681,000 parameters).

    See `densenet121` for the argument.
    """
    return _densenet((6, 12, 36, 24), 48, num_classes)


def from_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of torchvision's DenseNets, which prefixes every name."""
    return rename(
        state_dict,
        (r"^features\.", ""),
        (r"^denseblock(\d)\.denselayer(\d+)\.", r"block\1.layer\2.new_maps."),
    )
