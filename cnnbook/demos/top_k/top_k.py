"""TopK: what counts as right when the five most likely classes may be named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    from cnnbook.figures import Drawing

IMAGES, CLASSES = 5, 8


class TopK(Demo):
    """Count the top-k error of five images over eight classes.

    Parameters
    ----------
    k : int
        How many answers a network may give, 1 to 5.
    scores : list of list of float
        5×8: a score for each image and class.

    Raises
    ------
    traitlets.TraitError
        If a value has another shape or is outside these limits.
    """

    k = traitlets.Int(1, min=1, max=5).tag(sync=True)
    scores = traitlets.List(
        [
            [9, 4, 2, 1, 0, 3, 1, 0],
            [6, 7, 3, 2, 1, 0, 2, 1],
            [2, 5, 4, 8, 6, 1, 0, 3],
            [1, 5, 6, 3, 4, 2, 8, 7],
            [7, 6, 5, 4, 3, 2, 1, 0],
        ]
    ).tag(sync=True)
    answers = traitlets.List([0, 0, 2, 4, 7], read_only=True).tag(sync=True)

    @traitlets.validate("scores")
    def _scores(self, proposal: dict[str, Any]) -> list[list[float]]:
        return numbers(proposal["value"], "scores", IMAGES, CLASSES)

    @property
    def error(self) -> float:
        """The top-k error of the present scores, by torch, between 0 and 1."""
        import torch

        best = torch.tensor(self.scores, dtype=torch.float64).topk(self.k, dim=1).indices
        hit = (best == torch.tensor(self.answers)[:, None]).any(dim=1)
        return 1 - hit.double().mean().item()

    def static_figure(self) -> Drawing:
        """Draw the scores with the right class of each image marked."""
        from cnnbook import figures

        right = list(enumerate(self.answers))
        return figures.matrix(
            figures.Grid(self.scores, self.labels["scores"], marked=right, marker="output"),
            alt=self.labels["static"],
        )
