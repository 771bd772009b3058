"""ModelMap: what the networks of the course reach, against what they cost; a plot and a table."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    from cnnbook.figures import Drawing

COLUMNS = ("title", "year", "parameters", "macs", "top1", "top5")
FAMILIES = (
    *("alexnet", "vgg", "googlenet", "resnet", "resnext"),
    *("densenet", "dpn", "senet", "mobilenet", "shufflenet"),
)


@cache
def _counted(name: str) -> tuple[int, int]:
    """Return parameters and multiply-accumulates (one 224 × 224 picture) of a builder's network."""
    import torch

    from cnnbook.counting import count_macs, count_parameters
    from cnnbook.models import builders

    with torch.device("meta"):
        net = builders()[name]()
    return count_parameters(net), count_macs(net, (1, 3, 224, 224))


class ModelMap(Demo):
    """Compare accuracy with cost: choose the axes, hide families, pick a model, sort the table.

    Parameters
    ----------
    x : {"macs", "parameters"}
        What the plot shows across.
    y : {"top1", "top5"}
        Which accuracy it shows upwards.
    log : bool
        Whether the scale across is logarithmic.
    newer : bool
        Show weights that were trained again by a newer recipe, too.
    hidden : int
        Families left out, one bit each in the order of `FAMILIES`.
    picked : int
        The entry that is explained, by its place in `entries`.
    sort : {"title", "year", "parameters", "macs", "top1", "top5"}
        The column that orders the table.
    falling : bool
        Whether large values come first.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    x = traitlets.Enum(["macs", "parameters"], "macs").tag(sync=True)
    y = traitlets.Enum(["top1", "top5"], "top1").tag(sync=True)
    log = traitlets.Bool(True).tag(sync=True)
    newer = traitlets.Bool(False).tag(sync=True)
    hidden = traitlets.Int(0, min=0, max=2 ** len(FAMILIES) - 1).tag(sync=True)
    picked = traitlets.Int(6, min=0, max=99).tag(sync=True)
    sort = traitlets.Enum(COLUMNS, "macs").tag(sync=True)
    falling = traitlets.Bool(False).tag(sync=True)
    entries = traitlets.List(read_only=True).tag(sync=True)

    @traitlets.default("entries")
    def _entries(self) -> list[dict[str, Any]]:
        from cnnbook.models import accuracy, builders  # inside: it brings torch

        found = []
        for row in accuracy.table():
            if row.name not in builders():
                continue  # DPN-98 and DPN-131: nothing of ours to count
            parameters, macs = _counted(row.name)
            found.append(
                {
                    **{"name": row.name, "title": row.title, "year": row.year, "weights": row.weights},
                    "family": builders()[row.name].__module__.rpartition(".")[2],
                    "newer": bool(row.weights and row.weights.endswith("V2")),
                    **{"parameters": parameters, "macs": macs, "top1": row.top1, "top5": row.top5},
                    **{"source": row.source.title, "url": row.source.url},
                }
            )
        return found

    def static_figure(self) -> Drawing:
        """Draw the first weights of every network as named points."""
        from matplotlib.figure import Figure

        from cnnbook import figures

        with figures.style():
            figure = Figure(figsize=(6.4, 4.2), layout="constrained")
            axes = figure.subplots()
            for entry in self.entries:
                if not entry["newer"]:
                    place = entry["macs"] / 1e8, entry["top1"]
                    axes.plot(*place, "o", color=figures.COLORS["input"])
                    axes.annotate(
                        entry["title"], place, xytext=(4, 3), textcoords="offset points", fontsize=7
                    )
            axes.set(xscale="log", xlabel=self.labels["macsAxis"], ylabel=self.labels["top1"])
            axes.xaxis.set_major_formatter("{x:g}")
        return figures.Drawing([figure], self.labels["static"])
