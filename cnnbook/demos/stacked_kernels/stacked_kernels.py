"""StackedKernels: a stack of 3×3 kernels against the one large kernel that sees as much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing


class StackedKernels(Demo):
    """Stack one to three 3×3 kernels on a 7×7 input and compare with the kernel that they make together.

    Parameters
    ----------
    depth : int
        How many kernels are stacked, 1 to 3; the stack sees 2 × depth + 1 cells each way.
    relu : bool
        Whether each convolution is followed by a ReLU.
    channels : int
        Channels of every map, for the count of weights: 1 to 512.
    input : list of list of float
        7×7; a smaller stack sees the middle of it.
    kernels : list of list of list of float
        3×3×3: the kernels, from the first on.

    Raises
    ------
    traitlets.TraitError
        If a value has another shape or is outside these limits.
    """

    depth = traitlets.Int(2, min=1, max=3).tag(sync=True)
    relu = traitlets.Bool(False).tag(sync=True)
    channels = traitlets.Int(64, min=1, max=512).tag(sync=True)
    input = traitlets.List(
        [
            [1, 0, 2, 1, 0, 1, 2],
            [0, 1, 1, 0, 2, 0, 1],
            [2, 0, 3, 1, 0, 1, 0],
            [1, 2, 0, 2, 1, 3, 1],
            [0, 1, 1, 0, 2, 0, 2],
            [1, 0, 2, 1, 1, 0, 1],
            [2, 1, 0, 1, 0, 2, 0],
        ]
    ).tag(sync=True)
    kernels = traitlets.List(
        [
            [[0, 1, 0], [1, -2, 1], [0, 1, 0]],
            [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
            [[0, 1, 0], [1, 1, 1], [0, 1, 0]],
        ]
    ).tag(sync=True)

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> list[list[float]]:
        return numbers(proposal["value"], "input", 7, 7)

    @traitlets.validate("kernels")
    def _kernels(self, proposal: dict[str, Any]) -> list[list[list[float]]]:
        return numbers(proposal["value"], "kernels", 3, 3, 3)

    @property
    def output(self) -> torch.Tensor:
        """The one number that the stack makes of the middle of the input, by torch, shape ()."""
        import torch

        edge = 3 - self.depth
        y = torch.tensor(self.input, dtype=torch.float64)[None, None, edge : 7 - edge, edge : 7 - edge]
        for kernel in self.kernels[: self.depth]:
            y = torch.nn.functional.conv2d(y, torch.tensor(kernel, dtype=torch.float64)[None, None])
            y = y.relu() if self.relu else y
        return y[0, 0, 0, 0]

    def static_figure(self) -> Drawing:
        """Draw the maps that grow smaller, convolution by convolution."""
        import torch

        from cnnbook import figures

        edge = 3 - self.depth
        y = torch.tensor(self.input, dtype=torch.float64)[edge : 7 - edge, edge : 7 - edge]
        grids = [figures.Grid(y, self.labels["input"])]
        for n, kernel in enumerate(self.kernels[: self.depth], start=1):
            weight = torch.tensor(kernel, dtype=torch.float64)
            y = torch.nn.functional.conv2d(y[None, None], weight[None, None])[0, 0]
            y = y.relu() if self.relu else y
            grids.append(figures.Grid(y, self.labels["after"].format(n=n), color="output"))
        return figures.matrix(*grids, signs="→" * self.depth, alt=self.labels["static"])
