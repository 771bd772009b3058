"""One run of a module on shapes alone, with every operation counted and followed."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from .field import INPUT
from .follow import Spans, spans_after

aten = torch.ops.aten

Shape = tuple[int, ...]


def convolution_macs(args: tuple, output: Tensor) -> int:
    """Count a convolution's products: C_in / groups * kernel of them for each output cell.

    In a transposed convolution it is the input cells that have C_out / groups * kernel each.
    """
    input, weight, transposed = args[0], args[1], args[6]
    return (input if transposed else output).numel() * prod(weight.shape[1:])


MACS = {
    aten.convolution: convolution_macs,
    aten.mm: lambda args, output: args[0].numel() * args[1].shape[-1],
    aten.bmm: lambda args, output: args[0].numel() * args[1].shape[-1],
    aten.addmm: lambda args, output: args[1].numel() * args[2].shape[-1],
    aten.baddbmm: lambda args, output: args[1].numel() * args[2].shape[-1],
    aten.mv: lambda args, output: args[0].numel(),
    aten.addmv: lambda args, output: args[1].numel(),
    aten.dot: lambda args, output: args[0].numel(),
}


@dataclass(eq=False)
class Call:
    """One call of one module: its own work, without that of the modules it called."""

    name: str
    module: nn.Module
    input_shape: Shape | None
    parent: "Call | None" = None
    output_shape: Shape | None = None
    macs: int = 0
    spans: Spans | None = None


@dataclass
class Trace:
    """What a run showed."""

    calls: list[Call] = field(default_factory=list)  # in the order in which they began
    spans: Spans | None = None  # of the module's output
    lost: str | None = None  # the operation, and its layer, whose receptive field could not be followed


class Recorder(TorchDispatchMode):
    """Sees every tensor operation: counts its products and follows its receptive field.

    It also keeps the run on meta tensors: whatever meets one, a parameter or a constant, becomes one for that
    moment.
    """

    def __init__(self, input: Tensor, trace: Trace) -> None:
        super().__init__()
        self.trace = trace
        self.running: list[Call] = []
        # Tensors that come from the input, by id; each is held so that no other comes to have its id.
        self.followed: dict[int, tuple[Tensor, Spans]] = {}
        if input.dim() > 2:  # batch, channels, then at least one spatial axis
            self.followed[id(input)] = (input, (INPUT,) * (input.dim() - 2))

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if any(tensor.is_meta for tensor in tensors):
            args, kwargs = tree_map_only(Tensor, lambda t: t if t.is_meta else t.to("meta"), (args, kwargs))
        output = func(*args, **kwargs)
        if self.running and func.overloadpacket in MACS:
            self.running[-1].macs += MACS[func.overloadpacket](args, output)
        inputs = [self.followed[id(t)] for t in tensors if id(t) in self.followed]
        if inputs:
            self.follow(func, args, inputs, output)
        return output

    def follow(self, func: Any, args: tuple, inputs: list, output: Any) -> None:
        """Note the receptive field of everything the operation made."""
        for made in tree_leaves(output):
            if isinstance(made, Tensor):
                spans = spans_after(func, args, inputs, made)
                self.followed[id(made)] = (made, spans)
                if self.trace.lost is None and any(span.is_unknown for span in spans):
                    self.trace.lost = f"{func.overloadpacket} in {label(self.running[-1])}"

    def spans_of(self, output: Any) -> Spans | None:
        """Return the spans of the first tensor in a module's output."""
        tensor = first_tensor(output)
        return self.followed[id(tensor)][1] if id(tensor) in self.followed else None


def trace(module: nn.Module, input_shape: Sequence[int]) -> Trace:
    """Run `module` once on a tensor of `input_shape` that has no numbers.

    Raises
    ------
    TypeError, ValueError
        If `module` is no module, has lazy parameters, `input_shape` is no shape, or a layer cannot take what
        reaches it; the message names the layer and the shape.
    """
    check_module(module)
    shape = check_shape(input_shape)
    dtype = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.get_default_dtype())
    input = torch.zeros(shape, dtype=dtype, device="meta")
    found = Trace()
    recorder = Recorder(input, found)

    with evaluating(module), hooked(module, recorder), torch.inference_mode(False), torch.no_grad(), recorder:
        try:
            output = module(input)
        except (RuntimeError, ValueError, IndexError, AssertionError) as error:
            if not recorder.running:  # a hook of the reader's own failed before any layer began
                raise
            raise ValueError(complaint(recorder.running[-1], shape, error)) from error
    found.spans = recorder.spans_of(output)
    return found


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put `module` in evaluation mode, and every part of it back into its own mode afterwards."""
    modes = {part: part.training for part in module.modules()}
    try:
        module.eval()
        yield
    finally:
        for part, training in modes.items():
            part.training = training


@contextmanager
def hooked(module: nn.Module, recorder: Recorder) -> Iterator[None]:
    """Tell `recorder` whenever a part of `module` begins and ends."""
    names = {part: name or type(part).__name__ for name, part in module.named_modules()}

    def begin(part: nn.Module, args: tuple, kwargs: dict) -> None:
        tensor = first_tensor((args, kwargs))
        shape = None if tensor is None else tuple(tensor.shape)
        call = Call(names[part], part, shape, recorder.running[-1] if recorder.running else None)
        recorder.running.append(call)
        recorder.trace.calls.append(call)

    def end(part: nn.Module, args: tuple, output: Any) -> None:
        call = recorder.running.pop()
        tensor = first_tensor(output)
        call.output_shape = None if tensor is None else tuple(tensor.shape)
        call.spans = recorder.spans_of(output)

    with ExitStack() as stack:
        for part in names:
            stack.callback(part.register_forward_pre_hook(begin, with_kwargs=True).remove)
            stack.callback(part.register_forward_hook(end).remove)
        yield


def first_tensor(value: Any) -> Tensor | None:
    """Return the first tensor in a nest of tuples, lists and dictionaries."""
    return next((leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)), None)


def label(call: Call) -> str:
    """Return how messages name a layer, such as ``features.0 (Conv2d)``."""
    kind = type(call.module).__name__
    return kind if call.name == kind else f"{call.name} ({kind})"


def complaint(call: Call, shape: Shape, error: Exception) -> str:
    """Return what to say of a layer that failed."""
    if "meta tensor" in str(error):
        return f"{label(call)} needs the numbers of its input, but only shapes are run here: {error}"
    layer = f"{label(call)} = {call.module}" if not list(call.module.children()) else label(call)
    return (
        f"{layer} cannot take an input of shape {call.input_shape}: {error}\n"
        f"(the network was given input_shape={shape}, which is the whole shape, batch axis included)"
    )


def check_module(module: nn.Module) -> None:
    """Raise unless `module` is a module whose parameters have shapes."""
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    for name, parameter in module.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise ValueError(
                f"{name} is lazy and has no shape yet: call the module once on an input, then count"
            )


def check_shape(input_shape: Sequence[int]) -> Shape:
    """Return `input_shape` as a tuple, or raise."""
    ok = isinstance(input_shape, (tuple, list)) and all(type(n) is int and n > 0 for n in input_shape)
    if not ok or not input_shape:
        raise ValueError(
            f"input_shape must be a whole shape of positive ints such as (1, 3, 32, 32), got {input_shape!r}"
        )
    return tuple(input_shape)
