"""TransferTime: how many updates, and how much time, an accuracy costs with and without transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook import results
from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    from cnnbook.figures import Drawing

STORED = "transfer-cifar10"
WAYS = {"scratch": ("scratch", 0), "head": ("classes", 4), "tuned": ("classes", 0)}


class TransferTime(Demo):
    """Set an accuracy to reach; see when each way of learning reaches it in the stored runs.

    Parameters
    ----------
    target : int
        The accuracy to reach, 30 to 95 percent.
    examples : {50, 1000}
        Pictures a class.
    tasks : int
        How many new tasks share one pre-training, 1 to 100.
    at : list of int
        Updates after which the accuracy was taken.
    curves : list of dict
        For each way ("scratch", "head", "tuned") and amount: ``way``, ``examples`` and ``curve``, the mean
        accuracy over seeds at each of ``at``.
    seconds : dict of str to float
        Time of one update of each way.
    before : float
        Seconds of one pre-training.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    target = traitlets.Int(70, min=30, max=95).tag(sync=True)
    examples = traitlets.Enum([50, 1000], 50).tag(sync=True)
    tasks = traitlets.Int(1, min=1, max=100).tag(sync=True)
    at = traitlets.List(traitlets.Int(min=0)).tag(sync=True)
    curves = traitlets.List().tag(sync=True)
    seconds = traitlets.Dict().tag(sync=True)
    before = traitlets.Float(min=0).tag(sync=True)

    @traitlets.default("at")
    def _at(self) -> list[int]:
        return results.load(STORED).data["curve_at"]

    @traitlets.default("curves")
    def _curves(self) -> list[dict[str, Any]]:
        ways = {place: way for way, place in WAYS.items()}
        return [
            {"way": ways[c["source"], c["frozen"]], "examples": c["examples"], "curve": c["curve"]}
            for c in results.load(STORED).data["cells"]
            if "curve" in c
        ]

    @traitlets.default("seconds")
    def _seconds(self) -> dict[str, float]:
        by_frozen = {s["frozen"]: s["seconds"] for s in results.load(STORED).data["stages"]}
        return {way: by_frozen[frozen] for way, (_, frozen) in WAYS.items()}

    @traitlets.default("before")
    def _before(self) -> float:
        return results.load(STORED).data["pretraining_seconds"]

    def static_figure(self) -> Drawing:
        """Draw accuracy against updates for the three ways, at 50 pictures a class."""
        from cnnbook import figures

        curves = {c["way"]: c["curve"] for c in self.curves if c["examples"] == 50}
        return figures.curve(
            self.at,
            {self.labels[way]: [100 * a for a in curves[way]] for way in ("tuned", "head", "scratch")},
            xlabel="걸음",
            ylabel="정확도 (%)",
            alt=self.labels["static"],
        )
