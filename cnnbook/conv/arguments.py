"""What every form asks of its arguments: one place for window arithmetic, padding and plain errors."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

Ints = int | Sequence[int]
Padding = Ints | str

AXES = {2: ("height", "width"), 3: ("depth", "height", "width")}
LAYOUT = {2: "(N, C, H, W) or (C, H, W)", 3: "(N, C, D, H, W) or (C, D, H, W)"}


def window(index: int, kernel: int, stride: int, dilation: int) -> slice:
    """Return the slice of the input that output cell `index` looks at, along one axis.

    It starts at ``index * stride`` and takes `kernel` cells, `dilation` apart.
    """
    start = index * stride
    return slice(start, start + dilation * (kernel - 1) + 1, dilation)


def per_axis(form: str, name: str, value: Ints, axes: int, least: int = 1) -> tuple[int, ...]:
    """Return `value` as one integer for each axis: an int stands for all of them."""
    values = (value,) * axes if isinstance(value, int) else value
    ok = (
        isinstance(values, Sequence)
        and len(values) == axes
        and all(isinstance(v, int) and not isinstance(v, bool) and v >= least for v in values)
    )
    if not ok:
        raise ValueError(f"{form}: {name} must be an int >= {least} or {axes} of them, got {value!r}")
    return tuple(values)


def padding_amounts(
    form: str, padding: Padding, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[tuple[int, int]]:
    """Return how many zeros go before and after the input, for each axis."""
    if padding == "valid":
        padding = 0
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ValueError(f"{form}: padding='same' needs stride 1, got stride {tuple(stride)}")
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    if isinstance(padding, str):
        raise ValueError(f"{form}: padding must be ints, 'valid' or 'same', got {padding!r}")
    return [(p, p) for p in per_axis(form, "padding", padding, len(kernel), least=0)]


def check_tensors(form: str, axes: int, input: Tensor, bias: Tensor | None, **weights: Tensor) -> None:
    """Raise unless `input`, `bias` and the named weights are tensors of the right rank and of one dtype."""
    check_tensor(form, "input", input)
    if input.dim() not in (axes + 1, axes + 2):
        raise ValueError(f"{form}: input must be {LAYOUT[axes]}, got shape {tuple(input.shape)}")
    for name, weight in weights.items():
        check_weight(form, axes, name, weight)
    if bias is not None:
        check_tensor(form, "bias", bias)
        weights["bias"] = bias
    for name, tensor in weights.items():
        if tensor.dtype != input.dtype:
            raise TypeError(
                f"{form}: {name} is {tensor.dtype} but input is {input.dtype}; convert one of them"
            )


def check_tensor(form: str, name: str, value: object) -> None:
    """Raise unless `value` is a tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{form}: {name} must be a torch.Tensor, got {type(value).__name__}")


def check_weight(form: str, axes: int, name: str, weight: Tensor) -> None:
    """Raise unless `weight` is a tensor of kernels with two channel axes in front."""
    check_tensor(form, name, weight)
    if weight.dim() != axes + 2 or 0 in weight.shape:
        raise ValueError(
            f"{form}: {name} must have {axes + 2} axes, two of channels and then the kernel's "
            f"{', '.join(AXES[axes])}, none of them empty; got shape {tuple(weight.shape)}"
        )


def check_channels(form: str, name: str, weight: Tensor, channels: int, source: str) -> None:
    """Raise unless `weight` takes as many input channels as `source` offers."""
    if weight.shape[1] != channels:
        raise ValueError(
            f"{form}: {name} of shape {tuple(weight.shape)} takes {weight.shape[1]} input channels, "
            f"but {source} has {channels}"
        )


def check_kernel(form: str, name: str, weight: Tensor, kernel: str) -> None:
    """Raise unless the kernel is 1 wide where the pattern says so, as in ``"k×1"``."""
    if any(want == "1" and size != 1 for want, size in zip(kernel.split("×"), weight.shape[2:], strict=True)):
        raise ValueError(f"{form}: {name} must hold {kernel} kernels, got shape {tuple(weight.shape)}")


def check_bias(form: str, bias: Tensor | None, channels: int) -> None:
    """Raise unless `bias` has one number for each output channel."""
    if bias is not None and tuple(bias.shape) != (channels,):
        raise ValueError(
            f"{form}: bias must have shape ({channels},), one number for each output channel; "
            f"got {tuple(bias.shape)}"
        )


def prepare(
    form: str,
    axes: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Ints,
    padding: Padding,
    dilation: Ints,
) -> tuple[Tensor, list[int], tuple[int, ...], tuple[int, ...]]:
    """Check the arguments of an ordinary convolution and pad its input.

    Returns
    -------
    tuple
        The padded input, then the output size, the stride and the dilation of each axis. The output size is
        ``floor((n + 2p - d(k - 1) - 1) / s) + 1`` (Dumoulin & Visin, 2016, relationship 15).
    """
    check_tensors(form, axes, input, bias, weight=weight)
    check_channels(form, "weight", weight, input.shape[-axes - 1], f"input of shape {tuple(input.shape)}")
    check_bias(form, bias, weight.shape[0])
    kernel = weight.shape[2:]
    stride = per_axis(form, "stride", stride, axes)
    dilation = per_axis(form, "dilation", dilation, axes)
    amounts = padding_amounts(form, padding, kernel, stride, dilation)

    # F.pad lists the last axis first.
    padded = F.pad(input, [amount for pair in reversed(amounts) for amount in pair])
    sizes = []
    for name, n, k, s, d in zip(AXES[axes], padded.shape[-axes:], kernel, stride, dilation, strict=True):
        span = d * (k - 1) + 1
        if n < span:
            raise ValueError(
                f"{form}: the kernel spans {span} cells in {name} (size {k}, dilation {d}), "
                f"but the padded input has only {n}; enlarge the input or the padding"
            )
        sizes.append((n - span) // s + 1)
    return padded, sizes, stride, dilation
