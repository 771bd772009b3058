"""FreezeBoundary: how much of a pre-trained network learns, and what that gives at how many pictures."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook import results
from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    from cnnbook.figures import Drawing

STORED = "transfer-cifar10"


class FreezeBoundary(Demo):
    """Move the boundary between frozen and learning stages, and the amount of data; see stored runs.

    Parameters
    ----------
    frozen : int
        How many stages are frozen, 0 to 4. With 4 the head alone learns.
    examples : {10, 50, 250, 1000}
        Pictures a class.
    source : {"classes", "digits"}
        What the network was pre-trained on: other classes of CIFAR-10, or written digits.
    widths : list of int
        Output channels of the four stages.
    cells : list of dict
        The runs: ``source`` (also "scratch"), ``frozen``, ``examples`` and ``accuracies``, one for each seed.
        From ``cnnbook/results/transfer-cifar10.json``.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    frozen = traitlets.Int(4, min=0, max=4).tag(sync=True)
    examples = traitlets.Enum([10, 50, 250, 1000], 50).tag(sync=True)
    source = traitlets.Enum(["classes", "digits"], "classes").tag(sync=True)
    widths = traitlets.List(traitlets.Int(min=1)).tag(sync=True)
    classes = traitlets.Int(min=2).tag(sync=True)
    cells = traitlets.List().tag(sync=True)

    @traitlets.default("widths")
    def _widths(self) -> list[int]:
        return results.load(STORED).data["widths"]

    @traitlets.default("classes")
    def _classes(self) -> int:
        return len(results.load(STORED).data["held_out"])

    @traitlets.default("cells")
    def _cells(self) -> list[dict[str, Any]]:
        keys = ("source", "frozen", "examples", "accuracies")
        return [{key: cell[key] for key in keys} for cell in results.load(STORED).data["cells"]]

    def mean(self, source: str, frozen: int, examples: int) -> float:
        """Return the mean accuracy of one cell, in percent."""
        wanted = {"source": source, "frozen": frozen, "examples": examples}
        (found,) = (c["accuracies"] for c in self.cells if wanted.items() <= c.items())
        return 100 * statistics.mean(found)

    def static_figure(self) -> Drawing:
        """Draw the accuracy against the amount of data: from scratch, frozen and fine-tuned."""
        from cnnbook import figures

        ways = {"allLearn": ("classes", 0), "allFrozen": ("classes", 4), "scratch": ("scratch", 0)}
        amounts = [10, 50, 250, 1000]
        return figures.curve(
            amounts,
            {self.labels[label]: [self.mean(*way, n) for n in amounts] for label, way in ways.items()},
            xlabel="부류마다 사진 수",
            ylabel="정확도 (%)",
            log="x",
            alt=self.labels["static"],
        )
