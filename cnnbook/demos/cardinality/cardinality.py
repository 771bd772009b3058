"""Cardinality: many thin paths for the price of one wide one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

CHANNELS, PATHS, WIDTH = 4, 3, 2  # of the view with numbers


class Cardinality(Demo):
    """Split a bottleneck into paths at a fixed number of weights; and follow one place through three paths.

    Parameters
    ----------
    view : {"budget", "numbers"}
        Which of the two.
    paths : {1, 2, 4, 8, 16, 32, 64}
        The cardinality.
    channels : {256, 512, 1024, 2048}
        Channels of the block; the budget is that of ResNet's bottleneck on as many.
    path : int
        Which of the three paths is shown with its numbers, 0 to 2.
    input : list of float
        The 4 channels of one place.
    down, middle, up : list of list of list of float
        Weights of the three paths: 3×2×4, 3×2×2 and 3×4×2. The middle is one tap of the 3×3.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    view = traitlets.Enum(["budget", "numbers"], "budget").tag(sync=True)
    paths = traitlets.Enum([1, 2, 4, 8, 16, 32, 64], 32).tag(sync=True)
    channels = traitlets.Enum([256, 512, 1024, 2048], 256).tag(sync=True)
    path = traitlets.Int(0, min=0, max=PATHS - 1).tag(sync=True)
    input = traitlets.List([2, 1, 0, 3]).tag(sync=True)
    down = traitlets.List(
        [[[1, 0, 1, 0], [0, 1, 0, -1]], [[0, 1, -1, 1], [1, -1, 0, 0]], [[-1, 0, 2, 1], [0, 0, 1, 1]]]
    ).tag(sync=True)
    middle = traitlets.List([[[1, 1], [2, -1]], [[1, 0], [-1, 2]], [[0, 1], [1, 1]]]).tag(sync=True)
    up = traitlets.List(
        [
            [[1, 0], [0, 1], [-1, 0], [0, -1]],
            [[0, 1], [1, 0], [1, -1], [0, 1]],
            [[-1, 0], [0, 1], [1, 1], [0, -1]],
        ]
    ).tag(sync=True)

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "input", CHANNELS)

    @traitlets.validate("down")
    def _down(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "down", PATHS, WIDTH, CHANNELS)

    @traitlets.validate("middle")
    def _middle(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "middle", PATHS, WIDTH, WIDTH)

    @traitlets.validate("up")
    def _up(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "up", PATHS, CHANNELS, WIDTH)

    @property
    def output(self) -> torch.Tensor:
        """The block's output for the present numbers, by one grouped convolution of torch, shape (4,)."""
        import torch
        import torch.nn.functional as F

        x, down, middle, up = (
            torch.tensor(v, dtype=torch.float64) for v in (self.input, self.down, self.middle, self.up)
        )
        h = F.conv2d(x.view(1, -1, 1, 1), down.flatten(0, 1)[..., None, None]).relu()
        h = F.conv2d(h, middle.flatten(0, 1)[..., None, None], groups=PATHS).relu()
        h = F.conv2d(h, up.permute(1, 0, 2).flatten(1)[..., None, None])
        return (h.flatten() + x).relu()

    @staticmethod
    def widths(channels: int = 256) -> dict[int, tuple[int, int]]:
        """Return, for each cardinality, the path's width that comes closest to the budget, and weights."""
        quarter = channels // 4
        budget = 2 * channels * quarter + 9 * quarter**2
        found = {}
        for paths in (1, 2, 4, 8, 16, 32, 64):
            fits = [(w, 2 * channels * paths * w + 9 * paths * w**2) for w in range(quarter, 0, -1)]
            found[paths] = min(fits, key=lambda fit: abs(fit[1] - budget))
        return found

    def static_figure(self) -> Drawing:
        """Draw the weights of the block at every cardinality."""
        from cnnbook import figures

        lines = {
            self.labels["form"].format(paths=paths, width=width): weights
            for paths, (width, weights) in self.widths().items()
        }
        return figures.bars(lines, xlabel="가중치", alt=self.labels["static"], marked=["32 × 4d"])
