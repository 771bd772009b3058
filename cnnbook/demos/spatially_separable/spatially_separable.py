"""SpatiallySeparable: a kernel from a column and a row, a kernel taken apart, three directions in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing


class SpatiallySeparable(Demo):
    """Make a kernel of a column and a row, take any kernel apart by its rank, or flatten a volume's kernel.

    Parameters
    ----------
    view : {"compose", "split", "flat"}
        A column times a row; a kernel as a sum of such products; depth, column and row on a volume.
    column, row, depth : list of float
        Three numbers each; the default column and row make the Sobel kernel.
    input : list of list of float
        5×5, for ``compose``. The default is the lecture's example.
    kernel : list of list of float
        3×3, for ``split``.
    terms : int
        How many products are added up in ``split``, 1 to 3.
    volume : list of list of list of float
        Depth 3, height 4, width 4, for ``flat``.
    step : int
        Which output is shown, counted along the rows.

    Raises
    ------
    traitlets.TraitError
        If a value has another shape or is outside these limits.
    """

    view = traitlets.Enum(["compose", "split", "flat"], "compose").tag(sync=True)
    column = traitlets.List([1, 2, 1]).tag(sync=True)
    row = traitlets.List([-1, 0, 1]).tag(sync=True)
    depth = traitlets.List([1, -1, 2]).tag(sync=True)
    input = traitlets.List(
        [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
    ).tag(sync=True)
    kernel = traitlets.List([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]).tag(sync=True)
    terms = traitlets.Int(1, min=1, max=3).tag(sync=True)
    volume = traitlets.List(
        [
            [[1, 0, 2, 1], [0, 1, 3, 0], [2, 1, 0, 1], [1, 1, 0, 2]],
            [[0, 2, 1, 0], [1, 0, 2, 1], [3, 0, 1, 0], [0, 1, 1, 0]],
            [[2, 1, 0, 1], [0, 1, 1, 2], [1, 0, 2, 0], [1, 2, 0, 1]],
        ]
    ).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)

    @traitlets.validate("column", "row", "depth")
    def _vector(self, proposal: dict[str, Any]) -> list[float]:
        return numbers(proposal["value"], proposal["trait"].name, 3)

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> list[list[float]]:
        return numbers(proposal["value"], "input", 5, 5)

    @traitlets.validate("kernel")
    def _kernel(self, proposal: dict[str, Any]) -> list[list[float]]:
        return numbers(proposal["value"], "kernel", 3, 3)

    @traitlets.validate("volume")
    def _volume(self, proposal: dict[str, Any]) -> list[list[list[float]]]:
        return numbers(proposal["value"], "volume", 3, 4, 4)

    @property
    def output(self) -> torch.Tensor:
        """The output of the column and then the row on the input, by torch, shape (3, 3)."""
        import torch

        x, column, row = (torch.tensor(v, dtype=torch.float64) for v in (self.input, self.column, self.row))
        middle = torch.nn.functional.conv2d(x[None, None], column.reshape(1, 1, 3, 1))
        return torch.nn.functional.conv2d(middle, row.reshape(1, 1, 1, 3))[0, 0]

    def static_figure(self) -> Drawing:
        """Draw the column, the row and the kernel they make."""
        from cnnbook import figures

        column, row = [[v] for v in self.column], [self.row]
        kernel = [[c * r for r in self.row] for c in self.column]
        return figures.matrix(
            figures.Grid(column, self.labels["column"], color="kernel"),
            figures.Grid(row, self.labels["row"], color="kernel"),
            figures.Grid(kernel, self.labels["kernel"], color="kernel"),
            signs="×=",
            alt=self.labels["static"],
        )
