"""1×1 convolution: channels are mixed, neighbours are not."""

import torch
from torch import Tensor

from .arguments import Ints, check_bias, check_channels, check_kernel, check_tensors, per_axis


def pointwise_conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1) -> Tensor:
    r"""Give every pixel's channels to one and the same linear layer.

    .. math:: y_{o,i,j} = b_o + \sum_c w_{o,c}\; x_{c,\; i s,\; j s}

    Parameters
    ----------
    input
        Images, ``(N, C_in, H, W)`` or ``(C_in, H, W)``.
    weight
        ``(C_out, C_in, 1, 1)``; without its two last axes it is the matrix of an ``nn.Linear(C_in, C_out)``.
    bias
        One number for each output channel, ``(C_out,)``.
    stride
        Keep every `stride`-th pixel; an int or a pair.

    Returns
    -------
    Tensor
        ``(N, C_out, ceil(H / s), ceil(W / s))``, equal to ``torch.nn.functional.conv2d``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Lin, Chen & Yan, *Network in network*, ICLR 2014, section 3.1.
    """
    form = "pointwise_conv2d"
    check_tensors(form, 2, input, bias, weight=weight)
    check_kernel(form, "weight", weight, "1×1")
    check_channels(form, "weight", weight, input.shape[-3], f"input of shape {tuple(input.shape)}")
    check_bias(form, bias, weight.shape[0])
    s_h, s_w = per_axis(form, "stride", stride, 2)

    pixels = input[..., ::s_h, ::s_w]
    output = torch.einsum("...cij,oc->...oij", pixels, weight[:, :, 0, 0])
    return output if bias is None else output + bias[:, None, None]
