"""What a report and an export say about a class, and that they say it of the right students."""

import csv

import nbformat
import pytest

from autograders import similar
from autograders.__main__ import main
from autograders.export import export
from autograders.grading import REPORT
from autograders.marks import Class, Marks
from autograders.report import histogram, questions, report
from autograders.student_id import CELL
from tests.grade.tiny import Course, filled, released

LONG = """\
def double(x):
    total = 0
    for step in range(16):
        total = total + x / 8
        if step % 3 == 1 and total > 1e9:
            raise OverflowError(str(total))
    while total < 0 and x > 0:
        total += 1
    values = [total for _ in range(3)]
    return sum(values) / len(values)
"""
RENAMED = LONG.replace("total", "acc").replace("step", "i").replace("values", "xs") + "    # 내가 쓴 코드\n"


def made(*rows):
    """A class of two questions, 2 and 4 points, from (score, score) rows."""
    students = [
        Marks(f"s{i}", submitted=True, scores={"first": one, "second": other})
        for i, (one, other) in enumerate(rows)
    ]
    return Class("tiny", {"first": 2.0, "second": 4.0}, students)


def test_difficulty_is_the_mean_share_of_the_points():
    first, second = questions(made((2, 4), (0, 4), (2, 1), (0, 1)))
    assert (first.difficulty, second.difficulty) == (0.5, 0.625)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(2, 4), (2, 4), (0, 0), (0, 0)], 1),  # who gets the rest right gets this right
        ([(0, 4), (0, 4), (2, 0), (2, 0)], -1),
        ([(2, 4), (0, 4), (2, 0), (0, 0)], 0),
        ([(2, 4), (2, 0)], None),  # everybody has it right: nothing to tell them apart
        ([(2, 4)], None),
    ],
)
def test_discrimination_is_the_correlation_with_the_other_questions(rows, expected):
    found = questions(made(*rows))[0].discrimination
    assert found == (None if expected is None else pytest.approx(expected))


def test_a_mark_that_a_person_still_has_to_give_counts_for_no_question():
    first, second = questions(made((2, None), (0, 4)))
    assert (first.answered, second.answered, second.difficulty) == (2, 1, 1)


def test_the_highest_mark_is_in_the_last_bin():
    assert [count for _, _, count in histogram([0, 4.9, 5, 10, 10], 10, bins=2)] == [2, 3]


# Similar answers


def test_names_comments_and_layout_hide_no_copy():
    (pair,) = similar.pairs({"a": LONG, "b": RENAMED, "c": "def double(x):\n    return 2 * x\n"})
    assert (pair.one, pair.other, pair.share) == ("a", "b", 1)


def test_short_right_answers_are_alike_by_chance_and_not_told_of():
    assert similar.pairs({name: "def double(x):\n    return 2 * x\n" for name in "abc"}) == []


def test_what_everybody_was_given_counts_for_nobody():
    assert similar.pairs({"a": LONG, "b": RENAMED}, given=LONG) == []


def test_what_a_large_part_of_a_class_writes_is_how_one_writes_it():
    assert similar.pairs({str(i): LONG for i in range(6)}) == []


def test_code_that_does_not_parse_is_compared_as_far_as_it_goes():
    broken = LONG + "    print((\n"
    (pair,) = similar.pairs({"a": broken, "b": LONG})
    assert pair.share > 0.8


# Tables


def test_a_text_from_a_student_is_no_formula(tmp_path):
    marks = Class("tiny", {"first": 2.0}, [Marks("=HYPERLINK(1)", submitted=True, scores={"first": -0.5})])
    rows = read(export(marks, "csv", tmp_path / "marks.csv"))
    assert rows[0]["학번"] == "'=HYPERLINK(1)"
    assert rows[0]["first"] == "-0.5"


def test_who_handed_in_nothing_has_no_mark_in_an_lms(tmp_path):
    marks = Class(
        "tiny", {"first": 2.0}, [Marks("absent"), Marks("zero", submitted=True, scores={"first": 0})]
    )
    moodle = read(export(marks, "moodle", tmp_path / "moodle.csv"))
    assert [(row["ID number"], row["tiny"]) for row in moodle] == [("absent", ""), ("zero", "0")]


def test_a_penalty_for_being_late_is_taken_off_and_never_below_zero():
    assert Marks("a", penalty=3, scores={"first": 2, "second": 4}).total == 3
    assert Marks("a", penalty=9, scores={"first": 2}).total == 0


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# The commands, on a graded class


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    made = Course(tmp_path_factory.mktemp("class") / "course")
    with made.gradebook() as book:
        book.update_or_create_student("right", last_name="김", first_name="하늘", email="right@example.org")
        book.update_or_create_student("absent", last_name="이", first_name="바다")
    made.hand_in("right", filled())
    made.hand_in("one", filled(double=LONG))
    made.hand_in("two", filled(double=RENAMED))
    made.hand_in("<b>blank", released())
    made.grade()
    return made


def test_the_report_shows_marks_questions_and_pairs(course, tmp_path):
    page = report(course.parts()["coursedir"], "tiny", tmp_path).read_text()
    assert "5명 가운데 4명이 제출했습니다." in page
    assert "10점 만점에 평균 3.8점" in page  # three have 5 of 10 points, one has none
    assert {row["문제"] for row in read(tmp_path / "questions.csv")} == {"test_double", "test_seven", "essay"}
    (pair,) = read(tmp_path / "similar.csv")
    assert set(pair.values()) >= {"one", "two"}
    assert {row["학번"]: row["총점"] for row in read(tmp_path / "scores.csv")}["right"] == "5"
    assert "<b>blank" not in page


def test_the_report_names_who_used_the_id_of_another(course, tmp_path):
    path = course.root / "autograded" / "right" / "tiny" / "tiny.ipynb"
    before = path.read_text()
    notebook = course.graded("right")
    notebook.metadata[REPORT]["notes"].append({"text": "학번이 다릅니다.", "grade_id": CELL})
    try:
        nbformat.write(notebook, path)
        page = report(course.parts()["coursedir"], "tiny", tmp_path).read_text()
    finally:
        path.write_text(before)
    assert "<li>right: 학번이 다릅니다.</li>" in page
    assert "다른 학번" not in report(course.parts()["coursedir"], "tiny", tmp_path).read_text()


def test_canvas_gets_the_columns_that_it_asks_for(course, capsys, monkeypatch):
    monkeypatch.chdir(course.root)
    assert main(["export", "tiny", "--format", "canvas"]) == 0
    rows = read(course.root / "reports/tiny-canvas.csv")
    assert list(rows[0]) == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "tiny"]
    assert rows[0]["Student"].strip() == "Points Possible" and rows[0]["tiny"] == "10"
    by_id = {row["SIS User ID"]: row for row in rows}
    assert by_id["right"]["tiny"] == "5" and by_id["right"]["Student"] == "김, 하늘"
    assert by_id["absent"]["tiny"] == ""
    assert "3 submissions wait for a mark by hand" in capsys.readouterr().err


def test_what_has_not_been_graded_is_answered_with_the_command_to_run(course, capsys, monkeypatch):
    monkeypatch.chdir(course.root)
    assert main(["report", "other"]) == 1
    assert "nbgrader generate_assignment other" in capsys.readouterr().err
