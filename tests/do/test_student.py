"""The progress line follows the student: down when an answer is spoilt, once when set up twice."""

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools import gate


@pytest.fixture
def kernel(released, tmp_path):
    """The released notebook with a running kernel in an empty folder."""
    client = NotebookClient(
        released, timeout=gate.PATIENT.cell_seconds, resources={"metadata": {"path": str(tmp_path)}}
    )
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
