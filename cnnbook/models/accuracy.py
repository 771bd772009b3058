"""Accuracies that were published: of trained weights on ImageNet, and of the winners of ILSVRC.

Every number comes from `accuracy.json` and names its source. Parameters and multiply-accumulates are not
there: :mod:`cnnbook.counting` computes them from the code.

>>> from cnnbook.models import accuracy
>>> accuracy.of("resnet50").top1
76.13
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Source:
    """Where a number stands, and on which images it was measured."""

    title: str
    url: str
    test: str


@dataclass(frozen=True)
class Accuracy:
    """What trained weights of one network reach on ImageNet.

    Parameters
    ----------
    name
        The builder's name in :mod:`cnnbook.models`; DPN-98 and DPN-131 have none.
    title
        The name to show.
    year
        When the network was first published.
    source
        Where the numbers stand.
    top1, top5
        Accuracies in per cent; `top5` is None where the source has none.
    weights
        torchvision's name of the weights; ``V2`` is the same network, trained longer by a newer recipe.
    """

    name: str
    title: str
    year: int
    source: Source
    top1: float
    top5: float | None
    weights: str | None = None


@dataclass(frozen=True)
class Entry:
    """An entry of the classification task of ILSVRC.

    Parameters
    ----------
    year, team, model
        When, who and with what.
    top5_error
        Per cent, on the hidden test set. With outside data where the contest had both.
    given_data
        The same team's error with the contest's own training data only, where it differs.
    deep
        Whether it is a convolutional network.
    place
        1 for the winner.
    source
        Where the number stands.
    """

    year: int
    team: str
    model: str
    top5_error: float
    deep: bool
    place: int
    source: Source
    given_data: float | None = None


@cache
def _data() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))


def _record(kind: type, fields: dict[str, Any]) -> Any:
    return kind(**fields | {"source": source(fields["source"])})


def source(name: str) -> Source:
    """Return a source by its name in the file.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    sources = _data()["sources"]
    if name not in sources:
        raise KeyError(f"no source {name!r}; there are {', '.join(sources)}")
    return Source(**sources[name])


def table() -> list[Accuracy]:
    """Return all accuracies on ImageNet, families in the order of :mod:`cnnbook.models`."""
    return [_record(Accuracy, fields) for fields in _data()["models"]]


def of(name: str, weights: str | None = None) -> Accuracy:
    """Return the accuracy of one builder's network.

    Parameters
    ----------
    name
        Such as ``"resnet50"``.
    weights
        ``"IMAGENET1K_V2"`` for torchvision's newer weights; the first ones unless given.

    Raises
    ------
    KeyError
        If nothing is published under that name, with a list of what there is.
    """
    for row in table():
        if row.name == name and weights in (None, row.weights):
            return row
    known = ", ".join(dict.fromkeys(row.name for row in table()))
    raise KeyError(f"no accuracy of {name!r}{f' with {weights}' if weights else ''}; there are {known}")


def ilsvrc() -> list[Entry]:
    """Return the winners of ILSVRC's classification task and two entries that came second, by year."""
    return [_record(Entry, fields) for fields in _data()["ilsvrc"]]


def human_error() -> tuple[float, Source]:
    """Return the top-5 error of a trained annotator, in per cent, and its source."""
    return _data()["human"]["top5_error"], source(_data()["human"]["source"])


def lenet_error() -> tuple[float, Source]:
    """Return the error of LeNet-5 on MNIST, in per cent, and its source."""
    return _data()["mnist"]["error"], source(_data()["mnist"]["source"])
