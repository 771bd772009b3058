"""A student fills in the release question by question, and the public tests answer each time."""

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbgrader.utils import is_grade, is_solution

from autograders.banks import load


@pytest.fixture
def kernel(released, tmp_path):
    """The released notebook with a running kernel in an empty folder."""
    client = NotebookClient(released, timeout=60, resources={"metadata": {"path": str(tmp_path)}})
    with client.setup_kernel():
        yield client


def run(client, place):
    """Run one cell; return what it printed, or what it raised."""
    cell = client.nb.cells[place]
    cell.outputs = []
    try:
        client.execute_cell(cell, place)
    except CellExecutionError as error:
        return "", error
    return "".join(output.get("text", "") for output in cell.outputs), None


def test_from_blank_to_full_marks_in_one_sitting(kernel):
    answer = {question.cell: next(iter(question.right.values())) for question in load("counting")}
    asked = {question.test: question.cell for question in load("counting")}
    cells = kernel.nb.cells
    place = {c.metadata.nbgrader["grade_id"]: i for i, c in enumerate(cells) if is_solution(c)}
    points = 0
    for i, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        printed, error = run(kernel, i)
        if not is_grade(cell):
            assert error is None, f"{cell.id} cannot be run untouched: {error}"
            continue
        question = asked[cell.metadata.nbgrader["grade_id"]]
        if cells[place[question]].source != answer[question]:
            assert error is not None, f"{cell.id} says nothing about a blank answer"
            assert error.ename == "AssertionError"
            assert error.evalue.rstrip().endswith((".", "?")), "a message is a sentence or a question"
            cells[place[question]].source = answer[question]
            assert run(kernel, place[question])[1] is None
            printed, error = run(kernel, i)
        assert error is None, f"{cell.id} fails a right answer: {error}"
        points += cell.metadata.nbgrader["points"]
        assert f"52점 가운데 {points}점" in printed
    assert points == 52
    assert "공개 검사 26개 가운데 26개 통과" in printed


def test_progress_goes_down_when_an_answer_is_spoilt(kernel, released):
    def place(name):
        return next(i for i, c in enumerate(released.cells) if c.id == name)

    for name, source in [("setup", None), ("single", "single_outputs, single_macs = 9, 81")]:
        released.cells[place(name)].source = source or released.cells[place(name)].source
        run(kernel, place(name))
    assert "52점 가운데 1점" in run(kernel, place("test-single"))[0]
    released.cells[place("single")].source = "single_outputs, single_macs = 9, 9"
    run(kernel, place("single"))
    assert run(kernel, place("test-single"))[1] is not None
    assert "52점 가운데 0점" in "".join(
        o.get("text", "") for o in released.cells[place("test-single")].outputs
    )


def test_running_the_setup_twice_counts_once(kernel, released):
    setup = next(i for i, c in enumerate(released.cells) if c.id == "setup")
    single = next(i for i, c in enumerate(released.cells) if c.id == "single")
    run(kernel, setup)
    run(kernel, setup)
    released.cells[single].source = "single_outputs, single_macs = 9, 81"
    run(kernel, single)
    printed, _ = run(kernel, single + 1)
    assert printed.count("공개 검사") == 1
