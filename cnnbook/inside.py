"""A small trained network to look into: its weights, ten pictures, and what every layer answers.

    net = small_net()
    x = to_input(stored()["pictures"])      # (10, 3, 32, 32)
    maps = feature_maps(net, x)             # four tensors (10, C, H, W)

`bench/inside.py` trained it on CIFAR-10 (A. Krizhevsky, 2009) and stored the weights in eight bits, the first
test picture of each class, and the patches of the test set that excite some channels most.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from cnnbook.models._common import sequential
from cnnbook.results import FOLDER

__all__ = [
    "FILE",
    "KERNELS",
    "LAYERS",
    "WIDTHS",
    "build",
    "feature_maps",
    "fold",
    "quantize",
    "receptive_field",
    "restore",
    "small_net",
    "stored",
    "to_input",
    "window",
]

FILE = FOLDER / "inside.npz"
WIDTHS = (16, 24, 32, 48)  # channels of the four convolutions
KERNELS = (5, 3, 3, 3)
LAYERS = ("conv1", "conv2", "conv3", "conv4", "fc")
POOLED = (False, True, True, False)  # whether a 2 × 2 maximum stands before the convolution


def build(norm: bool = False) -> nn.Sequential:
    """Return the network with random weights: four convolutions, the mean over the map, a linear head.

    Parameters
    ----------
    norm : bool
        Whether batch normalisation follows each convolution. It helps to train; afterwards it is folded into
        the convolution before it.
    """
    layers: dict[str, nn.Module] = {}
    channels = 3
    for i, (width, kernel, pooled) in enumerate(zip(WIDTHS, KERNELS, POOLED, strict=True), start=1):
        if pooled:
            layers[f"pool{i - 1}"] = nn.MaxPool2d(2)
        layers[f"conv{i}"] = nn.Conv2d(channels, width, kernel, padding=kernel // 2)
        if norm:
            layers[f"norm{i}"] = nn.BatchNorm2d(width)
        layers[f"relu{i}"] = nn.ReLU()
        channels = width
    return sequential(
        **layers, mean=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(channels, 10)
    )


def quantize(net: nn.Sequential) -> dict[str, np.ndarray]:
    """Round the weights of `build()` to eight bits: whole numbers, times a scale an output channel.

    Returns
    -------
    dict of str to ndarray
        For each of `LAYERS` its ``.weight``, int8 from -127 to 127, ``.scale`` and ``.bias``, float16.
    """
    arrays = {}
    for name in LAYERS:
        layer = net.get_submodule(name)
        weight = layer.weight.detach()
        scale = (weight.flatten(1).abs().amax(dim=1) / 127).half()
        whole = (weight / _along(scale, weight.ndim)).round().clamp(-127, 127)
        arrays[f"{name}.weight"] = whole.to(torch.int8).numpy()
        arrays[f"{name}.scale"] = scale.numpy()
        arrays[f"{name}.bias"] = layer.bias.detach().half().numpy()
    return arrays


def restore(arrays: dict[str, np.ndarray]) -> nn.Sequential:
    """Return the network of what `quantize` gave, in eval mode and in single precision."""
    net = build()
    for name in LAYERS:
        whole, scale, bias = (
            torch.from_numpy(arrays[f"{name}.{part}"]) for part in ("weight", "scale", "bias")
        )
        weight = whole.float() * _along(scale, whole.ndim)
        net.get_submodule(name).load_state_dict({"weight": weight, "bias": bias.float()})
    return net.eval()


def _along(scale: Tensor, dimensions: int) -> Tensor:
    """Shape one number an output channel so that it multiplies weights."""
    return scale.float().view(-1, *[1] * (dimensions - 1))


@lru_cache(maxsize=1)
def stored() -> dict[str, np.ndarray]:
    """Return the stored arrays: what `quantize` gave, ``pictures`` and the patches."""
    with np.load(FILE, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def small_net() -> nn.Sequential:
    """Return the trained network, in eval mode and in single precision."""
    return restore(stored())


def to_input(pictures: np.ndarray | Tensor) -> Tensor:
    """Map bytes (N, 3, H, W) to what the network takes: v / 128 − 1, from −1 to about 1."""
    return torch.as_tensor(pictures).float() / 128 - 1


def feature_maps(net: nn.Sequential, x: Tensor) -> list[Tensor]:
    """Return the feature maps behind each ReLU of `net`: one (N, C, H, W) a convolution."""
    maps = []
    for layer in net:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            maps.append(x)
    return maps


def receptive_field(layer: int) -> tuple[int, int, int]:
    """Return how a cell of convolution `layer` (1 to 4) looks at the picture.

    Returns
    -------
    size, step, start : int
        Cell (i, j) sees the square of `size` pixels whose first row is ``start + step * i`` and whose first
        column is ``start + step * j``. Rows below 0 and above 31 are padding.
    """
    if layer not in range(1, len(WIDTHS) + 1):
        raise ValueError(f"layer must be 1 to {len(WIDTHS)}, not {layer}")
    size, step, start = 1, 1, 0
    for kernel, pooled in zip(KERNELS[:layer], POOLED[:layer], strict=True):
        if pooled:
            size, step = size + step, 2 * step
        size, start = size + (kernel - 1) * step, start - kernel // 2 * step
    return size, step, start


def window(picture: np.ndarray, layer: int, row: int, col: int) -> np.ndarray:
    """Cut out of a picture (3, 32, 32) what a cell of convolution `layer` sees; padding is grey."""
    size, step, start = receptive_field(layer)
    top, left = start + step * row, start + step * col
    padded = np.pad(picture, ((0, 0), (size, size), (size, size)), constant_values=128)
    return padded[:, top + size : top + 2 * size, left + size : left + 2 * size]


def fold(net: nn.Sequential) -> nn.Sequential:
    """Turn a trained network of ``build(norm=True)`` into the one of `build()` that computes the same."""
    folded = build()
    for i in range(1, len(WIDTHS) + 1):
        conv, norm = net.get_submodule(f"conv{i}"), net.get_submodule(f"norm{i}")
        weight, bias = nn.utils.fusion.fuse_conv_bn_weights(
            conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )
        folded.get_submodule(f"conv{i}").load_state_dict({"weight": weight, "bias": bias})
    folded.fc.load_state_dict(net.fc.state_dict())
    return folded.eval()
