"""Spatially separable and flattened convolution: one kernel as a product of one-dimensional ones."""

from torch import Tensor

from .arguments import Ints, Padding, check_channels, check_kernel, check_tensors, per_axis
from .standard import conv2d, conv3d


def spatially_separable_conv2d(
    input: Tensor,
    column: Tensor,
    row: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
) -> Tensor:
    r"""Convolve down the columns, then along the rows.

    With one channel this is the convolution by the kernel ``column @ row``, whose rank is 1: ``2k`` weights
    stand for ``k * k``. With channels in between the kernel is :math:`w_{o,c,u,v} = \sum_m row_{o,m,v}\,
    column_{m,c,u}`.

    Parameters
    ----------
    input
        Images, ``(N, C_in, H, W)`` or ``(C_in, H, W)``.
    column
        ``(C_mid, C_in, kH, 1)``.
    row
        ``(C_out, C_mid, 1, kW)``.
    bias
        One number for each output channel, ``(C_out,)``.
    stride, padding, dilation
        As in :func:`conv2d`. Their first number acts with `column`, their second with `row`.

    Returns
    -------
    Tensor
        ``(N, C_out, H_out, W_out)``, equal to two calls of ``torch.nn.functional.conv2d`` and to one with the
        product kernel.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Jaderberg, Vedaldi & Zisserman, *Speeding up CNNs with low rank expansions*, BMVC 2014.
    Szegedy et al., *Rethinking the Inception architecture for computer vision*, CVPR 2016, section 3.2.
    """
    form = "spatially_separable_conv2d"
    check_tensors(form, 2, input, bias, column=column, row=row)
    check_kernel(form, "column", column, "k×1")
    check_kernel(form, "row", row, "1×k")
    check_channels(form, "column", column, input.shape[-3], f"input of shape {tuple(input.shape)}")
    check_channels(form, "row", row, column.shape[0], f"the output of column of shape {tuple(column.shape)}")
    s_h, s_w = per_axis(form, "stride", stride, 2)
    d_h, d_w = per_axis(form, "dilation", dilation, 2)
    # 'same' and 'valid' mean the same in both directions: a kernel one cell wide needs no padding.
    named = isinstance(padding, str)
    p_h, p_w = (0, 0) if named else per_axis(form, "padding", padding, 2, least=0)

    down = conv2d(input, column, None, (s_h, 1), padding if named else (p_h, 0), (d_h, 1))
    return conv2d(down, row, bias, (1, s_w), padding if named else (0, p_w), (1, d_w))


def flattened_conv3d(
    input: Tensor,
    depth: Tensor,
    column: Tensor,
    row: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
) -> Tensor:
    r"""Convolve in three directions in turn, each time in one dimension: depth, height, width.

    With one channel a ``k * k * k`` kernel is the product of three vectors, ``3k`` weights. In the paper the
    three directions are an image's channels, height and width: read the channels as the depth of a volume and
    let `depth` span all of it.

    Parameters
    ----------
    input
        Volumes, ``(N, C_in, D, H, W)`` or ``(C_in, D, H, W)``.
    depth
        ``(C_1, C_in, kD, 1, 1)``.
    column
        ``(C_2, C_1, 1, kH, 1)``.
    row
        ``(C_out, C_2, 1, 1, kW)``.
    bias
        One number for each output channel, ``(C_out,)``.
    stride, padding, dilation
        As in :func:`conv3d`. Their numbers act with `depth`, `column` and `row`, in this order.

    Returns
    -------
    Tensor
        ``(N, C_out, D_out, H_out, W_out)``, equal to three calls of ``torch.nn.functional.conv3d`` and to one
        with the product kernel.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Jin, Dundar & Culurciello, *Flattened convolutional neural networks for feedforward acceleration*, 2014.
    """
    form = "flattened_conv3d"
    check_tensors(form, 3, input, bias, depth=depth, column=column, row=row)
    check_kernel(form, "depth", depth, "k×1×1")
    check_kernel(form, "column", column, "1×k×1")
    check_kernel(form, "row", row, "1×1×k")
    check_channels(form, "depth", depth, input.shape[-4], f"input of shape {tuple(input.shape)}")
    check_channels(
        form, "column", column, depth.shape[0], f"the output of depth of shape {tuple(depth.shape)}"
    )
    check_channels(form, "row", row, column.shape[0], f"the output of column of shape {tuple(column.shape)}")
    s_d, s_h, s_w = per_axis(form, "stride", stride, 3)
    d_d, d_h, d_w = per_axis(form, "dilation", dilation, 3)
    named = isinstance(padding, str)
    p_d, p_h, p_w = (0, 0, 0) if named else per_axis(form, "padding", padding, 3, least=0)

    inward = conv3d(input, depth, None, (s_d, 1, 1), padding if named else (p_d, 0, 0), (d_d, 1, 1))
    down = conv3d(inward, column, None, (1, s_h, 1), padding if named else (0, p_h, 0), (1, d_h, 1))
    return conv3d(down, row, bias, (1, 1, s_w), padding if named else (0, 0, p_w), (1, 1, d_w))
