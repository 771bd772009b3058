"""Grouped convolution, and the channel shuffle that lets groups talk to each other."""

import torch
from torch import Tensor

from .arguments import Ints, Padding, check_bias, check_channels, check_tensors
from .standard import conv2d


def grouped_conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    r"""Cut the channels into groups and convolve each by itself: weights and work fall to ``1 / groups``.

    One group is the ordinary convolution; as many groups as channels is the depthwise one.

    Parameters
    ----------
    input
        Images, ``(N, C_in, H, W)`` or ``(C_in, H, W)``.
    weight
        ``(C_out, C_in / groups, kH, kW)``: an output channel sees the input channels of its own group only.
    bias
        One number for each output channel, ``(C_out,)``.
    stride, padding, dilation
        As in :func:`conv2d`.
    groups
        Number of groups; divides ``C_in`` and ``C_out``.

    Returns
    -------
    Tensor
        ``(N, C_out, H_out, W_out)``, equal to ``torch.nn.functional.conv2d(..., groups=groups)``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Krizhevsky, Sutskever & Hinton, *ImageNet classification with deep CNNs*, NIPS 2012, section 3.5.
    Xie et al., *Aggregated residual transformations for deep neural networks*, CVPR 2017.
    """
    form = "grouped_conv2d"
    check_tensors(form, 2, input, bias, weight=weight)
    check_groups(form, "input", input, input.shape[-3], groups)
    check_groups(form, "weight", weight, weight.shape[0], groups)
    check_channels(form, "weight", weight, input.shape[-3] // groups, f"each of the {groups} groups of input")
    check_bias(form, bias, weight.shape[0])

    outputs = [
        conv2d(part, kernels, None, stride, padding, dilation)
        for part, kernels in zip(input.chunk(groups, dim=-3), weight.chunk(groups, dim=0), strict=True)
    ]
    output = torch.cat(outputs, dim=-3)
    return output if bias is None else output + bias[:, None, None]


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    r"""Deal the channels out like cards: the first of every group, then the second of every group, and so on.

    Write the channels as a table with one row for each group, and read it column by column. Nine channels in
    three groups come out as 0, 3, 6, 1, 4, 7, 2, 5, 8.

    Parameters
    ----------
    input
        ``(N, C, H, W)`` or ``(C, H, W)``.
    groups
        Number of groups; divides ``C``.

    Returns
    -------
    Tensor
        The same shape, equal to ``torch.nn.ChannelShuffle(groups)(input)``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Zhang, Zhou, Lin & Sun, *ShuffleNet*, CVPR 2018, section 3.1.
    """
    check_tensors("channel_shuffle", 2, input, None)
    check_groups("channel_shuffle", "input", input, input.shape[-3], groups)

    table = input.unflatten(-3, (groups, -1))  # (N, groups, C / groups, H, W)
    return table.transpose(-4, -3).flatten(-4, -3)


def shuffled_grouped_conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    r"""Convolve in groups, then shuffle the channels, so that the next grouped convolution sees every group.

    Parameters
    ----------
    input, weight, bias, stride, padding, dilation, groups
        As in :func:`grouped_conv2d`.

    Returns
    -------
    Tensor
        ``(N, C_out, H_out, W_out)``, equal to ``torch.nn.functional.conv2d(..., groups=groups)`` followed by
        ``torch.nn.ChannelShuffle(groups)``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Zhang, Zhou, Lin & Sun, *ShuffleNet*, CVPR 2018, section 3.1 and figure 1.
    """
    return channel_shuffle(grouped_conv2d(input, weight, bias, stride, padding, dilation, groups), groups)


def check_groups(form: str, name: str, tensor: Tensor, channels: int, groups: int) -> None:
    """Raise unless `groups` divides the channels of `tensor`."""
    if not isinstance(groups, int) or isinstance(groups, bool) or groups < 1:
        raise ValueError(f"{form}: groups must be an int >= 1, got {groups!r}")
    if channels % groups:
        raise ValueError(
            f"{form}: groups = {groups} does not divide the {channels} channels of {name} "
            f"of shape {tuple(tensor.shape)}"
        )
