"""The architecture of a network, read from its code: what feeds what, with branches and skips.

>>> from cnnbook import architecture
>>> from cnnbook.models import resnet18
>>> graph = architecture.read(resnet18(), (1, 3, 224, 224), depth=1)
>>> [node.name for node in graph.nodes][:4]
['input', 'conv1', 'maxpool', 'layer1']

`torch.fx` follows one symbolic image through the module, so nothing is drawn by hand: change the builder and
the figure changes. The network then runs once on tensors that have a shape and no numbers, which costs
milliseconds and leaves the module as it was.
"""

from __future__ import annotations

import copy
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import Tensor, fx, nn

from cnnbook import figures
from cnnbook.counting.measures import describe
from cnnbook.counting.trace import check_module, check_shape

INPUT, OUTPUT = "입력", "출력"
MANY = "{kind} {layers}개 층"
REPEATED = "{kind} × {times}"
PARAMETERS = "{n:,}개"
CHANNELS = "채널 {which}"
# What a function does with the maps that reach it.
FUNCTIONS = {
    "add": "더하기",
    "mul": "곱하기",
    "cat": "이어 붙이기",
    "flatten": "한 줄로 펼치기",
    "chunk": "채널 나누기",
    "split": "채널 나누기",
    "unflatten": "모양 되돌리기",
}


# --- reading -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """One box of the figure: a layer, or a place where branches meet.

    Parameters
    ----------
    name
        The layer's name in ``named_modules()``; for a function, what it does.
    kind
        Its type with kernel, stride and so on, such as ``Conv2d 3×3 p1``; empty for a function.
    shape
        Shape of what it gives, batch axis left out; None if that is no tensor.
    parameters
        Parameters of the layer and of what follows it in the same box.
    inputs
        Names of the nodes that feed it. A function's name is made unique: ``더하기``, ``더하기 2``.
    then
        Names of the normalisations and activations in the same box, in order.
    role
        ``"input"``, ``"weights"``, ``"join"`` or ``"plain"``: what colours the box.
    """

    name: str
    kind: str
    shape: tuple[int, ...] | None
    parameters: int
    inputs: tuple[str, ...]
    then: tuple[str, ...] = ()
    role: str = "plain"


@dataclass(frozen=True)
class Graph:
    """Nodes in the order of computation; the first is the input."""

    nodes: tuple[Node, ...]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(f"no node {name!r}; there are {', '.join(node.name for node in self.nodes)}")

    @property
    def parameters(self) -> int:
        """Parameters of all boxes together."""
        return sum(node.parameters for node in self.nodes)


def read(module: nn.Module, input_shape: Sequence[int], depth: int | None = None) -> Graph:
    """Read which layer feeds which, with every shape and the parameters.

    Parameters
    ----------
    module
        A module of one input that ``torch.fx`` can follow, such as those of :mod:`cnnbook.models`.
    input_shape
        The whole shape of its input, such as ``(1, 3, 224, 224)``.
    depth
        Open only the first `depth` levels of modules: 1 shows a ResNet's stages as one box each. None opens
        all of them.

    Returns
    -------
    Graph
        Normalisation, activation and dropout stand in the box of the layer before them (`Node.then`);
        ``nn.Identity`` is a line.

    Raises
    ------
    TypeError, ValueError
        If `module` is no module, `input_shape` no shape, `depth` no positive int, the module's code cannot be
        followed symbolically, or it cannot take such an input.
    """
    check_module(module)
    shape = check_shape(input_shape)
    if depth is not None and (type(depth) is not int or depth < 1):
        raise ValueError(f"depth must be an int >= 1 or None, got {depth!r}")
    module = _without_numbers(module)
    tracer = _Tracer(depth)
    try:
        graph = tracer.trace(module)
    except (fx.proxy.TraceError, TypeError) as error:
        raise ValueError(
            f"{type(module).__name__} cannot be followed symbolically: what its forward() does depends on "
            f"values of tensors ({error})"
        ) from error
    traced = fx.GraphModule(module, graph)
    shapes = _Shapes(traced)
    try:
        with torch.no_grad():
            shapes.run(torch.zeros(shape, device="meta"))
    except RuntimeError as error:
        raise ValueError(f"{type(module).__name__} cannot take an input of shape {shape}: {error}") from error
    nodes = list(_nodes(traced, shapes.found))
    layers = dict(module.named_modules())
    names = {node.name: node.name.partition(" ")[0] for node in nodes[1:] if node.kind}
    followers = {name for name, layer in names.items() if _follows(layers[layer])}
    return Graph(tuple(_gathered(nodes, followers)))


class _Tracer(fx.Tracer):
    """Stops at layers, and at modules `depth` levels down."""

    def __init__(self, depth: int | None) -> None:
        super().__init__()
        self.depth = depth

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        deep = self.depth is not None and module_qualified_name.count(".") + 1 >= self.depth
        return deep or not list(m.children()) or super().is_leaf_module(m, module_qualified_name)


class _Shapes(fx.Interpreter):
    """Runs a graph and keeps what each node gave."""

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced)
        self.found: dict[fx.Node, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = self.found[n] = super().run_node(n)
        return value


def _without_numbers(module: nn.Module) -> nn.Module:
    """Copy a module onto the meta device, without copying a number first."""
    memo: dict[int, Any] = {id(p): nn.Parameter(p.to("meta"), p.requires_grad) for p in module.parameters()}
    memo |= {id(b): b.to("meta") for b in module.buffers()}
    return copy.deepcopy(module, memo).eval()


def _nodes(traced: fx.GraphModule, found: dict[fx.Node, Any]) -> Iterator[Node]:
    """Give a `Node` for each of fx's nodes that computes a map; the others become lines or nothing."""
    stands_for: dict[fx.Node, str] = {}  # fx's node: the name of the box its value comes from
    names: set[str] = set()
    modules = dict(traced.named_modules())
    for node in traced.graph.nodes:
        sources = tuple(dict.fromkeys(stands_for[i] for i in node.all_input_nodes if i in stands_for))
        if node.op == "placeholder":
            stands_for[node] = "input"
            yield Node("input", INPUT, _shape(found[node]), 0, (), role="input")
            continue
        if node.op == "output" or not sources:
            continue
        module = modules[node.target] if node.op == "call_module" else None
        if isinstance(module, nn.Identity) or _is_bookkeeping(node, found):
            stands_for[node] = sources[0]
            continue
        name = _unique(node.target if module is not None else _function(node, found), names)
        stands_for[node] = name
        parameters = 0 if module is None else sum(p.numel() for p in module.parameters())
        role = "weights" if parameters else "join" if len(sources) > 1 or module is None else "plain"
        kind = "" if module is None else _kind(module)
        yield Node(name, kind, _shape(found[node]), parameters, sources, role=role)


def _is_bookkeeping(node: fx.Node, found: dict[fx.Node, Any]) -> bool:
    """Whether a node makes no map of its own: a size, or one of several that a split gave."""
    value = found[node]
    if not isinstance(value, Tensor) and not (isinstance(value, tuple) and isinstance(value[0], Tensor)):
        return True
    return _target(node) == "getitem" and not isinstance(found[node.args[0]], Tensor)


def _target(node: fx.Node) -> str:
    name = node.target if isinstance(node.target, str) else node.target.__name__
    return name.removeprefix("i") if name in ("iadd", "imul") else name


def _function(node: fx.Node, found: dict[fx.Node, Any]) -> str:
    """Return what a function does, in the book's words where there is one."""
    name = _target(node)
    if name == "getitem":
        where = node.args[1]
        if isinstance(where, tuple) and len(where) == 2:  # all of the batch, some of the channels
            every = list(range(found[node.args[0]].shape[1]))
            chosen = every[where[1]] if isinstance(where[1], slice) else [every[i] for i in where[1]]
            spread = len(chosen) > 3 and chosen == list(range(chosen[0], chosen[-1] + 1))
            which = f"{chosen[0]}–{chosen[-1]}" if spread else ", ".join(map(str, chosen))
            return CHANNELS.format(which=which)
    return FUNCTIONS.get(name, name)


def _unique(name: str, names: set[str]) -> str:
    """Return a name, numbered from its second use on."""
    n, unique = 1, name
    while unique in names:
        n += 1
        unique = f"{name} {n}"
    names.add(unique)
    return unique


def _shape(value: Any) -> tuple[int, ...] | None:
    return tuple(value.shape[1:]) if isinstance(value, Tensor) else None


def _kind(module: nn.Module) -> str:
    """Return a layer's type; for a module that stays closed, what is in it and how often."""
    children = list(module.children())
    if not children:
        return describe(module)
    kinds = {type(child) for child in children}
    if isinstance(module, nn.Sequential) and len(kinds) == 1 and list(children[0].children()):
        return REPEATED.format(kind=type(children[0]).__name__, times=len(children))
    if (
        isinstance(module, nn.Sequential)
        and len(children) <= 3
        and all(not list(c.children()) for c in children)
    ):
        windows = {name: hasattr(child, "kernel_size") for name, child in module.named_children()}
        texts = (describe(c) if windows[name] else name for name, c in module.named_children())
        return " → ".join(texts)
    layers = sum(not list(m.children()) and not isinstance(m, nn.Identity) for m in module.modules())
    return MANY.format(kind=type(module).__name__, layers=layers)


def _follows(module: nn.Module) -> bool:
    """Whether a layer only changes the values of its map: it has no window and mixes no channels."""
    resizes = hasattr(module, "kernel_size") or hasattr(module, "output_size")
    mixes = isinstance(module, nn.Linear | nn.ChannelShuffle | nn.Flatten)
    normalises = isinstance(module, nn.modules.batchnorm._BatchNorm)
    weightless = not list(module.parameters()) and not list(module.buffers())
    return not list(module.children()) and not resizes and not mixes and (normalises or weightless)


def _gathered(nodes: list[Node], followers: set[str]) -> list[Node]:
    """Put each follower into the box before it, where nothing else hangs on that box."""
    uses = [name for node in nodes for name in node.inputs]
    boxes: dict[str, Node] = {}
    moved: dict[str, str] = {}
    for node in nodes:
        inputs = tuple(moved.get(name, name) for name in node.inputs)
        before = boxes.get(inputs[0]) if len(inputs) == 1 else None
        if node.name in followers and before and before.role != "input" and uses.count(node.inputs[0]) == 1:
            parameters = before.parameters + node.parameters
            boxes[before.name] = replace(before, then=(*before.then, node.name), parameters=parameters)
            moved[node.name] = before.name
        else:
            boxes[node.name] = replace(node, inputs=inputs)
    return list(boxes.values())


# --- placing -----------------------------------------------------------------------------------------------


@dataclass
class Cell:
    """A place in the figure: a box, or a line that passes by one (``node`` is None)."""

    rank: int
    node: Node | None = None
    above: list[Cell] = field(default_factory=list)
    below: list[Cell] = field(default_factory=list)
    column: int = 0


def place(graph: Graph) -> list[list[Cell]]:
    """Give every box a row below all that feed it, and every branch a column of its own.

    A line that skips rows gets a cell in each of them, so that nothing is drawn over it.

    Returns
    -------
    list of list of Cell
        The cells of each row, from left to right.
    """
    cells: dict[str, Cell] = {}
    rows: list[list[Cell]] = []

    def add(cell: Cell, above: Sequence[Cell]) -> Cell:
        while len(rows) <= cell.rank:
            rows.append([])
        rows[cell.rank].append(cell)
        for other in above:
            cell.above.append(other)
            other.below.append(cell)
        return cell

    for node in graph:
        sources = [cells[name] for name in node.inputs]
        rank = 1 + max((cell.rank for cell in sources), default=-1)
        above = []
        for source in sources:
            while source.rank < rank - 1:
                source = add(Cell(source.rank + 1), [source])
            above.append(source)
        cells[node.name] = add(Cell(rank, node), above)
    for row in rows:
        taken: set[int] = set()
        # The first branch of a fork goes straight on; boxes come before passing lines, which so lie outside.
        row.sort(key=lambda cell: (cell.node is None, min((a.column for a in cell.above), default=0)))
        heirs = [(a, cell) for cell in row for a in cell.above]
        for cell in row:
            own = [a.column for a in cell.above if next(c for b, c in heirs if b is a) is cell]
            free = [column for column in sorted(own) if column not in taken]
            cell.column = free[0] if free else -1
            taken.add(cell.column)
        for cell in row:
            if cell.column < 0:
                cell.column = next(n for n in range(len(row) + len(taken)) if n not in taken)
                taken.add(cell.column)
        row.sort(key=lambda cell: cell.column)
    return rows


# --- drawing -----------------------------------------------------------------------------------------------

WIDTH = 3.38  # inches of one part: a phone shows it without shrinking, the page two side by side
PASSING = 0.26  # inches of a column in which only lines pass
GAP = 0.08  # inches between columns
STEP = 0.2  # inches between rows: room for an arrow
LINE = 0.155  # inches of a line of text
LETTER = 0.075  # inches of a letter, on the average
ROLES = {"input": "input", "weights": "kernel", "join": "channel", "plain": "padding"}


def draw(
    module: nn.Module,
    input_shape: Sequence[int],
    *,
    alt: str,
    depth: int | None = None,
    parts: int = 1,
) -> figures.Drawing:
    """Draw a network from its own code, top to bottom.

    Each box names the layer, its type, the shape it gives (channels × height × width) and its parameters.

    Parameters
    ----------
    module, input_shape, depth
        As in :func:`read`.
    alt
        The sentence that stands in for the drawing.
    parts
        Cut a long chain into so many parts, side by side where the page is wide, one below the other on a
        phone.

    Raises
    ------
    TypeError, ValueError
        As :func:`read`; or if `parts` is no positive int.
    """
    if type(parts) is not int or parts < 1:
        raise ValueError(f"parts must be an int >= 1, got {parts!r}")
    rows = place(read(module, input_shape, depth))
    pieces = _cut(rows, parts)
    tall = max(_height(piece) for piece in pieces)
    return figures.Drawing([_figure(piece, tall, last=piece is pieces[-1]) for piece in pieces], alt)


def _cut(rows: list[list[Cell]], parts: int) -> list[list[list[Cell]]]:
    """Cut where a single line goes down, as evenly as that allows."""
    places = [r for r in range(1, len(rows)) if len(rows[r - 1]) == len(rows[r]) == 1]
    heights = [0.0]
    for row in rows:
        heights.append(heights[-1] + _height([row]))
    cuts = {
        min(places, key=lambda r: abs(heights[r] - heights[-1] * i / parts))
        for i in range(1, parts)
        if places
    }
    edges = [0, *sorted(cuts), len(rows)]
    return [rows[a:b] for a, b in pairwise(edges)]


def _texts(node: Node, boxed: int) -> list[tuple[str, str]]:
    """Return the lines of a box, each of a left and a right text; beside other boxes all are centred."""
    name = node.kind if node.role == "input" else node.name
    kind = "" if node.role == "input" else node.kind
    shape = "×".join(map(str, node.shape)) if node.shape is not None else ""
    size = PARAMETERS.format(n=node.parameters) if node.parameters else ""
    if boxed > 1:
        names = " → ".join(part.rpartition(".")[2] for part in (name, *node.then))
        letters = int(WIDTH / boxed / LETTER)
        return [
            (text, "") for text in (*_wrapped(names, letters), *_wrapped(kind, letters), shape, size) if text
        ]
    then = " → ".join([kind or name, *(part.rpartition(".")[2] for part in node.then)])
    if not kind:
        name, then = then, ""  # a function: what follows it stands beside it
    return [(name, shape)] + ([(then, size)] if then or size else [])


def _wrapped(text: str, letters: int) -> list[str]:
    """Return a text in lines of at most so many letters; an arrow stays with what it points to."""
    return [line.replace("→_", "→ ") for line in textwrap.wrap(text.replace("→ ", "→_"), letters)]


def _columns(rows: list[list[Cell]]) -> dict[int, tuple[float, float]]:
    """Return the left edge and width of each column, in inches."""
    used = sorted({cell.column for row in rows for cell in row})
    boxed = {cell.column for row in rows for cell in row if cell.node is not None}
    wide = WIDTH - GAP * (len(used) - 1) - PASSING * (len(used) - len(boxed))
    places, left = {}, 0.0
    for column in used:
        width = wide / len(boxed) if column in boxed else PASSING
        places[column] = (left, width)
        left += width + GAP
    return places


def _boxed(rows: list[list[Cell]]) -> int:
    """Return how many columns hold boxes."""
    return len({cell.column for row in rows for cell in row if cell.node is not None})


def _height(rows: list[list[Cell]], boxed: int = 0) -> float:
    """Return the inches that rows take, the room below each included."""
    boxed = boxed or _boxed(rows)
    return sum(_row_height(row, boxed) + STEP for row in rows)


def _row_height(row: list[Cell], boxed: int) -> float:
    lines = [len(_texts(cell.node, boxed)) for cell in row if cell.node is not None]
    return 0.12 + LINE * max(lines, default=1)


def _figure(rows: list[list[Cell]], tall: float, last: bool) -> Figure:
    columns, boxed = _columns(rows), _boxed(rows)
    with figures.style():
        figure = Figure(figsize=(WIDTH, tall))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-0.02, WIDTH + 0.02), ylim=(tall, -0.02))
        axes.axis("off")
        top, previous = 0.0, 0.0
        for r, row in enumerate(rows):
            height = _row_height(row, boxed)
            for cell in row:
                left, width = columns[cell.column]
                for above in cell.above:
                    if r > 0:
                        x, w = columns[above.column]
                        start, end = x + w / 2, left + width / 2
                        _line(axes, start, previous, end, top, arrow=cell.node is not None)
                if cell.node is None:
                    _line(axes, left + width / 2, top, left + width / 2, top + height, arrow=False)
                else:
                    _box(axes, cell.node, left, top, width, height, boxed)
            previous, top = top + height, top + height + STEP
        if not last:
            x, w = columns[rows[-1][0].column]
            _line(axes, x + w / 2, previous, x + w / 2, previous + STEP - 0.02, arrow=True)
    return figure


def _line(axes: Axes, x0: float, y0: float, x1: float, y1: float, arrow: bool) -> None:
    """Draw down, across and down again; the head of an arrow where a box begins."""
    middle = (y0 + y1) / 2
    points = (
        [(x0, y0), (x1, y1)] if math.isclose(x0, x1) else [(x0, y0), (x0, middle), (x1, middle), (x1, y1)]
    )
    axes.plot(*zip(*points, strict=True), color=figures.INK, linewidth=0.9, solid_joinstyle="round")
    if arrow:
        head = [(x1 - 0.035, y1 - 0.06), (x1, y1), (x1 + 0.035, y1 - 0.06)]
        axes.plot(*zip(*head, strict=True), color=figures.INK, linewidth=0.9, solid_joinstyle="round")


def _box(axes: Axes, node: Node, left: float, top: float, width: float, height: float, boxed: int) -> None:
    color = figures.COLORS[ROLES[node.role]]
    texts = _texts(node, boxed)
    own = 0.12 + LINE * len(texts)
    centre = left + width / 2
    if own < height:  # the line goes on below a box that is lower than its neighbours
        axes.plot([centre, centre], [top + own, top + height], color=figures.INK, linewidth=0.9)
    style = "round,pad=0,rounding_size=0.05"
    paint = {"facecolor": (color, figures.PLAIN), "edgecolor": color, "linewidth": 0.9}
    axes.add_patch(FancyBboxPatch((left, top), width, own, boxstyle=style, **paint))
    size = 8 if boxed > 1 else 8.5
    for i, (a, b) in enumerate(texts):
        y = top + 0.06 + LINE * (i + 0.5)
        if boxed > 1:
            axes.text(centre, y, a, ha="center", va="center", fontsize=size)
        else:
            axes.text(left + 0.08, y, a, ha="left", va="center", fontsize=size)
            axes.text(left + width - 0.08, y, b, ha="right", va="center", fontsize=size)
