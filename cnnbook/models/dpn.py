"""DPN: a residual path to reuse features and a dense path to find new ones, in one block.

Chen, Li, Xiao, Jin, Yan and Feng, "Dual path networks", NIPS 2017 (arXiv:1707.01629): figure 2 (d and e),
table 1 (DPN-92). DPN-68 is from the authors' later release.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ._common import check_positive_int, conv_bn, he_init, rename, sequential

_EPS = 1e-3  # of every batch norm, as in the authors' release


class DualPathBlock(nn.Module):
    """One bottleneck whose output is split: a part is added to the input, the rest is put behind it.

    The channels of a map are [residual path | dense path]. The residual path keeps its width, the dense path
    grows by `growth` channels a block.

    Parameters
    ----------
    in_channels : int
        Channels of both paths together.
    residual : int
        Channels of the residual path.
    growth : int
        Channels that the dense path grows by.
    width, groups : int
        Channels and groups of the 3 × 3 convolution.
    stride : int
        Stride of the 3 × 3 convolution.
    project : bool
        Whether the block begins a stage: a 1 × 1 convolution then gives both paths a new width and size, and
        the dense path starts from 2 × growth channels.
    """

    def __init__(
        self,
        in_channels: int,
        residual: int,
        growth: int,
        width: int,
        groups: int,
        stride: int,
        project: bool,
    ) -> None:
        super().__init__()
        self.residual = residual
        self.shortcut = (
            _bn_relu_conv(in_channels, residual + 2 * growth, 1, stride) if project else nn.Identity()
        )
        self.bottleneck = sequential(
            a=_bn_relu_conv(in_channels, width, 1),
            b=_bn_relu_conv(width, width, 3, stride, groups),
            c=_bn_relu_conv(width, residual + growth, 1),
        )
        dense = 2 * growth if project else in_channels - residual
        self.out_channels = residual + dense + growth

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        old, new = self.shortcut(x), self.bottleneck(x)
        added = old[:, : self.residual] + new[:, : self.residual]
        return torch.cat([added, old[:, self.residual :], new[:, self.residual :]], dim=1)


def _bn_relu_conv(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    padding = kernel_size // 2
    return sequential(
        bn=nn.BatchNorm2d(in_channels, eps=_EPS),
        relu=nn.ReLU(),
        conv=nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False),
    )


def _dpn(
    stem: nn.Sequential,
    depths: Sequence[int],
    growths: Sequence[int],
    residual: int,
    width: int,
    groups: int,
    num_classes: int,
) -> nn.Sequential:
    check_positive_int("num_classes", num_classes)
    channels = stem.conv.out_channels
    layers: dict[str, nn.Module] = {"conv1": stem, "pool1": nn.MaxPool2d(3, stride=2, padding=1)}
    for i, (depth, growth) in enumerate(zip(depths, growths, strict=True)):
        blocks = []
        for j in range(depth):
            stride = 2 if i > 0 and j == 0 else 1
            block = DualPathBlock(
                channels, residual * 2**i, growth, width * 2**i, groups, stride, project=j == 0
            )
            channels = block.out_channels
            blocks.append(block)
        layers[f"conv{i + 2}"] = nn.Sequential(*blocks)
    model = sequential(
        **layers,
        bn5=nn.BatchNorm2d(channels, eps=_EPS),
        relu5=nn.ReLU(),
        avgpool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        classifier=nn.Linear(channels, num_classes),
    )
    he_init(model)
    return model


def dpn68(num_classes: int = 1000) -> nn.Sequential:
    """DPN-68, the small one: 3 + 4 + 12 + 3 blocks (12,611,602 parameters).

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
    return _dpn(
        stem=conv_bn(3, 10, kernel_size=3, stride=2, eps=_EPS),
        depths=(3, 4, 12, 3),
        growths=(16, 32, 32, 64),
        residual=64,  # 64, 128, 256, 512
        width=128,  # 128, 256, 512, 1024
        groups=32,
        num_classes=num_classes,
    )


def dpn92(num_classes: int = 1000) -> nn.Sequential:
    """DPN-92 (32 × 3d), table 1: 3 + 4 + 20 + 3 blocks (37,668,392 parameters).

    See `dpn68` for the argument.
    """
    return _dpn(
        stem=conv_bn(3, 64, kernel_size=7, stride=2, eps=_EPS),  #   64 × 112 × 112, 64 × 56 × 56 after pool1
        depths=(3, 4, 20, 3),
        growths=(16, 32, 24, 128),  # to 336 × 56 × 56, 704 × 28 × 28, 1552 × 14 × 14, 2688 × 7 × 7
        residual=256,  # 256, 512, 1024, 2048
        width=96,  # 96, 192, 384, 768
        groups=32,
        num_classes=num_classes,
    )


def from_timm(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of timm's `dpn68` or `dpn92`; its last 1 × 1 convolution is our linear layer."""
    renamed = rename(
        state_dict,
        (r"^features\.conv1_1\.", "conv1."),
        (r"^features\.conv5_bn_ac\.bn\.", "bn5."),
        (r"\.c1x1_w_s[12]\.", ".shortcut."),
        (r"\.c1x1_a\.", ".bottleneck.a."),
        (r"\.c3x3_b\.", ".bottleneck.b."),
        (r"\.c1x1_c\.", ".bottleneck.c."),
        # timm counts the blocks of a stage from 1
        *((rf"^features\.conv(\d)_{i + 1}\.", rf"conv\1.{i}.") for i in range(20)),
    )
    return {key: t.flatten(1) if key == "classifier.weight" else t for key, t in renamed.items()}
