"""Simulated classes: the same for the same seed, in the forms that students hand in, worth what they say."""

import json
import unicodedata
from itertools import islice

import nbformat
import pytest

from autograders.banks import load
from autograders.class_generator import KINDS, simulate, write


@pytest.fixture(scope="module")
def students():
    """One of each kind."""
    return list(simulate("counting"))


def of_kind(students, kind):
    return next(student for student in students if student.kind == kind)


def test_same_seed_gives_the_same_class(students):
    assert list(simulate("counting")) == students
    assert list(simulate("counting", 5, seed=1)) != students[:5]


def test_small_class_is_the_start_of_a_large_one(students):
    assert list(simulate("counting", 10)) == students[:10]


def test_every_kind_and_every_named_mistake_occur(students):
    assert {kind.name for kind in KINDS} <= {student.kind for student in students}
    handed_in = {
        cell["source"]
        for student in students
        if student.kind.startswith("mistakes")
        for cell in json.loads(student.files["counting.ipynb"])["cells"]
    }
    assert [name for q in load("counting") for name, text in q.wrong.items() if text not in handed_in] == []


def test_thousand_students_have_numbers_of_their_own():
    numbers = [student.student for student in islice(simulate("counting", 1000), 200)]
    assert len(set(numbers)) == 200


def test_class_without_accidents_is_for_plain_nbgrader():
    assert not any(student.mending for student in simulate("counting", mending=False))


def test_colab_form(students):
    notebook = json.loads(of_kind(students, "saved by Colab").files["counting.ipynb"])
    assert notebook["nbformat_minor"] == 0
    assert not any("id" in cell for cell in notebook["cells"])
    assert notebook["cells"][0]["metadata"]["id"] == "view-in-github"
    assert all("executionInfo" in c["metadata"] for c in notebook["cells"] if c["cell_type"] == "code")
    assert notebook["metadata"]["colab"]["name"] == "counting.ipynb"
    nbformat.validate(nbformat.from_dict(notebook))


def test_korean_copy_has_a_decomposed_name(students):
    (name,) = of_kind(students, "Korean copy, NFD name").files
    assert name != "counting의 사본.ipynb"
    assert unicodedata.normalize("NFC", name) == "counting의 사본.ipynb"


def test_expected_points_add_up(students):
    assert of_kind(students, "perfect").score == 52
    assert of_kind(students, "blank").score == 0
    assert of_kind(students, "edited tests and points").score == 0
    assert 0 < of_kind(students, "first half only").score < 52


def test_plain_run_of_every_whole_notebook_gives_the_expected_points(students, counting, run_answers):
    checked = 0
    for student in students:
        if student.kind.startswith("mistakes") or student.kind in ("perfect", "blank", "first half only"):
            submission = nbformat.from_dict(json.loads(student.files["counting.ipynb"]))
            raised = run_answers(counting, submission)
            assert {t for t, e in raised.items() if e} == {t for t, p in student.expected.items() if p == 0}
            checked += 1
    assert checked > 20


def test_submissions_lie_where_nbgrader_looks(tmp_path):
    write(simulate("counting", 3), tmp_path, "counting")
    assert len(list(tmp_path.glob("submitted/*/counting/counting.ipynb"))) == 3
