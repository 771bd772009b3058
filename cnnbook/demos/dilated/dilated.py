"""Dilated: three dilated layers on top of each other, what one output sees and what it misses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

LONGEST = 19  # cells that three rates with the largest sum see, along one axis


class Dilated(Demo):
    """Stack up to three layers of 3×3 kernels, each with a rate of its own, and look down from one output.

    One view counts the paths from each input cell to the output, over an area; the other follows values along
    one axis.

    Parameters
    ----------
    first, second, third : int
        Dilation of each layer, 1 to 4; together at most 9, so that all cells can be shown.
    depth : int
        How many of the layers are stacked, 1 to 3.
    view : {"area", "line"}
        What is shown.
    input : list of float
        19 numbers, of which the line shows as many as the output sees.
    kernel : list of float
        The three weights that every layer of the line uses.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    first = traitlets.Int(1, min=1, max=4).tag(sync=True)
    second = traitlets.Int(2, min=1, max=4).tag(sync=True)
    third = traitlets.Int(4, min=1, max=4).tag(sync=True)
    depth = traitlets.Int(3, min=1, max=3).tag(sync=True)
    view = traitlets.Enum(["area", "line"], "area").tag(sync=True)
    input = traitlets.List([1, 0, 2, 1, 3, 0, 1, 2, 0, 1, 1, 3, 2, 0, 1, 2, 0, 1, 3]).tag(sync=True)
    kernel = traitlets.List([1, 2, 1]).tag(sync=True)

    @traitlets.validate("first", "second", "third")
    def _rates(self, proposal: dict[str, Any]) -> int:
        name = proposal["trait"].name
        rates = {"first": self.first, "second": self.second, "third": self.third, name: proposal["value"]}
        if 2 * sum(rates.values()) + 1 > LONGEST:
            raise traitlets.TraitError(f"first, second and third may add up to at most 9; got {rates}")
        return proposal["value"]

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> list[float]:
        return numbers(proposal["value"], "input", LONGEST)

    @traitlets.validate("kernel")
    def _kernel(self, proposal: dict[str, Any]) -> list[float]:
        return numbers(proposal["value"], "kernel", 3)

    @property
    def rates(self) -> list[int]:
        """The rates of the layers that are stacked."""
        return [self.first, self.second, self.third][: self.depth]

    @property
    def paths(self) -> torch.Tensor:
        """How many paths lead from each input cell to the output: a gradient, by torch, shape (F, F)."""
        import torch

        side = 1 + 2 * sum(self.rates)
        y = x = torch.zeros(1, 1, side, side, requires_grad=True)
        for rate in self.rates:
            y = torch.nn.functional.conv2d(y, torch.ones(1, 1, 3, 3), dilation=rate)
        return torch.autograd.grad(y.sum(), x)[0][0, 0]

    def static_figure(self) -> Drawing:
        """Draw what the output sees of the input in the present state."""
        from cnnbook import figures

        paths = self.paths
        seen = [tuple(cell) for cell in paths.nonzero().tolist()]
        grid = figures.Grid(paths, title=self.labels["map"], color="input", marked=seen, marker="output")
        return figures.matrix(grid, alt=self.labels["static"])
