"""Two paths in one block: which channels are added, and which are put behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

RESIDUAL, DENSE = 2, 2  # channels of the two paths in the view with numbers


class DualPath(Demo):
    """Follow the channels of DPN-68 and DPN-92 block by block; and one place with numbers, step by step.

    Parameters
    ----------
    view : {"widths", "numbers"}
        Which of the two.
    model : {"dpn92", "dpn68"}
        The model.
    stage : {0, 1, 2, 3}
        The stage, conv2 to conv5.
    block : int
        The block that is looked at, from 0; held to those there are.
    step : int
        Of the view with numbers, 0 to 5: make, add, append; twice.
    input : list of float
        The 2 + 2 channels of one place.
    first, second : list of list of float
        Weights of the two blocks, 3×4 and 3×5: two channels to add, one to append.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    view = traitlets.Enum(["widths", "numbers"], "widths").tag(sync=True)
    model = traitlets.Enum(["dpn92", "dpn68"], "dpn92").tag(sync=True)
    stage = traitlets.Int(0, min=0, max=3).tag(sync=True)
    block = traitlets.Int(1, min=0, max=19).tag(sync=True)
    step = traitlets.Int(0, min=0, max=5).tag(sync=True)
    input = traitlets.List([2, 1, 3, 0]).tag(sync=True)
    first = traitlets.List([[1, 0, -1, 2], [0, 1, 1, 0], [1, 1, 0, 1]]).tag(sync=True)
    second = traitlets.List([[0, 0, 1, 0, -1], [1, -1, 0, 0, 1], [0, 1, 0, 1, -1]]).tag(sync=True)

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "input", RESIDUAL + DENSE)

    @traitlets.validate("first")
    def _first(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "first", RESIDUAL + 1, RESIDUAL + DENSE)

    @traitlets.validate("second")
    def _second(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "second", RESIDUAL + 1, RESIDUAL + DENSE + 1)

    @property
    def output(self) -> torch.Tensor:
        """What leaves the second block of the place with numbers, by torch, shape (6,)."""
        import torch

        h = torch.tensor(self.input, dtype=torch.float64)
        for rows in (self.first, self.second):
            new = torch.tensor(rows, dtype=torch.float64) @ h.relu()
            h = torch.cat([h[:RESIDUAL] + new[:RESIDUAL], h[RESIDUAL:], new[RESIDUAL:]])
        return h

    def static_figure(self) -> Drawing:
        """Draw the channels that leave the blocks of DPN-92's first stage (table 1 of the paper)."""
        from cnnbook import figures

        leaving = {self.labels["block"].format(i=i + 1): 256 + (i + 3) * 16 for i in range(3)}
        return figures.bars(leaving, xlabel=self.labels["leaving"], alt=self.labels["static"])
