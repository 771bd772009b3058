"""Students see what failed and by how much; hidden tests stay hidden, from formgrader nothing does."""

import json

import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_output
from nbgrader.converters import GenerateFeedback

from autograders.feedback import scrub, student_outputs
from autograders.grading import grade_notebook
from autograders.job import CellResult, Result
from tests.grade.tiny import Course, filled, find, released, template

HIDDEN = ("secret_input", "== 40", "HIDDEN TESTS", "seven == 7")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    made = Course(tmp_path_factory.mktemp("class") / "course")
    made.hand_in("wrong", filled(double="def double(x): return min(2 * x, 9)", seven="seven = 8"))
    made.hand_in("right", filled())
    made.hand_in("html", b"<html>")
    made.hand_in(
        "copies", {**filled(), "cells": [*filled().cells, find(filled(double="double = abs"), "double")]}
    )
    made.grade()
    with made.gradebook() as book:
        book.find_grade("essay", "tiny", "tiny", "right").manual_score = 5
        book.find_comment("essay", "tiny", "tiny", "right").manual_comment = "좋은 설명입니다."
        book.db.commit()
    GenerateFeedback(**made.parts()).start()
    return made


def page(course, student):
    return (course.root / "feedback" / student / "tiny" / "tiny.html").read_text()


@pytest.mark.parametrize("student", ["wrong", "right", "html", "copies"])
def test_no_page_holds_a_hidden_test(course, student):
    assert [word for word in HIDDEN if word in page(course, student)] == []


def test_what_failed_is_said_with_the_message_of_the_test(course):
    html = page(course, "wrong")
    assert "큰 수에서도 되는지 보십시오." in html and "seven을 다시 보십시오." in html


def test_public_tests_are_shown(course):
    assert "double(1)을 다시 보십시오." in page(course, "right")


def test_the_page_tells_marks_comments_and_what_was_mended(course):
    assert "10점 / 10점" in page(course, "right") and "좋은 설명입니다." in page(course, "right")
    assert "HTML 파일입니다" in page(course, "html")
    assert "같은 답안 칸이 2개" in page(course, "copies")
    assert "채점 전" in page(course, "copies")


def test_the_page_asks_for_nothing_from_the_network(course):
    assert "src=" not in page(course, "right") and "@import" not in page(course, "right")


def test_the_instructors_copy_keeps_the_hidden_tests(course):
    assert "secret_input" in find(course.graded("wrong"), "test_double").source


# Comparison helpers print the value they expected


def message(check):
    with pytest.raises(AssertionError) as caught:
        check()
    return str(caught.value)


@pytest.mark.parametrize(
    "check",
    [
        lambda: torch.testing.assert_close(3, 31337),
        lambda: np.testing.assert_equal(3, 31337),
        lambda: np.testing.assert_allclose([3.0, 2.0], [31337.0, 31337.0]),
        lambda: np.testing.assert_array_equal(np.ones((3, 3)), np.full((3, 3), 31337)),
    ],
    ids=["assert_close", "assert_equal", "assert_allclose", "assert_array_equal"],
)
def test_an_expected_value_is_scrubbed(check):
    said = message(check)
    assert "31337" in said and "31337" not in scrub(said)


def test_how_far_off_is_kept():
    mine, theirs = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.5])
    said = message(lambda: torch.testing.assert_close(mine, theirs))
    assert "Greatest absolute difference: 0.5" in scrub(said)


def test_a_message_of_the_instructor_is_kept_as_it_is():
    said = "conv(7)이 3.0을 돌려주었습니다. 정수여야 합니다.\n나머지를 다시 보십시오."
    assert scrub(said) == said


def test_a_traceback_and_what_a_test_printed_never_reach_a_student():
    cell = new_code_cell(
        outputs=[
            new_output("stream", name="stdout", text="answer is 40"),
            new_output("error", ename="AssertionError", evalue="다릅니다.", traceback=["assert f(20) == 40"]),
        ]
    )
    assert [o.traceback for o in student_outputs(cell)] == [["AssertionError: 다릅니다."]]


# What a submission shows to an instructor can not act


def test_html_and_scripts_of_a_submission_are_not_kept():
    html = {
        "output_type": "display_data",
        "data": {"text/html": "<script>", "text/plain": "x", "image/png": '"><script>'},
        "metadata": {},
    }

    class Runner:
        def run(self, job):
            return Result(tuple(CellResult([html] if cell.kind == "student" else []) for cell in job.cells))

    nb = filled(essay="<script>alert(1)</script> 답 <b>굵게</b>")
    find(nb, "seven").metadata.nbgrader.grade_id = "<script>"
    graded = grade_notebook(template(), nb, runner=Runner()).notebook
    text = json.dumps(graded.cells, ensure_ascii=False)
    assert "<script" not in text and "<b>굵게</b>" in text


# Marks that nbgrader would give by mistake


def mark(output):
    class Runner:
        def run(self, job):
            return Result(tuple(CellResult(output if cell.kind == "test" else []) for cell in job.cells))

    return grade_notebook(template(), filled(), runner=Runner()).scores["test_double"]


def result(text):
    return [
        {"output_type": "execute_result", "data": {"text/plain": text}, "metadata": {}, "execution_count": 1}
    ]


@pytest.mark.parametrize(
    ("output", "score"),
    [
        ([], 2),
        (result("1.5"), 1.5),
        (result("'ok'"), 2),
        (result("nan"), 0),
        (result("-1"), 0),
        (result("3"), 0),
        ([{"output_type": "stream", "name": "stderr", "text": "UserWarning"}], 2),
    ],
    ids=["nothing", "part", "no number", "nan", "negative", "too much", "stderr"],
)
def test_a_test_cells_output_gives(output, score):
    assert mark(output) == (score, 2)


def test_a_test_that_did_not_run_gives_nothing_and_the_reason():
    class Runner:
        def run(self, job):
            return Result(
                tuple(CellResult([], ran=False) for _ in job.cells), stopped="시간 제한을 넘었습니다"
            )

    graded = grade_notebook(template(), released(), runner=Runner())
    assert graded.score == 0
    assert find(graded.notebook, "test_double").outputs[0].evalue == "시간 제한을 넘었습니다"
