"""A notebook with somebody else's student id: the instructor is told, the mark is the tests' alone."""

import nbformat
import pytest

from autograders.grading import prepare
from autograders.mend import Template
from autograders.student_id import written
from tools.release import ROOT, configuration


@pytest.fixture(scope="module")
def template():
    source = nbformat.read(ROOT / "source" / "counting" / "counting.ipynb", 4)
    return Template.of(source, configuration())


def handed_in(line):
    notebook = nbformat.read(ROOT / "release" / "counting" / "counting.ipynb", 4)
    next(cell for cell in notebook.cells if cell.id == "student-id").source = line
    return notebook


def notes(template, line, student):
    return [note.text for note in prepare(template, handed_in(line), name=student).mended.notes]


@pytest.mark.parametrize("line", ['student_id = "20261234"', "student_id = 20261234", 'student_id = ""'])
def test_own_id_or_none_is_no_matter(template, line):
    assert notes(template, line, "20261234") == []


def test_id_of_another_student_is_told_with_both(template):
    (text,) = notes(template, 'student_id = "20265678"  #@param {type:"string"}', "20261234")
    assert "20265678" in text
    assert "20261234" in text


def test_last_assignment_counts():
    assert written('student_id = "1"\nstudent_id = "2"  # mine') == "2"


@pytest.mark.parametrize("text", ["", "student_id", "# student_id = '1'", "def (", "student_id = ''  # 7"])
def test_a_cell_that_names_no_id_is_none(text):
    assert written(text) is None
