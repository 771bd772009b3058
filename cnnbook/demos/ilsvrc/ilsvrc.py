"""Ilsvrc: the winners of the ImageNet contest year by year, and how far one year is from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    from cnnbook.figures import Drawing

YEARS = (2010, 2017)


class Ilsvrc(Demo):
    """Compare the top-5 errors of two years of ILSVRC's classification task.

    Parameters
    ----------
    year, base : int
        2010 to 2017: the year in question and the year it is compared with.
    given : bool
        Count what a team reached with the contest's own training data, where it also used other data.
    seconds : bool
        Show AlexNet's and GoogLeNet's closest rivals too.

    Raises
    ------
    traitlets.TraitError
        If a year is not one of the contest's.
    """

    year = traitlets.Int(2012, min=YEARS[0], max=YEARS[1]).tag(sync=True)
    base = traitlets.Int(2011, min=YEARS[0], max=YEARS[1]).tag(sync=True)
    given = traitlets.Bool(False).tag(sync=True)
    seconds = traitlets.Bool(False).tag(sync=True)
    entries = traitlets.List(read_only=True).tag(sync=True)
    human = traitlets.Float(read_only=True).tag(sync=True)

    @traitlets.default("entries")
    def _entries(self) -> list[dict[str, Any]]:
        from cnnbook.models import accuracy  # inside: it brings torch

        return [
            {
                **{"year": e.year, "team": e.team, "model": e.model, "error": e.top5_error},
                **{"given": e.given_data or e.top5_error, "deep": e.deep, "place": e.place},
                **{"title": e.source.title, "url": e.source.url},
            }
            for e in accuracy.ilsvrc()
        ]

    @traitlets.default("human")
    def _human(self) -> float:
        from cnnbook.models import accuracy

        return accuracy.human_error()[0]

    def static_figure(self) -> Drawing:
        """Draw the winners' errors over the years."""
        from cnnbook import figures

        winners = [entry for entry in self.entries if entry["place"] == 1]
        return figures.curve(
            [entry["year"] for entry in winners],
            {self.labels["winner"]: [entry["error"] for entry in winners]},
            xlabel=self.labels["year"],
            ylabel=self.labels["axis"],
            alt=self.labels["static"],
        )
