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
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import cbook, font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

HERE = Path(__file__).parent
COLORS: dict[str, str] = json.loads((HERE / "colors.json").read_text(encoding="utf-8"))
FONT = HERE / "fonts" / "NanumGothic.ttf"
# Drawn in this colour, then handed to the page as `currentColor`; no other element uses it.
INK = "#010203"
CELL = 0.42  # inches: the side of one cell of a grid
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
    """A figure that a notebook shows as inline SVG, with a sentence in its place where it cannot be seen.

    Parameters
    ----------
    figure
        A matplotlib figure drawn inside :func:`style`.
    alt
        One or two Korean sentences that say what the figure shows.
    """

    figure: Figure
    alt: str

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ValueError("a figure needs `alt`: one sentence that says what it shows")

    def svg(self) -> str:
        """Return the figure as an SVG element whose ink is the page's own text colour."""
        buffer = io.StringIO()
        with style():
            self.figure.savefig(
                buffer, format="svg", metadata={"Date": None}, bbox_inches="tight", pad_inches=0.05
            )
        text = buffer.getvalue()
        text = text[text.index("<svg") :].replace(INK, "currentColor")
        # Several figures share one page: names inside a figure are made its own.
        own = "f" + hashlib.sha256(text.encode()).hexdigest()[:8]
        text = re.sub(r'\bid="([^"]+)"', rf'id="{own}-\1"', text)
        text = re.sub(r'href="#([^"]+)"', rf'href="#{own}-\1"', text)
        text = re.sub(r"url\(#([^)]+)\)", rf"url(#{own}-\1)", text)
        label = html.escape(self.alt, quote=True)
        return text.replace(
            "<svg ", f'<svg role="img" aria-label="{label}" style="max-width:100%;height:auto" ', 1
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": f'<div class="cnn-figure">{self.svg()}</div>', "text/plain": self.alt}


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


def _draw_grid(axes: Axes, grid: Grid) -> None:
    values = _numbers(grid.values, "values")
    notes = None if grid.notes is None else _numbers(grid.notes, "notes")
    rows, columns = values.shape
    if notes is not None and notes.shape != values.shape:
        raise ValueError(f"notes must have the shape of values {values.shape}; got {notes.shape}")
    marked = set(grid.marked)
    for i in range(rows):
        for j in range(columns):
            inside = grid.padding <= i < rows - grid.padding and grid.padding <= j < columns - grid.padding
            color = COLORS[grid.color if inside else "padding"]
            axes.add_patch(
                Rectangle(
                    (j, i), 1, 1, facecolor=color, alpha=MARKED if (i, j) in marked else PLAIN, linewidth=0
                )
            )
            axes.add_patch(
                Rectangle(
                    (j, i), 1, 1, fill=False, edgecolor=color, linewidth=0.8, linestyle="-" if inside else ":"
                )
            )
            axes.text(j + 0.5, i + 0.5, _short(values[i, j]), ha="center", va="center")
            if notes is not None:
                axes.text(j + 0.93, i + 0.91, _short(notes[i, j]), ha="right", va="bottom", fontsize=7.5)
    for i, j in marked:  # over all cells, so that no neighbour covers an edge
        axes.add_patch(Rectangle((j, i), 1, 1, fill=False, edgecolor=COLORS[grid.color], linewidth=1.8))
    axes.set(xlim=(-0.05, columns + 0.05), ylim=(rows + 0.05, -0.05), aspect="equal")
    axes.set_title(grid.title, pad=6)
    axes.axis("off")


def matrix(*grids: Grid, alt: str, signs: str = "") -> Drawing:
    """Draw matrices in a row, at one scale, with a sign between neighbours.

    Parameters
    ----------
    grids
        The matrices, left to right.
    alt
        The sentence that stands in for the figure.
    signs
        One character between each pair, for instance ``"∗="``; empty for none.

    Raises
    ------
    ValueError
        If there is no grid, a grid is not two-dimensional, or the signs do not fit between the grids.
    """
    if not grids:
        raise ValueError("matrix() needs at least one Grid")
    if signs and len(signs) != len(grids) - 1:
        raise ValueError(f"{len(grids)} grids need {len(grids) - 1} signs; got {signs!r}")
    shapes = [_numbers(grid.values, "values").shape for grid in grids]
    gap, title = 0.9, 0.8  # in cells
    height = max(rows for rows, _ in shapes)
    width = sum(columns for _, columns in shapes) + gap * (len(grids) - 1)
    with style():
        figure = Figure(figsize=(CELL * width, CELL * (height + title)))
        left = 0.0
        for k, (grid, (rows, columns)) in enumerate(zip(grids, shapes, strict=True)):
            bottom = (height - rows) / 2
            box = (
                left / width,
                bottom / (height + title),
                columns / width,
                rows / (height + title),
            )
            _draw_grid(figure.add_axes(box), grid)
            left += columns
            if signs and k < len(signs):
                figure.text(
                    (left + gap / 2) / width,
                    height / 2 / (height + title),
                    signs[k],
                    ha="center",
                    va="center",
                    fontsize=15,
                )
            left += gap
    return Drawing(figure, alt)


def side_by_side(
    images: Mapping[str, Any], *, alt: str, signed: Sequence[str] = (), width: float = 7.0
) -> Drawing:
    """Draw grey images in a row, each under its title, pixel for pixel.

    Parameters
    ----------
    images
        Title to ``(H, W)`` values in 0 (black) to 1 (white).
    alt
        The sentence that stands in for the figure.
    signed
        Titles of images with values of both signs: blue is negative, white is 0, orange is positive.
    width
        Width of the figure in inches.
    """
    if not images:
        raise ValueError("side_by_side() needs at least one image")
    unknown = set(signed) - set(images)
    if unknown:
        raise ValueError(f"signed names images that are not there: {sorted(unknown)}")
    diverging = matplotlib.colors.LinearSegmentedColormap.from_list(
        "signed", [COLORS["input"], "#ffffff", COLORS["kernel"]]
    )
    with style():
        arrays = {name: _numbers(values, name) for name, values in images.items()}
        tallest = max(a.shape[0] / a.shape[1] for a in arrays.values())
        figure = Figure(figsize=(width, width / len(arrays) * tallest + 0.3), layout="constrained")
        for axes, (name, array) in zip(
            np.ravel(figure.subplots(1, len(arrays))), arrays.items(), strict=True
        ):
            if name in signed:
                limit = float(np.abs(array).max()) or 1.0
                axes.imshow(array, cmap=diverging, vmin=-limit, vmax=limit, interpolation="none")
            else:
                axes.imshow(array, cmap="gray", vmin=0, vmax=1, interpolation="none")
            axes.set_title(name)
            axes.axis("off")
    return Drawing(figure, alt)


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
            axes.annotate(name, (x[-1], values[-1]), xytext=(5, 0), textcoords="offset points", va="center")
        axes.set(xlabel=xlabel, ylabel=ylabel)
        if "x" in log:
            axes.set_xscale("log")
        if "y" in log:
            axes.set_yscale("log")
    return Drawing(figure, alt)


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
