"""What a case of the suite is: a submission as data, and the marks it must get."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from textwrap import dedent

from nbformat.v4 import new_code_cell

from tests.grade.suite.assignment import POINTS, filled
from tests.grade.tiny import find

FULL = {f"test_{name}": float(points) for name, points in POINTS.items()}
FILE = "suite.ipynb"


@dataclass(frozen=True)
class Case:
    """One submission.

    Attributes
    ----------
    name : str
        Its id, and the name of the student who hands it in.
    kind : str
        What is tried; at most three cases are of one kind.
    answers : mapping
        Answers that differ from the right ones.
    lost : str
        Questions that get 0; all others get full marks. "all" for all.
    scores : mapping
        Where a question gets neither.
    before : str
        A cell that the student added at the top.
    edit : callable
        Changes the notebook before it is handed in.
    files : callable
        Makes the files that are handed in (name -> bytes) of the notebook, instead of `suite.ipynb` alone.
    note : str
        A word that student and instructor are told.
    in_kernel : bool
        A cheat that gets the marks of the first question in `lost` where tests run in the student's process.
    """

    name: str
    kind: str
    answers: Mapping[str, str] = field(default_factory=dict)
    lost: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    before: str = ""
    edit: Callable | None = None
    files: Callable | None = None
    note: str = ""
    in_kernel: bool = False

    @property
    def notebook(self):
        """The notebook that the student has."""
        nb = filled(**{name: dedent(text).strip("\n") for name, text in self.answers.items()})
        if self.before:
            nb.cells.insert(0, new_code_cell(dedent(self.before).strip("\n")))
        if self.edit:
            nb = self.edit(nb) or nb
        return nb

    @property
    def handed_in(self):
        """The files in the submission's folder, by name."""
        return self.files(self.notebook) if self.files else {FILE: json.dumps(self.notebook).encode()}

    @property
    def expected(self):
        """The marks of its tests."""
        lost = POINTS if self.lost == "all" else self.lost.split()
        scores = {f"test_{name}": float(score) for name, score in self.scores.items()}
        return FULL | {f"test_{name}": 0.0 for name in lost} | scores


def changed(name, text):
    """An edit that gives one cell another text."""

    def edit(nb):
        find(nb, name).source = text

    return edit
