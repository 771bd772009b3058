"""The five questions one asks of a network."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain, groupby

from torch import nn

from .table import GROUP, LayerRow, LayerTable
from .trace import Call, Shape, check_module, trace

CONTAINERS = (nn.ParameterList, nn.ParameterDict)


def count_parameters(module: nn.Module, *, trainable_only: bool = False) -> int:
    """Count the numbers that training may set; one shared by several layers counts once.

    Parameters
    ----------
    module
        Any module.
    trainable_only
        Leave out frozen parameters (``requires_grad=False``).

    Raises
    ------
    TypeError, ValueError
        If `module` is no module or has lazy parameters.
    """
    check_module(module)
    return sum(p.numel() for p in module.parameters() if p.requires_grad or not trainable_only)


def count_macs(module: nn.Module, input_shape: Sequence[int]) -> int:
    """Count the multiply-accumulates of convolutions and matrix products in one call of `module`.

    Parameters
    ----------
    module
        Any module with one input.
    input_shape
        The whole shape of its input, ``(1, 3, 224, 224)`` for one image; a batch of ``N`` costs ``N`` times
        as much.

    Raises
    ------
    TypeError, ValueError
        If a layer cannot take what reaches it; the message names the layer and the shape.
    """
    return sum(call.macs for call in trace(module, input_shape).calls)


def output_shapes(module: nn.Module, input_shape: Sequence[int]) -> dict[str, Shape]:
    """Return the output shape of every layer, in the order of calls.

    Layers are modules without children, by their name in ``module.named_modules()``. A layer called again,
    such as a shared ReLU, is listed again as ``"relu (2)"``.

    Raises
    ------
    TypeError, ValueError
        As :func:`count_macs`.
    """
    return {
        row.label: row.output_shape
        for row in layer_table(module, input_shape)
        if row.output_shape is not None
    }


def receptive_field(module: nn.Module, input_shape: Sequence[int] | None = None) -> tuple[int | float, ...]:
    """Return how many cells of the input one cell of the output sees, along each spatial axis.

    It is the theoretical receptive field: from the first to the last cell that can matter, with paddings,
    holes of dilation and borders left aside, and the widest path where paths branch. After a transposed
    convolution cells differ; the one that sees most counts. Operations are followed exactly, not sampled.

    Parameters
    ----------
    module
        Any module with one input.
    input_shape
        The whole shape of the input. It may be left out for a module of convolutions and poolings; one with
        linear layers needs the shape they were made for.

    Returns
    -------
    tuple
        Height and width (depth, height and width in 3D); `math.inf` where a cell sees the whole input, as
        after global pooling or a linear layer on a flattened map.

    Raises
    ------
    TypeError, ValueError
        If a layer cannot take what reaches it, or holds an operation whose cells cannot be followed.

    References
    ----------
    Araujo, Norris & Sim, *Computing receptive fields of convolutional neural networks*, Distill 2019.
    """
    check_module(module)
    try:
        result = trace(module, roomy_shape(module) if input_shape is None else input_shape)
    except ValueError as error:
        if input_shape is not None:
            raise
        raise ValueError(
            f"give input_shape, a size that {type(module).__name__} was made for ({error})"
        ) from error
    if result.spans is None:
        raise ValueError(f"the output of {type(module).__name__} does not come from cells of its input")
    if any(span.is_unknown for span in result.spans):
        raise ValueError(f"the receptive field cannot be followed through {result.lost}")
    return tuple(span.size for span in result.spans)


def layer_table(module: nn.Module, input_shape: Sequence[int], depth: int | None = None) -> LayerTable:
    """Return a table of every layer's output shape, parameters, multiply-accumulates and receptive field.

    A notebook shows it as a table; ``print`` shows it as text.

    Parameters
    ----------
    module
        Any module with one input.
    input_shape
        The whole shape of its input, such as ``(1, 3, 224, 224)``.
    depth
        Put layers together whose names agree in the first `depth` parts: 1 gives a row for each stage of a
        deep network. None gives every layer.

    Raises
    ------
    TypeError, ValueError
        As :func:`count_macs`.
    """
    if depth is not None and (type(depth) is not int or depth < 1):
        raise ValueError(f"depth must be an int >= 1 or None, got {depth!r}")
    calls = trace(module, input_shape).calls
    counted: set[int] = set()
    times: Counter[str] = Counter()
    rows = []
    for (name, stage), group in groupby(calls, lambda call: stage_of(call, depth)):
        members = [(call, own_parameters(call.module, counted)) for call in group]
        # A container shows in its layers; it has work of its own where it calls functions with weights.
        layers = [call for call, own in members if own or call.macs or not list(call.module.children())]
        if layers:
            times[name] += 1
            parameters = sum(own for _, own in members)
            rows.append(row_of(name, times[name], layers, stage or layers[-1], parameters))
    called = {call.module for call in calls}
    idle = [(shortened(name, depth), part) for name, part in module.named_modules() if part not in called]
    for name, group in groupby(idle, lambda named: named[0]):
        counts = {part: own for _, part in group if (own := own_parameters(part, counted))}
        if counts:
            kind = describe(next(iter(counts))) if len(counts) == 1 else group_kind(None, len(counts))
            rows.append(LayerRow(name, kind, None, sum(counts.values()), call=0))
    return LayerTable(tuple(rows), tuple(input_shape))


def shortened(name: str, depth: int | None) -> str:
    """Return the first `depth` parts of a dotted name, or all of it."""
    return ".".join(name.split(".")[:depth])


def stage_of(call: Call, depth: int | None) -> tuple[str, Call | None]:
    """Return the name of the row that a call belongs to, and the call that is named so."""
    name = shortened(call.name, depth)
    while call is not None and call.name != name:
        call = call.parent
    return name, call


def row_of(name: str, times: int, layers: list[Call], stage: Call, parameters: int) -> LayerRow:
    """Return the row of some neighbouring layers whose last result is that of `stage`."""
    single = layers == [stage]
    kind = describe(stage.module) if single else group_kind(None if stage in layers else stage, len(layers))
    field = tuple(span.size for span in stage.spans) if stage.spans else None
    return LayerRow(
        name, kind, stage.output_shape, parameters, sum(call.macs for call in layers), field, times
    )


def group_kind(stage: Call | None, layers: int) -> str:
    """Return what to call some layers together: the type of the module that holds them, and their number."""
    return GROUP.format(kind=type(stage.module).__name__ if stage else "", layers=layers).strip()


def own_parameters(module: nn.Module, counted: set[int]) -> int:
    """Count the parameters of `module` itself, and of its lists of them, and note them in `counted`."""
    lists = (child for child in module.children() if isinstance(child, CONTAINERS))
    total = 0
    for parameter in chain(module.parameters(recurse=False), *(part.parameters() for part in lists)):
        if id(parameter) not in counted:
            counted.add(id(parameter))
            total += parameter.numel()
    return total


def describe(module: nn.Module) -> str:
    """Return a layer's type with what shapes its window, such as ``Conv2d 3×3 s2 p1 g32``."""
    kind = type(module).__name__
    kernel = getattr(module, "kernel_size", None)
    if not isinstance(kernel, (int, tuple)):
        return kind
    axes = int(kind[-2]) if kind[-2:] in ("1d", "3d") else 2
    parts = [kind, "×".join(map(str, kernel if isinstance(kernel, tuple) else (kernel,) * axes))]
    for option, usual in {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}.items():
        value = getattr(module, option, usual)
        values = set(value) if isinstance(value, tuple) else {value}
        if values != {usual}:
            parts.append(option[0] + ("×".join(map(str, value)) if len(values) > 1 else str(values.pop())))
    return " ".join(parts)


def roomy_shape(module: nn.Module) -> Shape:
    """Return an input shape with room for every window, guessed from the first convolution."""
    for part in module.modules():
        if hasattr(part, "in_channels") and isinstance(getattr(part, "kernel_size", None), tuple):
            return (1, part.in_channels, *[1024] * len(part.kernel_size))
    raise ValueError("no convolution tells how many channels the input has")
