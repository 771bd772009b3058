"""ResidualDepth: what reaches the first block of a deep stack, with shortcuts and without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook import results
from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    from cnnbook.figures import Drawing


class ResidualDepth(Demo):
    """Gradient norms, block by block, of small networks that were trained; and a chain to edit by hand.

    Parameters
    ----------
    view : {"measured", "numbers"}
        The stored measurements, or a chain of six numbers.
    convolutions : {4, 8, 16, 32, 64}
        Convolutions in the blocks, two a block.
    skip, norm : bool
        Whether the blocks have shortcuts, and whether they normalise.
    step : int
        How many blocks the gradient has gone back.
    weights : list of float
        The six weights of the chain.
    networks : list of dict
        The measurements: ``blocks``, ``skip``, ``norm``, ``gradients`` (at the stem's output and at each
        block's), ``loss`` and ``accuracy`` after training. From ``cnnbook/results/resnet-depth.json``.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    view = traitlets.Enum(["measured", "numbers"], "measured").tag(sync=True)
    convolutions = traitlets.Enum([4, 8, 16, 32, 64], 32).tag(sync=True)
    skip = traitlets.Bool(False).tag(sync=True)
    norm = traitlets.Bool(True).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)
    weights = traitlets.List([0.3, 0.2, 0.4, 0.3, 0.2, 0.4]).tag(sync=True)
    networks = traitlets.List().tag(sync=True)

    @traitlets.default("networks")
    def _networks(self) -> list[dict[str, Any]]:
        return results.load("resnet-depth").data["networks"]

    @traitlets.validate("weights")
    def _weights(self, proposal: dict[str, Any]) -> list[float]:
        return numbers(proposal["value"], "weights", 6)

    def gradients(self, convolutions: int, *, skip: bool, norm: bool = True) -> list[float]:
        """Return the measured gradient norms of one network, from the stem's output to the last block's."""
        (found,) = (
            n["gradients"]
            for n in self.networks
            if (2 * n["blocks"], n["skip"], n["norm"]) == (convolutions, skip, norm)
        )
        return found

    def static_figure(self) -> Drawing:
        """Draw the gradient at every block of the deepest networks, with shortcuts and without."""
        from cnnbook import figures

        lines = {
            self.labels[label]: self.gradients(64, skip=skip)
            for label, skip in (("plain", False), ("withSkip", True))
        }
        return figures.curve(
            range(len(lines[self.labels["plain"]])),
            lines,
            xlabel="블록의 출력 (0은 첫 블록의 앞)",
            ylabel="기울기의 크기",
            log="y",
            alt=self.labels["static"],
        )
