"""Ordinary convolution: over one channel or many, in two directions or three."""

import torch
from torch import Tensor

from .arguments import Ints, Padding, prepare, window


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
) -> Tensor:
    r"""Convolve images: lay the kernel on a window, multiply cell by cell, add everything up.

    .. math:: y_{o,i,j} = b_o + \sum_c \sum_u \sum_v w_{o,c,u,v}\; x_{c,\; i s + u d,\; j s + v d}

    Parameters
    ----------
    input
        Images, ``(N, C_in, H, W)`` or ``(C_in, H, W)``; padded with zeros to give ``x``.
    weight
        Kernels, ``(C_out, C_in, kH, kW)``: one stack of ``C_in`` kernels for each output channel.
    bias
        One number for each output channel, ``(C_out,)``.
    stride, dilation
        Step between windows and between the cells of a window; an int or a pair.
    padding
        Zeros around the image; an int, a pair, ``'valid'`` (none) or ``'same'`` (output as large as the
        input).

    Returns
    -------
    Tensor
        ``(N, C_out, H_out, W_out)`` with ``H_out = floor((H + 2p - d(kH - 1) - 1) / s) + 1``.
        Equal to ``torch.nn.functional.conv2d``; for ``groups`` see :func:`grouped_conv2d`.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Dumoulin & Visin, *A guide to convolution arithmetic for deep learning*, 2016, chapter 2.
    """
    x, (out_h, out_w), (s_h, s_w), (d_h, d_w) = prepare(
        "conv2d", 2, input, weight, bias, stride, padding, dilation
    )
    c_out, _, k_h, k_w = weight.shape

    output = x.new_zeros(*x.shape[:-3], c_out, out_h, out_w)
    for i in range(out_h):
        for j in range(out_w):
            patch = x[..., window(i, k_h, s_h, d_h), window(j, k_w, s_w, d_w)]  # (N, C_in, kH, kW)
            output[..., i, j] = torch.einsum("...cuv,ocuv->...o", patch, weight)
    return output if bias is None else output + bias[:, None, None]


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
) -> Tensor:
    r"""Convolve volumes: the window moves in depth too, so that the output keeps a depth.

    .. math:: y_{o,t,i,j} = b_o + \sum_{c,r,u,v} w_{o,c,r,u,v}\; x_{c,\; t s + r d,\; i s + u d,\; j s + v d}

    Parameters
    ----------
    input
        Volumes, ``(N, C_in, D, H, W)`` or ``(C_in, D, H, W)``.
    weight
        Kernels, ``(C_out, C_in, kD, kH, kW)``. Channels are summed over, as in 2D; depth is not.
    bias
        One number for each output channel, ``(C_out,)``.
    stride, padding, dilation
        As in :func:`conv2d`; an int or a triple (depth, height, width).

    Returns
    -------
    Tensor
        ``(N, C_out, D_out, H_out, W_out)``, equal to ``torch.nn.functional.conv3d``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Ji, Xu, Yang & Yu, *3D convolutional neural networks for human action recognition*, TPAMI 2013.
    """
    x, (out_d, out_h, out_w), (s_d, s_h, s_w), (d_d, d_h, d_w) = prepare(
        "conv3d", 3, input, weight, bias, stride, padding, dilation
    )
    c_out, _, k_d, k_h, k_w = weight.shape

    output = x.new_zeros(*x.shape[:-4], c_out, out_d, out_h, out_w)
    for t in range(out_d):
        for i in range(out_h):
            for j in range(out_w):
                block = x[..., window(t, k_d, s_d, d_d), window(i, k_h, s_h, d_h), window(j, k_w, s_w, d_w)]
                output[..., t, i, j] = torch.einsum("...cruv,ocruv->...o", block, weight)
    return output if bias is None else output + bias[:, None, None, None]
