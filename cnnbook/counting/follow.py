"""How each operation passes the receptive field on, from the tensors it reads to the tensor it makes."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .field import UNKNOWN, WHOLE, Span

aten = torch.ops.aten

Spans = tuple[Span, ...]
Rule = Callable[[Spans, tuple, Tensor], Spans]

RULES: dict[Any, Rule] = {}

# Operations that leave every cell at its place, besides those that PyTorch itself tags as pointwise.
KEEPS_CELLS = {
    aten._native_batch_norm_legit_no_training,
    aten._to_copy,
    aten.alias,
    aten.cat,
    aten.channel_shuffle,
    aten.clone,
    aten.copy_,
    aten.detach,
    aten.expand,
    aten.native_channel_shuffle,
    aten.split,
    aten.split_with_sizes,
    aten.squeeze,
    aten.stack,
    aten.unsqueeze,
}


def spans_after(func: Any, args: tuple, inputs: list[tuple[Tensor, Spans]], output: Tensor) -> Spans:
    """Return what each cell of `output` sees of the network's input.

    Parameters
    ----------
    func, args
        The operation (an ATen overload) and its arguments.
    inputs
        The tensors among `args` that come from the network's input, each with one span for each spatial axis.
        Spatial axes are the last ones: height and width, with depth in front of them.
    output
        What the operation made.
    """
    op = func.overloadpacket
    first, spans = inputs[0]
    if all(span is WHOLE for _, seen in inputs for span in seen):
        return spans
    if op in RULES and args[0] is first:
        return RULES[op](spans, args, output)
    if torch.Tag.pointwise in func.tags or op in KEEPS_CELLS:
        return join(inputs, output)
    return (UNKNOWN,) * len(spans)


def join(inputs: list[tuple[Tensor, Spans]], output: Tensor) -> Spans:
    """Return the spans of an operation whose output cell reads the same cell of every input."""
    axes = len(inputs[0][1])
    joined = None
    for tensor, spans in inputs:
        same_cells = tensor.dim() > axes and tensor.shape[-axes:] == output.shape[-axes:]
        if not same_cells and any(span is not WHOLE for span in spans):
            spans = (UNKNOWN,) * axes
        joined = spans if joined is None else tuple(a.joined(b) for a, b in zip(joined, spans, strict=True))
    return joined


def rule(*ops: Any) -> Callable[[Rule], Rule]:
    """Register the function below as the rule of `ops`."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(ops, function))
        return function

    return register


def for_axes(value: Any, axes: int) -> list[int]:
    """Return an option for the last `axes` axes; ATen writes a number for all, or a list with one or many."""
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    return values * axes if len(values) == 1 else values[-axes:]


@rule(aten.convolution)
def convolution(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Look through the window; in a transposed convolution, at the cells whose stamps reach this one."""
    _, weight, _, stride, padding, dilation, transposed, *_ = args
    kernel, axes = weight.shape[2:], len(spans)
    if len(kernel) != axes:
        return (UNKNOWN,) * axes
    options = (for_axes(option, axes) for option in (stride, padding, dilation))
    return tuple(
        (span.through_transposed if transposed else span.through)(*window)
        for span, *window in zip(spans, kernel, *options, strict=True)
    )


@rule(
    aten.avg_pool1d,
    aten.avg_pool2d,
    aten.avg_pool3d,
    aten.max_pool2d_with_indices,
    aten.max_pool3d_with_indices,
)
def pooling(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Look through the window."""
    kernel, stride, padding = args[1], args[2] if len(args) > 2 else [], args[3] if len(args) > 3 else 0
    dilation = args[4] if len(args) > 4 and not isinstance(args[4], bool) else 1  # average pooling has none
    options = (for_axes(option, len(spans)) for option in (kernel, stride or kernel, padding, dilation))
    return tuple(span.through(*window) for span, *window in zip(spans, *options, strict=True))


@rule(
    aten._adaptive_avg_pool2d, aten._adaptive_avg_pool3d, aten.adaptive_max_pool2d, aten.adaptive_max_pool3d
)
def adaptive_pooling(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Look through windows that divide the map evenly; a single one sees everything."""

    def one(span: Span, n: int, m: int) -> Span:
        if m == 1:
            return WHOLE
        return span.through(n // m, n // m) if n % m == 0 else UNKNOWN

    axes = len(spans)
    return tuple(map(one, spans, args[0].shape[-axes:], output.shape[-axes:]))


@rule(aten.mean, aten.sum, aten.amax, aten.amin)
def reduction(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Pool globally, in the form of a mean, a sum or an extremum."""
    count, axes = args[0].dim(), len(spans)
    reduced = {dim % count for dim in (args[1] if len(args) > 1 and args[1] else range(count))}
    spatial = set(range(count - axes, count))
    if spatial <= reduced:
        return (WHOLE,) * axes
    return (UNKNOWN,) * axes if spatial & reduced else spans


@rule(aten.slice)
def cut(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Move the cells, and with a step skip some."""
    input, dim, start, _, step = (*args, *(0, None, None, 1)[len(args) - 1 :])
    axis = dim % input.dim() - (input.dim() - len(spans))
    start = range(input.shape[dim])[slice(start, None)].start  # as in a list: None, negative and too large
    return tuple(span.through(1, step, -start) if i == axis else span for i, span in enumerate(spans))


@rule(aten.constant_pad_nd)
def zero_padding(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Move the cells."""
    before = [*args[1][::2], *[0] * len(spans)][: len(spans)]  # the last axis comes first
    return tuple(span.through(1, 1, amount) for span, amount in zip(spans, reversed(before), strict=True))


@rule(aten.permute, aten.transpose)
def permutation(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Let channels and batch change places; height and width may not."""
    input, *dims = args
    order = list(range(input.dim()))
    if isinstance(dims[0], int):
        order[dims[0]], order[dims[1]] = order[dims[1]], order[dims[0]]
    else:
        order = [dim % input.dim() for dim in dims[0]]
    axes = len(spans)
    return spans if order[-axes:] == list(range(input.dim() - axes, input.dim())) else (UNKNOWN,) * axes


@rule(aten.view, aten._unsafe_view)
def reshape(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Flatten for a linear layer, or keep height and width as they are."""
    input = args[0]
    if input.dim() > 2 and output.dim() == 2 and output.shape[0] == input.shape[0]:
        return (WHOLE,) * len(spans)  # flattened, for a linear layer
    return join([(input, spans)], output)


@rule(aten.index_select, aten.select, aten.unbind)
def selection(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Pick channels; rows and columns may not be picked."""
    axes, count, dim = len(spans), args[0].dim(), args[1] if len(args) > 1 else 0
    return spans if dim % count < count - axes else (UNKNOWN,) * axes


@rule(aten.index)
def indexing(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Pick channels by a list, as in ``x[:, order]``."""
    axes = len(spans)
    return spans if len(args[1]) <= args[0].dim() - axes else (UNKNOWN,) * axes


@rule(aten.upsample_nearest2d, aten.upsample_nearest3d)
def nearest_upsampling(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Copy every cell s times: a transposed convolution of ones whose stamps do not overlap."""
    axes = len(spans)
    sizes = zip(spans, args[0].shape[-axes:], output.shape[-axes:], strict=True)
    return tuple(span.through_transposed(m // n, m // n) if m % n == 0 else UNKNOWN for span, n, m in sizes)


@rule(aten.native_batch_norm, aten._native_batch_norm_legit)
def batch_norm(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Scale cell by cell with running statistics; those of the batch look at every cell."""
    uses_statistics_of_batch = args[5]
    return (WHOLE,) * len(spans) if uses_statistics_of_batch else spans


@rule(aten.native_group_norm)
def group_norm(spans: Spans, args: tuple, output: Tensor) -> Spans:
    """Scale with the statistics of the image, which look at every cell."""
    return (WHOLE,) * len(spans)
