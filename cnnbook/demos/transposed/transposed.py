"""Transposed: each input cell stamps its kernel; zeros put between give the same; overlaps are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

Matrix = list[list[float]]


class Transposed(Demo):
    """Take a transposed convolution apart: stamp by stamp, or as a convolution of an input full of zeros.

    A third view counts how many stamps reach each output cell, which is where checkerboards come from.

    Parameters
    ----------
    input : list of list of float
        3×3.
    kernel : list of list of float
        4×4, of which the upper left `kernel_size` rows and columns are used.
    kernel_size, stride : int
        2 to 4, 1 to 3.
    padding : int
        0 or 1: how many rings are cut off the output.
    view : {"stamp", "zeros", "overlap"}
        What is shown.
    step : int
        Which stamp or which window is shown, counted along the rows.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    input = traitlets.List([[1, 2, 0], [3, 1, 2], [0, 2, 1]]).tag(sync=True)
    kernel = traitlets.List([[0, 1, 2, 1], [2, 2, 0, 1], [0, 1, 2, 0], [1, 0, 1, 2]]).tag(sync=True)
    kernel_size = traitlets.Int(3, min=2, max=4).tag(sync=True)
    stride = traitlets.Int(2, min=1, max=3).tag(sync=True)
    padding = traitlets.Int(0, min=0, max=1).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)
    view = traitlets.Enum(["stamp", "zeros", "overlap"], "stamp").tag(sync=True)

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> Matrix:
        return numbers(proposal["value"], "input", 3, 3)

    @traitlets.validate("kernel")
    def _kernel(self, proposal: dict[str, Any]) -> Matrix:
        return numbers(proposal["value"], "kernel", 4, 4)

    @property
    def weight(self) -> Matrix:
        """The kernel in use, ``kernel_size`` cells high and wide."""
        return [line[: self.kernel_size] for line in self.kernel[: self.kernel_size]]

    @property
    def output(self) -> torch.Tensor:
        """The output for the present state, by torch, shape (H_out, W_out)."""
        import torch

        x, w = (torch.tensor(m, dtype=torch.float64)[None, None] for m in (self.input, self.weight))
        return torch.nn.functional.conv_transpose2d(x, w, stride=self.stride, padding=self.padding)[0, 0]

    def static_figure(self) -> Drawing:
        """Draw input, kernel and output of the present state, with the first stamp marked."""
        from cnnbook import figures

        stamp = [] if self.padding else figures.window(0, 0, self.kernel_size)
        return figures.matrix(
            figures.Grid(self.input, title=self.labels["input"], color="input", marked=[(0, 0)]),
            figures.Grid(self.weight, title=self.labels["kernel"], color="kernel"),
            figures.Grid(
                self.output.tolist(),
                title=self.labels["output"],
                color="output",
                marked=stamp,
                marker="kernel",
            ),
            signs="×→",
            alt=self.labels["static"],
        )
