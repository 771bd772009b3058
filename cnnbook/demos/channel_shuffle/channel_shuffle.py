"""ChannelShuffle: the wires of two grouped convolutions, with and without a shuffle between them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

MOST = 4  # groups, and channels in a group


class ChannelShuffle(Demo):
    """Follow the channels of one pixel through a grouped 1×1 convolution, a shuffle and another one.

    A channel that is chosen shows which inputs can reach it; the shuffle is switched on and off.

    Parameters
    ----------
    groups, per_group : int
        2 to 4 groups of 2 to 4 channels.
    shuffle : bool
        Whether the channels are shuffled between the two convolutions.
    layer : {1, 2}
        Whose output channel is chosen.
    channel : int
        The chosen channel; beyond the last one, the last.
    input : list of float
        16 numbers, of which the first ``groups * per_group`` are used.
    first, second : list of list of float
        16×4 weights of the two convolutions: for each output channel one for each channel of its group. The
        first ``groups * per_group`` rows and ``per_group`` columns are used.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    groups = traitlets.Int(3, min=2, max=MOST).tag(sync=True)
    per_group = traitlets.Int(3, min=2, max=MOST).tag(sync=True)
    shuffle = traitlets.Bool(True).tag(sync=True)
    layer = traitlets.Int(2, min=1, max=2).tag(sync=True)
    channel = traitlets.Int(4, min=0, max=MOST * MOST - 1).tag(sync=True)
    input = traitlets.List([2, 0, 1, 3, 1, 2, 0, 2, 1, 1, 3, 0, 2, 1, 0, 2]).tag(sync=True)
    first = traitlets.List().tag(sync=True)
    second = traitlets.List().tag(sync=True)

    @traitlets.default("first")
    def _first_weights(self) -> list:
        return _weights(1)

    @traitlets.default("second")
    def _second_weights(self) -> list:
        return _weights(2)

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "input", MOST * MOST)

    @traitlets.validate("first", "second")
    def _weight(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], proposal["trait"].name, MOST * MOST, MOST)

    @property
    def channels(self) -> int:
        """How many channels there are at present."""
        return self.groups * self.per_group

    @property
    def output(self) -> torch.Tensor:
        """The output for the present state, by torch, shape (channels,)."""
        import torch
        from torch.nn import functional

        c = self.channels
        x = torch.tensor(self.input[:c], dtype=torch.float64)[None, :, None, None]
        w1, w2 = (
            torch.tensor([row[: self.per_group] for row in rows[:c]], dtype=torch.float64)[..., None, None]
            for rows in (self.first, self.second)
        )
        h = functional.conv2d(x, w1, groups=self.groups)
        if self.shuffle:
            h = torch.nn.ChannelShuffle(self.groups)(h)
        return functional.conv2d(h, w2, groups=self.groups).flatten()

    def static_figure(self) -> Drawing:
        """Draw the channels of each group in a row, and the groups after the shuffle."""
        from cnnbook import figures

        g, n = self.groups, self.per_group
        before = [[row * n + column for column in range(n)] for row in range(g)]
        dealt = [row[column] for column in range(n) for row in before]
        after = [dealt[k * n : k * n + n] for k in range(g)]
        return figures.matrix(
            figures.Grid(
                before,
                title=self.labels["static_before"],
                color="channel",
                marked=[(0, j) for j in range(n)],
            ),
            figures.Grid(
                after,
                title=self.labels["static_after"],
                color="channel",
                marked=[(i, j) for i in range(g) for j in range(n) if after[i][j] < n],
            ),
            signs="→",
            alt=self.labels["static"],
        )


def _weights(seed: int) -> list[list[int]]:
    """Return 16×4 small whole numbers other than 0, so that every wire carries something."""
    source = random.Random(seed)
    return [[source.choice([-2, -1, 1, 2]) for _ in range(MOST)] for _ in range(MOST * MOST)]
