"""Transposed convolution, and the matrix whose transpose gave it its name."""

import torch
from torch import Tensor

from .arguments import (
    AXES,
    Ints,
    Padding,
    check_bias,
    check_tensors,
    check_weight,
    padding_amounts,
    per_axis,
    prepare,
    window,
)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    *,
    dilation: Ints = 1,
) -> Tensor:
    r"""Let every input cell stamp its kernel, scaled by the cell's value, into a larger output.

    Stamps lie `stride` apart and add up where they overlap. `padding` cuts cells off the border: it is the
    padding of the convolution that this one runs backwards. The shapes are those of that convolution
    reversed; its values do not come back, so the name "deconvolution" misleads.

    Parameters
    ----------
    input
        ``(N, C_in, H, W)`` or ``(C_in, H, W)``.
    weight
        ``(C_in, C_out, kH, kW)``: input channels come first here.
    bias
        One number for each output channel, ``(C_out,)``.
    stride, padding, dilation
        Those of the convolution that is transposed; an int or a pair. `dilation` is a keyword because PyTorch
        puts ``groups`` before it.
    output_padding
        Rows and columns added at the bottom and right: for a stride above 1 several input sizes of a
        convolution share one output size, and this picks one of them. Smaller than the stride or the
        dilation.

    Returns
    -------
    Tensor
        ``(N, C_out, H_out, W_out)`` with ``H_out = (H - 1)s - 2p + d(kH - 1) + output_padding + 1``.
        Equal to ``torch.nn.functional.conv_transpose2d``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Dumoulin & Visin, *A guide to convolution arithmetic for deep learning*, 2016, chapter 4.
    Odena, Dumoulin & Olah, *Deconvolution and checkerboard artifacts*, Distill 2016.
    """
    form = "conv_transpose2d"
    check_tensors(form, 2, input, bias, weight=weight)
    c_in, c_out, k_h, k_w = weight.shape
    if c_in != input.shape[-3]:
        raise ValueError(
            f"{form}: weight of shape {tuple(weight.shape)} is (C_in, C_out, kH, kW) and takes {c_in} input "
            f"channels, but input of shape {tuple(input.shape)} has {input.shape[-3]}"
        )
    check_bias(form, bias, c_out)
    s_h, s_w = stride = per_axis(form, "stride", stride, 2)
    p_h, p_w = padding = per_axis(form, "padding", padding, 2, least=0)
    d_h, d_w = dilation = per_axis(form, "dilation", dilation, 2)
    extra_h, extra_w = extra = per_axis(form, "output_padding", output_padding, 2, least=0)
    for name, e, s, d in zip(AXES[2], extra, stride, dilation, strict=True):
        if e >= max(s, d):
            raise ValueError(
                f"{form}: output_padding {e} in {name} must be smaller than the stride ({s}) "
                f"or the dilation ({d})"
            )

    h, w = input.shape[-2:]
    full_h = (h - 1) * s_h + d_h * (k_h - 1) + extra_h + 1
    full_w = (w - 1) * s_w + d_w * (k_w - 1) + extra_w + 1
    for name, full, p in zip(AXES[2], (full_h, full_w), padding, strict=True):
        if full <= 2 * p:
            raise ValueError(f"{form}: padding {p} cuts away all {full} cells of the output in {name}")

    output = input.new_zeros(*input.shape[:-3], c_out, full_h, full_w)
    for i in range(h):
        for j in range(w):
            stamp = torch.einsum("...c,couv->...ouv", input[..., i, j], weight)  # (N, C_out, kH, kW)
            output[..., window(i, k_h, s_h, d_h), window(j, k_w, s_w, d_w)] += stamp
    output = output[..., p_h : full_h - p_h, p_w : full_w - p_w]
    return output if bias is None else output + bias[:, None, None]


def conv_matrix(
    weight: Tensor,
    input_size: tuple[int, int],
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
) -> Tensor:
    r"""Write a convolution as a matrix ``C`` with one row for each output cell.

    The output is ``C @ x.flatten()``. A row holds the kernel where its window lies and zeros elsewhere, so
    ``C`` is sparse. ``C.T @ y`` is the transposed convolution of ``y``: it carries every output cell back to
    the cells it came from. ``C.T @ C`` is not the identity.

    Parameters
    ----------
    weight
        One kernel ``(kH, kW)``, or kernels ``(C_out, C_in, kH, kW)``.
    input_size
        Height and width of the image.
    stride, padding, dilation
        As in :func:`conv2d`.

    Returns
    -------
    Tensor
        ``(C_out * H_out * W_out, C_in * H * W)``; for a 3×3 kernel on a 4×4 image ``(4, 16)``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Dumoulin & Visin, *A guide to convolution arithmetic for deep learning*, 2016, section 4.1.
    """
    form = "conv_matrix"
    if isinstance(weight, Tensor) and weight.dim() == 2:
        weight = weight[None, None]
    h, w = per_axis(form, "input_size", input_size, 2)
    check_weight(form, 2, "weight", weight)
    c_out, c_in, k_h, k_w = weight.shape
    x, (out_h, out_w), (s_h, s_w), (d_h, d_w) = prepare(
        form, 2, weight.new_zeros(c_in, h, w), weight, None, stride, padding, dilation
    )
    (top, _), (left, _) = padding_amounts(form, padding, (k_h, k_w), (s_h, s_w), (d_h, d_w))

    rows = []
    for o in range(c_out):
        for i in range(out_h):
            for j in range(out_w):
                row = torch.zeros_like(x)
                row[:, window(i, k_h, s_h, d_h), window(j, k_w, s_w, d_w)] = weight[o]
                rows.append(row[:, top : top + h, left : left + w].flatten())
    return torch.stack(rows)
