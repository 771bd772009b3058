"""What the tests of the do lane share."""

import copy
import functools
from collections.abc import Callable

import matplotlib.pyplot as plt
import nbformat
import pytest
from nbgrader.utils import is_grade, is_solution

from tools.release import ROOT


def run_plainly(source, submission) -> dict[str, Exception | None]:
    """Run a submission's answers with a source's tests in one namespace: test cell -> what it raised."""
    answers = {c.metadata.nbgrader["grade_id"]: c.source for c in submission.cells if is_solution(c)}
    namespace, raised = {}, {}
    for cell in source.cells:
        if cell.cell_type != "code":
            continue
        text = answers[cell.metadata.nbgrader["grade_id"]] if is_solution(cell) else cell.source
        try:
            exec(text, namespace)
            error = None
        except Exception as caught:
            error = caught
        if is_grade(cell):
            raised[cell.metadata.nbgrader["grade_id"]] = error
    plt.close("all")  # what notebooks draw would stay in memory
    return raised


@pytest.fixture
def plain_grader() -> Callable:
    """A grader for the gate without kernel and engine, for tests of the gate's own verdicts."""

    def grader(source):
        tests = [cell.metadata.nbgrader for cell in source.cells if is_grade(cell)]
        points = {test["grade_id"]: test["points"] for test in tests}
        return lambda submission: {
            test: 0.0 if error else float(points[test])
            for test, error in run_plainly(source, submission).items()
        }

    return grader


@pytest.fixture
def run_answers() -> Callable:
    """The same run, for tests that look at the messages."""
    return run_plainly


NAMES = sorted(path.parent.name for path in (ROOT / "source").glob("*/*.ipynb"))


@functools.cache
def _read(kind, name):
    return nbformat.read(ROOT / kind / name / f"{name}.ipynb", 4)


@pytest.fixture(params=NAMES)
def assignment(request) -> str:
    """Each assignment of the course in turn, by name."""
    return request.param


@pytest.fixture
def source_of() -> Callable:
    """The instructor's notebook of an assignment, to change at will."""
    return lambda name: copy.deepcopy(_read("source", name))


@pytest.fixture
def release_of() -> Callable:
    """The students' notebook of an assignment, to change at will."""
    return lambda name: copy.deepcopy(_read("release", name))


@pytest.fixture
def counting(source_of):
    """The instructor's notebook of the assignment ``counting``, to change at will."""
    return source_of("counting")


@pytest.fixture
def released(release_of):
    """The students' notebook of the assignment ``counting``, to change at will."""
    return release_of("counting")
