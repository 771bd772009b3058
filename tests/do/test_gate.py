"""The gate: a weak test, a strict test, a thin bank are refused by name."""

import copy
import dataclasses

import nbformat
import pytest

from autograders.banks import load
from tools import gate
from tools.release import configuration

TEMPLATE = nbformat.read(gate.TEMPLATE, 4)


@pytest.fixture
def source():
    """A small assignment of three questions: the template."""
    return copy.deepcopy(TEMPLATE)


@pytest.fixture
def untouched(source):
    """What students get of it."""
    from nbgrader.preprocessors import ClearSolutions

    return ClearSolutions(config=configuration()).preprocess(copy.deepcopy(source), {})[0]


@pytest.fixture
def bank():
    """The template's answer bank."""
    namespace = {}
    exec(compile(gate.TEMPLATE.with_name("bank.py").read_text("utf-8"), "bank.py", "exec"), namespace)
    return namespace["QUESTIONS"]


def cell(notebook, grade_id):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def test_template_passes(source, untouched, bank, plain_grader):
    assert gate.faults(source, untouched, bank, plain_grader) == []


def test_weak_hidden_test_is_named_with_the_answer_that_slips_through(source, untouched, bank, plain_grader):
    weak = cell(source, "test-rectangle")
    weak.source = weak.source.replace("for width in (1, 2, 5)", "for width in (height,)")
    assert gate.faults(source, untouched, bank, plain_grader) == [
        "test-rectangle: the wrong answer 'square assumed' keeps its 3 points"
    ]


def test_strict_test_is_named_with_the_right_answers_it_fails(source, untouched, bank, plain_grader):
    strict = cell(source, "test-positions")
    strict.source = strict.source.replace("positions > 0", "positions != 25")
    found = gate.faults(source, untouched, bank, plain_grader)
    assert "test-positions: the instructor's own solution scores 0.0 of 2" in found
    assert "test-positions: the right answer 'by hand' scores 0.0 of 2" in found


def test_marks_for_an_untouched_notebook_are_refused(source, untouched, bank, plain_grader):
    cell(untouched, "positions").source = "positions = 25"
    assert gate.faults(source, untouched, bank, plain_grader) == [
        "test-positions: an untouched notebook scores 2.0"
    ]


def test_public_tests_that_give_all_away_are_refused(source, untouched, bank, plain_grader):
    test = cell(source, "test-choice")
    test.source = test.source.replace("### BEGIN", "assert choice == '②'\n### BEGIN")
    assert gate.faults(source, untouched, bank, plain_grader) == [
        "test-choice: no wrong answer in the bank passes the public tests alone"
    ]


def test_thin_bank_is_refused(source, bank):
    thin = dataclasses.replace(bank[1], right=dict(list(bank[1].right.items())[:1]))
    assert gate.form_faults(source, (bank[0], thin, bank[2])) == [
        "test-rectangle: the bank needs at least 3 wrong and 2 right answers"
    ]


def test_test_cell_without_a_question_is_refused(source, bank):
    assert gate.form_faults(source, bank[:2]) == ["test-choice: no question in the answer bank"]


def test_question_that_leans_on_another_is_refused(source, bank):
    test = cell(source, "test-choice")
    test.source += "\nassert positions\n"
    assert gate.form_faults(source, bank) == ["test-choice: the test leans on another question's positions"]


def test_test_that_binds_an_answers_name_is_refused(source, bank):
    test = cell(source, "test-choice")
    test.source += "\nfor positions in (1, 2):\n    pass\n"
    assert gate.form_faults(source, bank) == ["test-choice: binds positions, which is a student's to bind"]


def test_test_that_cannot_cross_to_the_checker_is_refused(source, bank):
    test = cell(source, "test-rectangle")
    test.source += "\nassert isinstance(count_cells, type(print))\n"
    (found,) = gate.form_faults(source, bank)
    assert found.startswith("test-rectangle: line ")


def test_progress_line_must_know_the_points(source, bank):
    cell(source, "test-choice").metadata.nbgrader["points"] = 2
    found = gate.form_faults(source, bank)
    assert found[0].startswith("setup: ")
    assert "'NUMBER_OF_CHECKS, FULL_MARKS = 3, 7'" in found[0]
    assert found[1] == "test-choice: its first line must read '# 검사 · 2점 · TITLE'"


def test_mistake_that_loses_more_than_declared_is_named(counting, released, plain_grader):
    bank = list(load("counting"))
    place = next(i for i, question in enumerate(bank) if question.test == "test-design-shape")
    bank[place] = dataclasses.replace(bank[place], also_loses={})
    found = gate.faults(counting, released, tuple(bank), plain_grader)
    assert found
    assert all(line.startswith("test-design-budget: loses to ") for line in found)
