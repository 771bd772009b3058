"""Depthwise convolution, and the pointwise one that completes it."""

import torch
from torch import Tensor

from .arguments import Ints, Padding, check_bias, check_channels, check_kernel, check_tensors
from .pointwise import pointwise_conv2d
from .standard import conv2d


def depthwise_conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
) -> Tensor:
    r"""Convolve every channel with a kernel of its own: neighbours are mixed, channels are not.

    Parameters
    ----------
    input
        Images, ``(N, C, H, W)`` or ``(C, H, W)``.
    weight
        ``(m * C, 1, kH, kW)``: `m` kernels for each channel, those of the first channel first.
    bias
        One number for each output channel, ``(m * C,)``.
    stride, padding, dilation
        As in :func:`conv2d`.

    Returns
    -------
    Tensor
        ``(N, m * C, H_out, W_out)``, equal to ``torch.nn.functional.conv2d(..., groups=C)``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Howard et al., *MobileNets*, 2017, section 3.1.
    """
    form = "depthwise_conv2d"
    check_tensors(form, 2, input, bias, weight=weight)
    channels, kernels = input.shape[-3], weight.shape[0]
    if weight.shape[1] != 1 or kernels % channels:
        raise ValueError(
            f"{form}: weight must be (m * C, 1, kH, kW) for the C = {channels} channels of input, "
            f"got shape {tuple(weight.shape)}"
        )
    check_bias(form, bias, kernels)

    multiplier = kernels // channels
    outputs = []
    for o in range(kernels):
        c = o // multiplier
        outputs.append(
            conv2d(input[..., c : c + 1, :, :], weight[o : o + 1], None, stride, padding, dilation)
        )
    output = torch.cat(outputs, dim=-3)
    return output if bias is None else output + bias[:, None, None]


def depthwise_separable_conv2d(
    input: Tensor,
    depthwise: Tensor,
    pointwise: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
) -> Tensor:
    r"""Split a convolution in two: first over neighbours (depthwise), then over channels (pointwise).

    ``C_in * k * k + C_in * C_out`` weights stand for ``C_in * C_out * k * k``: the cost falls to
    ``1 / C_out + 1 / k**2`` of the ordinary convolution.

    Parameters
    ----------
    input
        Images, ``(N, C_in, H, W)`` or ``(C_in, H, W)``.
    depthwise
        ``(m * C_in, 1, kH, kW)``.
    pointwise
        ``(C_out, m * C_in, 1, 1)``.
    bias
        One number for each output channel, ``(C_out,)``. A bias after the depthwise half would add nothing:
        the pointwise half turns it into a constant for each output channel.
    stride, padding, dilation
        Those of the depthwise half.

    Returns
    -------
    Tensor
        ``(N, C_out, H_out, W_out)``, equal to two calls of ``torch.nn.functional.conv2d``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Chollet, *Xception: deep learning with depthwise separable convolutions*, CVPR 2017.
    Howard et al., *MobileNets*, 2017, section 3.1.
    """
    form = "depthwise_separable_conv2d"
    check_tensors(form, 2, input, bias, depthwise=depthwise, pointwise=pointwise)
    check_kernel(form, "pointwise", pointwise, "1×1")
    check_channels(
        form,
        "pointwise",
        pointwise,
        depthwise.shape[0],
        f"the output of depthwise of shape {tuple(depthwise.shape)}",
    )
    filtered = depthwise_conv2d(input, depthwise, None, stride, padding, dilation)
    return pointwise_conv2d(filtered, pointwise, bias)
