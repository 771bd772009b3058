"""ResNet: let each block learn what to add to its input.

He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016 (arXiv:1512.03385): figure 5
(both blocks), table 1 (depths and widths), section 3.3 (shortcuts of option B).
"""

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn

from ._common import check_positive_int, he_init, rename, sequential, stage


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions and a shortcut: y = relu(F(x) + x)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.residual = sequential(
            conv1=nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
            bn1=nn.BatchNorm2d(out_channels),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            bn2=nn.BatchNorm2d(out_channels),
        )
        self.shortcut = shortcut(in_channels, out_channels, stride)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        return self.relu(self.residual(x) + self.shortcut(x))


class Bottleneck(nn.Module):
    """1 × 1 down to a quarter of the width, 3 × 3 there, 1 × 1 up again, and a shortcut.

    Parameters
    ----------
    in_channels, out_channels, stride : int
        As in `BasicBlock`.
    width : int, optional
        Channels inside; a quarter of `out_channels` unless given.
    groups : int
        Groups of the 3 × 3 convolution (used by ResNeXt).
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, width: int | None = None, groups: int = 1
    ) -> None:
        super().__init__()
        width = width or out_channels // 4
        self.residual = sequential(
            conv1=nn.Conv2d(in_channels, width, 1, bias=False),
            bn1=nn.BatchNorm2d(width),
            relu1=nn.ReLU(),
            # The paper strides in conv1. Here, as in torchvision ("ResNet v1.5"), the 3 × 3 does: a 1 × 1 at
            # stride 2 would never see three quarters of the pixels.
            conv2=nn.Conv2d(width, width, 3, stride, padding=1, groups=groups, bias=False),
            bn2=nn.BatchNorm2d(width),
            relu2=nn.ReLU(),
            conv3=nn.Conv2d(width, out_channels, 1, bias=False),
            bn3=nn.BatchNorm2d(out_channels),
        )
        self.shortcut = shortcut(in_channels, out_channels, stride)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        return self.relu(self.residual(x) + self.shortcut(x))


def shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Pass the input on as it is, or project it where the block changes its shape (option B)."""
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    return sequential(
        conv=nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), bn=nn.BatchNorm2d(out_channels)
    )


class ResNet(nn.Module):
    """A stem, four stages of blocks, global average pooling and one fully connected layer.

    Parameters
    ----------
    block : callable
        (in_channels, out_channels, stride) to a module.
    depths : sequence of 4 ints
        Blocks in each stage.
    widths : sequence of 4 ints
        Channels that each stage puts out.
    num_classes : int
        Number of classes.
    """

    def __init__(
        self,
        block: Callable[[int, int, int], nn.Module],
        depths: Sequence[int],
        widths: Sequence[int],
        num_classes: int,
    ) -> None:
        super().__init__()
        check_positive_int("num_classes", num_classes)
        # Shapes for 224 × 224 images and bottlenecks. The paper calls layer1 to layer4 conv2_x to conv5_x.
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)  #      64 × 112 × 112
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)  #                    64 × 56 × 56
        self.layer1 = stage(block, 64, widths[0], depths[0], stride=1)  #         256 × 56 × 56
        self.layer2 = stage(block, widths[0], widths[1], depths[1], stride=2)  #  512 × 28 × 28
        self.layer3 = stage(block, widths[1], widths[2], depths[2], stride=2)  # 1024 × 14 × 14
        self.layer4 = stage(block, widths[2], widths[3], depths[3], stride=2)  # 2048 × 7 × 7
        self.avgpool = nn.AdaptiveAvgPool2d(1)  #                                2048 × 1 × 1
        self.fc = nn.Linear(widths[3], num_classes)
        he_init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to scores (N, num_classes)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


_BASIC_WIDTHS = (64, 128, 256, 512)
BOTTLENECK_WIDTHS = (256, 512, 1024, 2048)


def resnet18(num_classes: int = 1000) -> ResNet:
    """ResNet-18: basic blocks, 2 + 2 + 2 + 2 (11,689,512 parameters).

    Parameters
    ----------
    num_classes : int
        Number of classes.

    Returns
    -------
    ResNet
        Takes images (N, 3, H, W), made for 224 × 224, gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If `num_classes` is not a positive whole number.
    """
    return ResNet(BasicBlock, (2, 2, 2, 2), _BASIC_WIDTHS, num_classes)


def resnet34(num_classes: int = 1000) -> ResNet:
    """ResNet-34: basic blocks, 3 + 4 + 6 + 3 (21,797,672 parameters). See `resnet18` for the argument."""
    return ResNet(BasicBlock, (3, 4, 6, 3), _BASIC_WIDTHS, num_classes)


def resnet50(num_classes: int = 1000) -> ResNet:
    """ResNet-50: bottlenecks, 3 + 4 + 6 + 3 (25,557,032 parameters). See `resnet18` for the argument."""
    return ResNet(Bottleneck, (3, 4, 6, 3), BOTTLENECK_WIDTHS, num_classes)


def resnet152(num_classes: int = 1000) -> ResNet:
    """ResNet-152: bottlenecks, 3 + 8 + 36 + 3 (60,192,808 parameters). See `resnet18` for the argument."""
    return ResNet(Bottleneck, (3, 8, 36, 3), BOTTLENECK_WIDTHS, num_classes)


def from_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of torchvision's ResNets and ResNeXts: the two paths of a block get a name each."""
    return rename(
        state_dict,
        (r"^(layer\d\.\d+)\.(conv|bn)", r"\1.residual.\2"),
        (r"\.downsample\.0\.", ".shortcut.conv."),
        (r"\.downsample\.1\.", ".shortcut.bn."),
    )
