"""Growth: the strips of channels that the layers of a dense block make, and who reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

CHANNELS = 2  # of the view with numbers: the input's, and what each layer makes


class Growth(Demo):
    """Let a dense block grow strip by strip; and follow one place through three layers, joined or added.

    Parameters
    ----------
    view : {"block", "numbers"}
        Which of the two.
    start : {16, 24, 64, 96}
        Channels of the block's input.
    growth : {4, 8, 12, 16, 24, 32, 48}
        The growth rate k.
    layers : int
        Layers of the block, 1 to 12.
    bottleneck : bool
        Whether a 1×1 to 4k channels comes before each 3×3.
    seen : int
        Whose strip is marked: 0 is the input, 3 the third layer's; held to the layers there are.
    join : {"concat", "sum"}
        How the view with numbers joins a layer's channels to those before it.
    input : list of float
        The 2 channels of one place.
    first, second, third : list of list of float
        Weights of the three layers: 2×2, 2×4 and 2×6.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    view = traitlets.Enum(["block", "numbers"], "block").tag(sync=True)
    start = traitlets.Enum([16, 24, 64, 96], 64).tag(sync=True)
    growth = traitlets.Enum([4, 8, 12, 16, 24, 32, 48], 32).tag(sync=True)
    layers = traitlets.Int(6, min=1, max=12).tag(sync=True)
    bottleneck = traitlets.Bool(True).tag(sync=True)
    seen = traitlets.Int(1, min=0, max=12).tag(sync=True)
    join = traitlets.Enum(["concat", "sum"], "concat").tag(sync=True)
    input = traitlets.List([2, 1]).tag(sync=True)
    first = traitlets.List([[1, -1], [0, 2]]).tag(sync=True)
    second = traitlets.List([[1, 0, 1, 0], [-1, 1, 0, 1]]).tag(sync=True)
    third = traitlets.List([[0, 1, 0, -1, 1, 0], [1, 0, 1, 0, 0, -1]]).tag(sync=True)

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "input", CHANNELS)

    @traitlets.validate("first")
    def _first(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "first", CHANNELS, CHANNELS)

    @traitlets.validate("second")
    def _second(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "second", CHANNELS, 2 * CHANNELS)

    @traitlets.validate("third")
    def _third(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "third", CHANNELS, 3 * CHANNELS)

    @property
    def output(self) -> torch.Tensor:
        """What leaves the place with numbers, by torch: shape (8,) where joined, (2,) where added."""
        import torch

        h = torch.tensor(self.input, dtype=torch.float64)
        for rows in (self.first, self.second, self.third):
            new = torch.tensor(rows, dtype=torch.float64)[:, : len(h)] @ h.relu()
            h = torch.cat([h, new]) if self.join == "concat" else h + new
        return h

    def static_figure(self) -> Drawing:
        """Draw how many channels each layer sees."""
        from cnnbook import figures

        lines = {
            self.labels["layer"].format(i=i + 1): self.start + i * self.growth for i in range(self.layers)
        }
        lines[self.labels["blockOutput"]] = self.start + self.layers * self.growth
        return figures.bars(lines, xlabel=self.labels["strips"], alt=self.labels["static"])
