"""Grouped: cut the channels into groups and watch the connection matrix turn block-diagonal."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

CHANNELS, SIZE = 8, 3


def _small(low: int, high: int, *sizes: int) -> list:
    """Return nested lists of small whole numbers, the same each time."""
    source = random.Random(0)

    def fill(size: int, *rest: int) -> list:
        return [fill(*rest) if rest else source.randint(low, high) for _ in range(size)]

    return fill(*sizes)


class Grouped(Demo):
    """Connect eight input channels to eight output channels in 1, 2, 4 or 8 groups.

    One window is shown: 3×3 cells of each input channel, and the one cell that each output channel makes of
    them. A cell of the matrix is what one 3×3 kernel adds to one output channel.

    Parameters
    ----------
    groups : {1, 2, 4, 8}
        8 groups of one channel each are the depthwise convolution.
    input : list of list of list of float
        8×3×3: the window, channel by channel.
    weight : list
        8×8×3×3: a kernel for each output and input channel; groups use the blocks on the diagonal.
    output_channel, input_channel : int
        0 to 7: the cell of the matrix that is taken apart.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    groups = traitlets.Enum([1, 2, 4, 8], 2).tag(sync=True)
    input = traitlets.List().tag(sync=True)
    weight = traitlets.List().tag(sync=True)
    output_channel = traitlets.Int(5, min=0, max=CHANNELS - 1).tag(sync=True)
    input_channel = traitlets.Int(4, min=0, max=CHANNELS - 1).tag(sync=True)

    @traitlets.default("input")
    def _first_input(self) -> list:
        return _small(0, 3, CHANNELS, SIZE, SIZE)

    @traitlets.default("weight")
    def _first_weight(self) -> list:
        return _small(-2, 2, CHANNELS, CHANNELS, SIZE, SIZE)

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "input", CHANNELS, SIZE, SIZE)

    @traitlets.validate("weight")
    def _weight(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "weight", CHANNELS, CHANNELS, SIZE, SIZE)

    @property
    def kernels(self) -> list:
        """The kernels in use, as torch wants them: 8×(8 / groups)×3×3."""
        n = CHANNELS // self.groups
        return [line[o // n * n : o // n * n + n] for o, line in enumerate(self.weight)]

    @property
    def output(self) -> torch.Tensor:
        """The output for the present state, by torch, one number for each output channel, shape (8,)."""
        import torch

        x, w = (torch.tensor(v, dtype=torch.float64) for v in (self.input, self.kernels))
        return torch.nn.functional.conv2d(x, w, groups=self.groups).flatten()

    def static_figure(self) -> Drawing:
        """Draw what each input channel adds to each output channel, and the sums."""
        from cnnbook import figures

        n = CHANNELS // self.groups
        blank = float("nan")
        shares = [
            [
                sum(
                    w * x
                    for line, cells in zip(kernel, self.input[c], strict=True)
                    for w, x in zip(line, cells, strict=True)
                )
                if c // n == o // n
                else blank
                for c, kernel in enumerate(self.weight[o])
            ]
            for o in range(CHANNELS)
        ]
        joined = [(o, c) for o in range(CHANNELS) for c in range(CHANNELS) if c // n == o // n]
        return figures.matrix(
            figures.Grid(shares, title=self.labels["matrix"], color="kernel", marked=joined),
            figures.Grid(self.output[:, None].tolist(), title=self.labels["output"], color="output"),
            signs="→",
            alt=self.labels["static"],
        )
