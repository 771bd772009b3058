"""SENet: let a network turn its own channels up and down.

Hu, Shen, Albanie, Sun and Wu, "Squeeze-and-excitation networks", CVPR 2018 (arXiv:1709.01507): figures 2 and
3, equations 2 to 4, table 1 (SE-ResNet-50). SENet-154 is from the ILSVRC 2017 entry (appendix on arXiv).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from torch import Tensor, nn

from ._common import check_positive_int, conv_bn, he_init, rename, sequential, stage


class SqueezeExcitation(nn.Module):
    """Scale each channel by a number between 0 and 1 that is computed from all channels' means.

    Parameters
    ----------
    channels : int
        Channels in and out.
    reduction : int
        The ratio r: the hidden layer has channels / r units, at least one.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.squeeze = sequential(avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
        self.excite = sequential(
            fc1=nn.Linear(channels, hidden),
            relu=nn.ReLU(),
            fc2=nn.Linear(hidden, channels),
            sigmoid=nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to the same shape."""
        scale = self.excite(self.squeeze(x))
        return x * scale.unflatten(1, (-1, 1, 1))


class SEBottleneck(nn.Module):
    """The residual bottleneck with a squeeze-and-excitation at the end of its residual path.

    Parameters
    ----------
    in_channels, out_channels, stride : int
        As in a ResNet's bottleneck; the stride is taken by the first convolution, as in the authors' release.
    reduction : int
        The ratio r of the squeeze-and-excitation.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, reduction: int = 16) -> None:
        super().__init__()
        width = out_channels // 4
        self.residual = sequential(
            conv1=nn.Conv2d(in_channels, width, 1, stride, bias=False),
            bn1=nn.BatchNorm2d(width),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(width, width, 3, padding=1, bias=False),
            bn2=nn.BatchNorm2d(width),
            relu2=nn.ReLU(),
            conv3=nn.Conv2d(width, out_channels, 1, bias=False),
            bn3=nn.BatchNorm2d(out_channels),
            se=SqueezeExcitation(out_channels, reduction),
        )
        self.shortcut = _shortcut(in_channels, out_channels, stride, kernel_size=1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        return self.relu(self.residual(x) + self.shortcut(x))


class SEResNeXtBottleneck(nn.Module):
    """The block of SENet-154: wider inside, 64 groups, and a 3 × 3 shortcut where the map is halved."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, reduction: int = 16) -> None:
        super().__init__()
        self.residual = sequential(
            conv1=nn.Conv2d(in_channels, out_channels // 2, 1, bias=False),
            bn1=nn.BatchNorm2d(out_channels // 2),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(out_channels // 2, out_channels, 3, stride, padding=1, groups=64, bias=False),
            bn2=nn.BatchNorm2d(out_channels),
            relu2=nn.ReLU(),
            conv3=nn.Conv2d(out_channels, out_channels, 1, bias=False),
            bn3=nn.BatchNorm2d(out_channels),
            se=SqueezeExcitation(out_channels, reduction),
        )
        self.shortcut = _shortcut(in_channels, out_channels, stride, kernel_size=1 if stride == 1 else 3)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        return self.relu(self.residual(x) + self.shortcut(x))


def _shortcut(in_channels: int, out_channels: int, stride: int, kernel_size: int) -> nn.Module:
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    return conv_bn(in_channels, out_channels, kernel_size, stride, activation=None)


def _senet(
    stem: nn.Sequential,
    stem_channels: int,
    block: Callable[[int, int, int], nn.Module],
    depths: Sequence[int],
    dropout: float,
    num_classes: int,
) -> nn.Sequential:
    check_positive_int("num_classes", num_classes)
    model = sequential(
        stem=stem,  #                                                           64 × 112 × 112, or 128
        pool=nn.MaxPool2d(3, stride=2, ceil_mode=True),  #                      64 × 56 × 56
        layer1=stage(block, stem_channels, 256, depths[0], stride=1),  #       256 × 56 × 56
        layer2=stage(block, 256, 512, depths[1], stride=2),  #                 512 × 28 × 28
        layer3=stage(block, 512, 1024, depths[2], stride=2),  #               1024 × 14 × 14
        layer4=stage(block, 1024, 2048, depths[3], stride=2),  #              2048 × 7 × 7
        avgpool=nn.AdaptiveAvgPool2d(1),  #                                   2048 × 1 × 1
        flatten=nn.Flatten(),
        dropout=nn.Dropout(dropout),
        fc=nn.Linear(2048, num_classes),
    )
    he_init(model)
    return model


def se_resnet50(num_classes: int = 1000, reduction: int = 16) -> nn.Sequential:
    """SE-ResNet-50: a ResNet-50 with a squeeze-and-excitation in every block (28,088,024 parameters).

    Parameters
    ----------
    num_classes : int
        Number of classes.
    reduction : int
        The ratio r of the squeeze-and-excitation.

    Returns
    -------
    nn.Sequential
        Takes images (N, 3, H, W), made for 224 × 224, gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If an argument is not a positive whole number.
    """
    check_positive_int("reduction", reduction)
    return _senet(
        stem=conv_bn(3, 64, kernel_size=7, stride=2),
        stem_channels=64,
        block=partial(SEBottleneck, reduction=reduction),
        depths=(3, 4, 6, 3),
        dropout=0.0,
        num_classes=num_classes,
    )


def senet154(num_classes: int = 1000, reduction: int = 16) -> nn.Sequential:
    """SENet-154, based on ResNeXt-152 (64 × 4d), the winner of ILSVRC 2017 (115,088,984 parameters).

    See `se_resnet50` for the arguments.
    """
    check_positive_int("reduction", reduction)
    return _senet(
        stem=nn.Sequential(conv_bn(3, 64, 3, stride=2), conv_bn(64, 64, 3), conv_bn(64, 128, 3)),
        stem_channels=128,
        block=partial(SEResNeXtBottleneck, reduction=reduction),
        depths=(3, 8, 36, 3),
        dropout=0.2,
        num_classes=num_classes,
    )


def from_timm(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of timm's `legacy_seresnet50` and `legacy_senet154`, the authors' networks.

    There the two layers of the excitation are 1 × 1 convolutions on a 1 × 1 map, which is what a linear layer
    does.
    """
    deep_stem = "layer0.conv3.weight" in state_dict
    renamed = rename(
        state_dict,
        *(
            (rf"^layer0\.{kind}{i}\.", f"stem.{i - 1}.{kind}." if deep_stem else f"stem.{kind}.")
            for kind in ("conv", "bn")
            for i in (1, 2, 3)
        ),
        (r"^(layer\d\.\d+)\.(conv|bn)", r"\1.residual.\2"),
        (r"\.se_module\.", ".residual.se.excite."),
        (r"\.downsample\.0\.", ".shortcut.conv."),
        (r"\.downsample\.1\.", ".shortcut.bn."),
        (r"^last_linear\.", "fc."),
    )
    return {key: t.flatten(1) if ".excite." in key and t.dim() == 4 else t for key, t in renamed.items()}
