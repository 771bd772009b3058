"""Figures of the book: one style, Korean text, readable in light and dark.

A figure is drawn once. Its ink is the text colour of the page that shows it (``currentColor`` in inline SVG),
its colours are mid-tones from ``cnnbook/colors.json``, with a contrast of 3 in either theme, and its letters
are outlines of the bundled NanumGothic. So one output is right in the book, in Jupyter and in Colab, and
nothing has to be installed.

Every drawing carries a sentence that stands in for it where it cannot be seen: ``alt`` is required.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import cbook, font_manager
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

HERE = Path(__file__).parent
COLORS: dict[str, str] = json.loads((HERE / "colors.json").read_text(encoding="utf-8"))
FONT = HERE / "fonts" / "NanumGothic.ttf"
# Drawn in this colour, then handed to the page as `currentColor`; no other element uses it.
INK = "#010203"
NO_METADATA = dict.fromkeys(["Date", "Creator", "Format", "Type"])  # the same bytes each time, and fewer
CELL = 0.38  # inches: the side of one cell of a grid
PAGE, GAP = 6.5, 0.17  # inches: the width of the book's figures, and the room between two parts
PLAIN, MARKED = 0.12, 0.40  # opacity of a cell's colour: numbers keep a contrast of 4.5 on it


@lru_cache(maxsize=1)
def _style() -> dict[str, Any]:
    """Register the font once and give the settings of every figure."""
    font_manager.fontManager.addfont(str(FONT))
    family = font_manager.FontProperties(fname=str(FONT)).get_name()
    ink = dict.fromkeys(
        [
            "text.color",
            "axes.edgecolor",
            "axes.labelcolor",
            "xtick.color",
            "ytick.color",
            "legend.labelcolor",
        ],
        INK,
    )
    return ink | {
        "font.family": [family, "DejaVu Sans"],
        "font.size": 10,
        "axes.unicode_minus": False,  # NanumGothic has no U+2212
        "axes.titlesize": 10,
        "axes.titleweight": "normal",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "axes.grid": False,
        "axes.prop_cycle": matplotlib.cycler(
            color=[COLORS[name] for name in ("input", "kernel", "output", "channel", "current", "wrong")]
        ),
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "legend.frameon": False,
        "lines.linewidth": 1.8,
        "svg.fonttype": "path",
        "svg.hashsalt": "cnnbook",
    }


@contextmanager
def style() -> Iterator[None]:
    """Draw in the book's style inside this block, and leave matplotlib's settings as they were.

    Examples
    --------
    >>> with style():
    ...     figure = Figure()
    """
    with matplotlib.rc_context(_style()):
        yield


@dataclass(frozen=True)
class Drawing:
    """Figures in a row, shown as inline SVG, and a sentence in their place where they cannot be seen.

    A narrow screen breaks the row, so that a phone shows every part at a readable size.

    Parameters
    ----------
    parts
        Matplotlib figures drawn inside :func:`style`, and the signs between them.
    alt
        One or two Korean sentences that say what the drawing shows.
    """

    parts: Sequence[Figure | str]
    alt: str

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ValueError("a figure needs `alt`: one sentence that says what it shows")

    def html(self) -> str:
        """Return the drawing as one HTML element whose ink is the page's own text colour."""
        parts = [_svg(part) if isinstance(part, Figure) else _sign(part) for part in self.parts]
        label = html.escape(self.alt, quote=True)
        row = "display:flex;flex-wrap:wrap;align-items:center;justify-content:center;gap:.75rem"
        head = f'<div class="cnn-figure" role="img" aria-label="{label}" style="{row}">'
        return head + "".join(parts) + "</div>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.alt}


def _sign(text: str) -> str:
    if text == "\n":
        return '<span style="flex-basis:100%"></span>'
    return f'<span style="font-size:1.5em">{html.escape(text)}</span>'


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    with style():
        figure.savefig(buffer, format="svg", metadata=NO_METADATA, bbox_inches="tight", pad_inches=0.02)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # Several figures share one page: names inside a figure are made its own.
    own = "f" + hashlib.sha256(text.encode()).hexdigest()[:8]
    text = re.sub(r'\bid="([^"]+)"', rf'id="{own}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{own}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{own}-\1)", text)
    return text.replace("<svg ", '<svg aria-hidden="true" style="max-width:100%;height:auto" ', 1)


@dataclass(frozen=True)
class Grid:
    """A matrix to be drawn as a grid of cells.

    Parameters
    ----------
    values
        ``(H, W)`` numbers; ``nan`` leaves a cell empty.
    title
        What stands above the grid.
    color
        A name of ``colors.json``: what the matrix is.
    marked
        ``(row, column)`` cells drawn in full colour, for instance the window under the kernel.
    marker
        The colour of marked cells where it is not the grid's own: the window is the kernel's.
    notes
        ``(H, W)`` small numbers in the lower right corner of cells, as the weight that meets each value;
        ``nan`` for none.
    padding
        Width of the border, in cells, that is padding and not data.
    """

    values: Any
    title: str = ""
    color: str = "input"
    marked: Sequence[tuple[int, int]] = ()
    marker: str = ""
    notes: Any = None
    padding: int = 0


def window(top: int, left: int, size: int = 3, dilation: int = 1) -> list[tuple[int, int]]:
    """Return the ``(row, column)`` cells under a square kernel whose corner lies at ``top, left``."""
    steps = [dilation * i for i in range(size)]
    return [(top + i, left + j) for i in steps for j in steps]


def _numbers(values: Any, name: str) -> np.ndarray:
    array = np.asarray(values.detach() if hasattr(values, "detach") else values, dtype=float)
    if array.ndim != 2:
        raise ValueError(f"{name} must have two dimensions (rows, columns); got shape {array.shape}")
    return array


def _short(value: float) -> str:
    return "" if np.isnan(value) else f"{round(float(value), 2) + 0.0:g}"  # + 0.0 turns -0 into 0


def _grid(grid: Grid) -> Figure:
    values = _numbers(grid.values, "values")
    notes = None if grid.notes is None else _numbers(grid.notes, "notes")
    rows, columns = values.shape
    if notes is not None and notes.shape != values.shape:
        raise ValueError(f"notes must have the shape of values {values.shape}; got {notes.shape}")
    marked, marker = set(grid.marked), grid.marker or grid.color
    with style():
        figure = Figure(figsize=(CELL * columns, CELL * rows))
        axes = figure.add_axes((0, 0, 1, 1))
        for i in range(rows):
            for j in range(columns):
                inside = (
                    grid.padding <= i < rows - grid.padding and grid.padding <= j < columns - grid.padding
                )
                color, edge = (COLORS[grid.color], "-") if inside else (COLORS["padding"], ":")
                field = (COLORS[marker], MARKED) if (i, j) in marked else (color, PLAIN)
                axes.add_patch(
                    Rectangle((j, i), 1, 1, facecolor=field, edgecolor=color, linewidth=0.8, linestyle=edge)
                )
                axes.text(j + 0.5, i + 0.5, _short(values[i, j]), ha="center", va="center")
                if notes is not None:
                    axes.text(j + 0.93, i + 0.93, _short(notes[i, j]), ha="right", va="bottom", fontsize=7)
        for i, j in marked:  # over all cells, so that no neighbour covers an edge
            axes.add_patch(Rectangle((j, i), 1, 1, fill=False, edgecolor=COLORS[marker], linewidth=1.8))
        axes.set(xlim=(-0.05, columns + 0.05), ylim=(rows + 0.05, -0.05))
        axes.set_title(grid.title, pad=6)
        axes.axis("off")
    return figure


def _between(figures: Sequence[Figure], signs: str) -> list[Figure | str]:
    """Put one sign between each pair of figures."""
    if signs and len(signs) != len(figures) - 1:
        raise ValueError(f"{len(figures)} parts need {len(figures) - 1} signs; got {signs!r}")
    parts: list[Figure | str] = [figures[0]]
    for k, figure in enumerate(figures[1:]):
        parts += [signs[k], figure] if signs else [figure]
    return parts


def matrix(*grids: Grid, alt: str, signs: str = "") -> Drawing:
    """Draw matrices in a row, at one scale, with a sign between neighbours.

    Parameters
    ----------
    grids
        The matrices, left to right.
    alt
        The sentence that stands in for the drawing.
    signs
        One character between each pair, for instance ``"∗="``, a newline for a new row; empty for none.

    Raises
    ------
    ValueError
        If there is no grid, a grid is not two-dimensional, or the signs do not fit between the grids.
    """
    if not grids:
        raise ValueError("matrix() needs at least one Grid")
    return Drawing(_between([_grid(grid) for grid in grids], signs), alt)


@dataclass(frozen=True)
class Box:
    """A block of cells to be drawn in depth: a volume, a stack of channels, a kernel.

    Parameters
    ----------
    shape
        Cells in depth (or channels), height and width.
    title, note
        What stands above and below the block.
    color
        A name of ``colors.json``: what the block is.
    """

    shape: tuple[int, int, int]
    title: str = ""
    note: str = ""
    color: str = "input"


def _box(box: Box, cell: float) -> Figure:
    depth, height, width = box.shape
    if min(box.shape) < 1:
        raise ValueError(f"a box needs at least one cell each way; got {box.shape}")
    slope, color = 0.45, COLORS[box.color]  # how far one cell of depth goes right and up

    def line(axes: Axes, *points: tuple[float, float]) -> None:
        axes.plot(*zip(*points, strict=True), color=color, linewidth=0.8, solid_capstyle="round")

    with style():
        across, up = width + slope * depth, height + slope * depth
        figure = Figure(figsize=(cell * across, cell * up))
        axes = figure.add_axes((0, 0, 1, 1))
        far = slope * depth
        front = [(0, 0), (width, 0), (width, height), (0, height)]
        top = [(0, height), (width, height), (width + far, height + far), (far, height + far)]
        side = [(width, 0), (width + far, far), (width + far, height + far), (width, height)]
        for face, alpha in ((front, PLAIN), (top, PLAIN / 2), (side, 2 * PLAIN)):
            axes.add_patch(Polygon(face, facecolor=color, alpha=alpha, linewidth=0))
        for j in range(width + 1):
            line(axes, (j, 0), (j, height), (j + far, height + far))
        for i in range(height + 1):
            line(axes, (0, i), (width, i), (width + far, i + far))
        for d in range(1, depth + 1):
            back = slope * d
            line(axes, (back, height + back), (width + back, height + back), (width + back, back))
        margin = 0.04 / cell
        axes.set(xlim=(-margin, across + margin), ylim=(-margin, up + margin))
        axes.set_title(box.title, pad=6)
        if box.note:
            axes.text(across / 2, -0.08 / cell, box.note, ha="center", va="top", fontsize=9)
        axes.axis("off")
    return figure


def boxes(*boxes: Box, alt: str, signs: str = "", cell: float = 0.2) -> Drawing:
    """Draw blocks of cells in a row, at one scale, with a sign between neighbours.

    Parameters
    ----------
    boxes
        The blocks, left to right.
    alt
        The sentence that stands in for the drawing.
    signs
        One character between each pair, for instance ``"∗="``, a newline for a new row; empty for none.
    cell
        The side of one cell, in inches.

    Raises
    ------
    ValueError
        If there is no block, a block has an empty side, or the signs do not fit between the blocks.
    """
    if not boxes:
        raise ValueError("boxes() needs at least one Box")
    return Drawing(_between([_box(box, cell) for box in boxes], signs), alt)


def side_by_side(
    images: Mapping[str, Any], *, alt: str, signed: Sequence[str] = (), across: int = 0
) -> Drawing:
    """Draw images in a row, each under its title, pixel for pixel.

    Parameters
    ----------
    images
        Title to ``(H, W)`` values in 0 (black) to 1 (white), or ``(H, W, 3)`` of red, green and blue.
    alt
        The sentence that stands in for the drawing.
    signed
        Titles of images with values of both signs: blue is negative, white is 0, orange is positive.
    across
        How many images fit into one row of the book; 0 for all of them.
    """
    if not images:
        raise ValueError("side_by_side() needs at least one image")
    if unknown := sorted(set(signed) - set(images)):
        raise ValueError(f"signed names images that are not there: {unknown}")
    diverging = LinearSegmentedColormap.from_list("signed", [COLORS["input"], "#ffffff", COLORS["kernel"]])
    across = across or len(images)
    width = min(2.5, (PAGE - GAP * (across - 1)) / across)  # inches
    parts = []
    for title, values in images.items():
        array = np.asarray(values, dtype=float) if np.ndim(values) == 3 else _numbers(values, title)
        limit = float(np.abs(array).max()) or 1.0
        scale = (
            {"cmap": diverging, "vmin": -limit, "vmax": limit}
            if title in signed
            else {"cmap": "gray", "vmin": 0, "vmax": 1}
        )
        with style():
            figure = Figure(figsize=(width, width * array.shape[0] / array.shape[1]))
            axes = figure.add_axes((0, 0, 1, 1))
            axes.imshow(array, interpolation="none", aspect="auto", **scale)
            axes.set_title(title, pad=5)
            axes.axis("off")
        parts.append(figure)
    return Drawing(parts, alt)


def curve(
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    alt: str,
    log: str = "",
) -> Drawing:
    """Draw lines over ``x``, each named at its end, told apart by colour and by dashes.

    Parameters
    ----------
    x
        The common abscissa.
    lines
        Name to values, as many as ``x`` has.
    xlabel, ylabel
        What the axes measure, with units.
    alt
        The sentence that stands in for the figure.
    log
        ``"x"``, ``"y"`` or ``"xy"``: the axes with a logarithmic scale.
    """
    dashes = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1))]
    with style():
        figure = Figure(figsize=(6.4, 3.4), layout="constrained")
        axes = figure.subplots()
        for (name, values), dash in zip(lines.items(), dashes, strict=False):
            if len(values) != len(x):
                raise ValueError(f"{name!r} has {len(values)} values for {len(x)} of x")
            axes.plot(x, values, linestyle=dash)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
            if name in log:
                axes.set(**{f"{name}scale": "log"})
                axis.set_major_formatter("{x:g}")  # 0.01, not a power whose minus sign NanumGothic lacks
        axes.autoscale_view()  # otherwise it waits for the drawing, and the ends are elsewhere
        ends = [(x[-1], values[-1]) for values in lines.values()]
        heights = [axes.transData.transform(end)[1] * 72 / figure.dpi for end in ends]
        for name, end, height, moved in zip(lines, ends, heights, _apart(heights, 12), strict=True):
            offset = (5, moved - height)
            axes.annotate(name, end, xytext=offset, textcoords="offset points", va="center")
    return Drawing([figure], alt)


def _apart(heights: Sequence[float], least: float) -> list[float]:
    """Move heights as little as leaves neighbours `least` apart: names of lines that end close together."""
    moved = list(heights)
    order = sorted(range(len(moved)), key=moved.__getitem__)
    for _ in range(100):  # a push may bring another pair together
        for low, high in pairwise(order):
            lack = least - (moved[high] - moved[low])
            if lack > 1e-9:
                moved[low] -= lack / 2
                moved[high] += lack / 2
    return moved


def bars(
    values: Mapping[str, float], *, xlabel: str, alt: str, log: bool = False, marked: Sequence[str] = ()
) -> Drawing:
    """Draw one bar for each name, top to bottom, with its value at its end.

    Parameters
    ----------
    values
        Name to value.
    xlabel
        What the bars measure, with its unit.
    alt
        The sentence that stands in for the figure.
    log
        Whether the scale is logarithmic.
    marked
        Names whose bars are told apart.
    """
    if not values:
        raise ValueError("bars() needs at least one value")
    if unknown := sorted(set(marked) - set(values)):
        raise ValueError(f"marked names bars that are not there: {unknown}")
    names, sizes = list(values), list(values.values())
    colors = [COLORS["kernel" if name in marked else "input"] for name in names]
    with style():
        figure = Figure(figsize=(6.4, 0.32 * len(names) + 0.7), layout="constrained")
        axes = figure.subplots()
        axes.barh(range(len(names)), sizes, color=colors, height=0.62)
        for at, size in enumerate(sizes):
            axes.annotate(
                f"{size:,.4g}" if isinstance(size, float) else f"{size:,}",
                (size, at), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9,
            )  # fmt: skip
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(axis="y", length=0)
        axes.invert_yaxis()
        axes.set_xlabel(xlabel)
        if log:
            axes.set_xscale("log")
        axes.margins(x=0.14)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.12g}")
    return Drawing([figure], alt)


def photograph(height: int = 160) -> np.ndarray:
    """Return a small grey photograph: Grace Hopper, US Navy, public domain, from matplotlib's sample data.

    Parameters
    ----------
    height
        Rows of the result; columns follow from the picture.

    Returns
    -------
    numpy.ndarray
        ``(height, W)`` values in 0 to 1, ``float32``.
    """
    from PIL import Image

    with cbook.get_sample_data("grace_hopper.jpg") as file, Image.open(file) as picture:
        width = round(height * picture.width / picture.height)
        grey = picture.convert("L").resize((width, height), Image.Resampling.LANCZOS)
        return np.asarray(grey, dtype=np.float32) / 255
