"""A new assignment starts from a template that already passes the gate."""

import importlib.util
import shutil

import pytest

from tools import gate
from tools.new_assignment import create
from tools.release import ROOT, generate, read_source


@pytest.fixture
def course(tmp_path):
    """A course without assignments."""
    for name in ("_config.yml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_template_passes_all_checks_of_the_gate(course, plain_grader):
    _, bank = create("my_assignment", course)
    spec = importlib.util.spec_from_file_location("bank", bank)
    spec.loader.exec_module(module := importlib.util.module_from_spec(spec))
    source, released = read_source("my_assignment", course), generate("my_assignment", course)
    assert gate.faults(source, released, module.QUESTIONS, plain_grader) == []
    assert "``my_assignment``" in module.__doc__


@pytest.mark.parametrize("name", ["", "My", "2nd", "a-b", "../x", "a b", "class", "과제"])
def test_impossible_name_is_refused_and_nothing_is_written(course, name):
    with pytest.raises(ValueError, match="cannot name an assignment"):
        create(name, course)
    assert not (course / "source").exists()


def test_existing_assignment_is_not_overwritten(course):
    notebook, _ = create("mine", course)
    notebook.write_text("edited")
    with pytest.raises(FileExistsError, match="choose another name"):
        create("mine", course)
    assert notebook.read_text() == "edited"
