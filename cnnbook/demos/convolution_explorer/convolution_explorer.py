"""ConvolutionExplorer: one channel, one kernel, every number on the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, photo

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

Matrix = list[list[float]]


def _matrix(value: Any, name: str, smallest: int, largest: int) -> Matrix:
    """Check a rectangle of finite numbers and return it as nested lists."""
    rows = [[float(v) for v in row] for row in value]
    wide = {len(row) for row in rows}
    if len(wide) != 1:
        raise traitlets.TraitError(f"{name} must be a rectangle; its rows have lengths {sorted(wide)}")
    height, width = len(rows), wide.pop()
    if not (smallest <= height <= largest and smallest <= width <= largest):
        raise traitlets.TraitError(
            f"{name} must be {smallest} to {largest} cells high and wide; got {height}×{width}"
        )
    if any(v != v or v in (float("inf"), float("-inf")) for row in rows for v in row):
        raise traitlets.TraitError(f"{name} must hold finite numbers")
    return [[int(v) if v == int(v) else v for v in row] for row in rows]


class ConvolutionExplorer(Demo):
    """Edit an input and a kernel, set stride, padding and dilation, and step through every window.

    What PyTorch calls convolution: cross-correlation, with zero padding. The kernel also runs over a
    photograph.

    Parameters
    ----------
    input : list of list of float
        From 3×3 to 8×8. The default is the lecture's example.
    kernel : list of list of float
        3×3.
    stride, padding, dilation : int
        1 to 3, 0 to 2, 1 to 3.
    step : int
        Which window is shown, counted along the rows of the output.
    view : {"numbers", "photo"}
        Whether the kernel runs over the input or over the photograph.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    input = traitlets.List(
        [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
    ).tag(sync=True)
    kernel = traitlets.List([[0, 1, 2], [2, 2, 0], [0, 1, 2]]).tag(sync=True)
    stride = traitlets.Int(1, min=1, max=3).tag(sync=True)
    padding = traitlets.Int(0, min=0, max=2).tag(sync=True)
    dilation = traitlets.Int(1, min=1, max=3).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)
    view = traitlets.Enum(["numbers", "photo"], "numbers").tag(sync=True)
    photo = traitlets.Bytes(help="96×96 grey bytes, row by row").tag(sync=True)

    @traitlets.default("photo")
    def _photo(self) -> bytes:
        return photo().tobytes()

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> Matrix:
        return _matrix(proposal["value"], "input", 3, 8)

    @traitlets.validate("kernel")
    def _kernel(self, proposal: dict[str, Any]) -> Matrix:
        return _matrix(proposal["value"], "kernel", 3, 3)

    @property
    def output(self) -> torch.Tensor:
        """The output for the present state, by torch, shape (H_out, W_out).

        Raises
        ------
        RuntimeError
            If the window is larger than the padded input.
        """
        import torch

        x, w = (torch.tensor(m, dtype=torch.float64)[None, None] for m in (self.input, self.kernel))
        return torch.nn.functional.conv2d(
            x, w, stride=self.stride, padding=self.padding, dilation=self.dilation
        )[0, 0]

    def static_figure(self) -> Drawing:
        """Draw the first window of the present state with its output."""
        from cnnbook import figures

        try:
            output = self.output.tolist()
        except RuntimeError:  # the window is larger than the input: nothing to mark, nothing comes out
            output = None
        marked = [] if output is None else figures.window(0, 0, 3, self.dilation)
        grids = [
            figures.Grid(
                _pad(self.input, self.padding),
                title=self.labels["input"],
                color="input",
                marked=marked,
                padding=self.padding,
            ),
            figures.Grid(self.kernel, title=self.labels["kernel"], color="kernel"),
        ]
        if output is not None:
            grids.append(figures.Grid(output, title=self.labels["output"], color="output", marked=[(0, 0)]))
        return figures.matrix(*grids, signs="∗="[: len(grids) - 1], alt=self.labels["static"])


def _pad(rows: Matrix, p: int) -> Matrix:
    empty = [[0.0] * (len(rows[0]) + 2 * p)] * p
    return [*empty, *([0.0] * p + list(row) + [0.0] * p for row in rows), *empty]
