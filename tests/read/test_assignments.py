"""The book's list of assignments is what lies in ``release/``."""

import sys

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from tools.pages import ROOT

sys.path.insert(0, str(ROOT / "_ext"))
import assignments


def test_every_released_assignment_has_its_line():
    names = {path.parent.name for path in (ROOT / "release").glob("*/*.ipynb")}
    lines = assignments.released(ROOT)
    assert {line.url.rsplit("/", 1)[1] for line in lines} == {f"{name}.ipynb" for name in names}
    assert all(line.points > 0 and line.title and line.time for line in lines)


def test_the_order_of_the_course_knows_every_assignment():
    assert {path.parent.name for path in (ROOT / "release").glob("*/*.ipynb")} <= set(assignments.ORDER)


def test_an_assignment_that_does_not_say_how_long_it_takes_is_named(tmp_path):
    path = tmp_path / "release" / "short" / "short.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=[new_markdown_cell("# 과제")]), path)
    with pytest.raises(ValueError, match=r"short\.ipynb"):
        assignments.released(tmp_path)
