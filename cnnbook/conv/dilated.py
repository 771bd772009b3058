"""Dilated (atrous) convolution: a kernel with holes sees farther with the same weights."""

from torch import Tensor

from .arguments import Ints, Padding, check_tensors, per_axis
from .standard import conv2d


def dilated_conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
) -> Tensor:
    r"""Spread the kernel out with ``dilation - 1`` zeros between its cells, then convolve as usual.

    A kernel of size ``k`` comes to span ``d(k - 1) + 1`` cells and still has ``k`` weights along an axis.
    :func:`conv2d` does the same by stepping through the input; here the holes ("trous") are in sight.

    Parameters
    ----------
    input, weight, bias, stride, padding
        As in :func:`conv2d`.
    dilation
        Distance between neighbouring cells of the kernel; an int or a pair.

    Returns
    -------
    Tensor
        ``(N, C_out, H_out, W_out)``, equal to ``torch.nn.functional.conv2d(..., dilation=dilation)``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Yu & Koltun, *Multi-scale context aggregation by dilated convolutions*, ICLR 2016, section 2.
    """
    form = "dilated_conv2d"
    check_tensors(form, 2, input, bias, weight=weight)
    d_h, d_w = per_axis(form, "dilation", dilation, 2)
    c_out, c_in, k_h, k_w = weight.shape

    spread = weight.new_zeros(c_out, c_in, d_h * (k_h - 1) + 1, d_w * (k_w - 1) + 1)
    spread[..., ::d_h, ::d_w] = weight
    return conv2d(input, spread, bias, stride, padding)
