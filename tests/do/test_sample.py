"""The sample class goes through nbgrader's own commands in a course directory of its own."""

import csv

from autograders import sample
from tools.release import ROOT


def test_class_is_graded_as_expected_away_from_the_instructors_gradebook(tmp_path):
    before = {path.name for path in ROOT.iterdir()}
    lines = sample.grade_class("counting", 4, tmp_path)
    assert [line.kind for line in lines] == [
        "perfect",
        "first half only",
        "blank",
        "syntax error in one answer",
    ]
    assert all(line.agrees for line in lines), "\n".join(sample.table(lines))
    assert len(list(tmp_path.glob("feedback/*/counting/counting.html"))) == 4
    with (tmp_path / "grades.csv").open(encoding="utf-8") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == {line.student: line.expected for line in lines}
    new = {path.name for path in ROOT.iterdir()} - before
    assert new.isdisjoint({"gradebook.db", "submitted", "autograded", "feedback"})


def test_table_names_what_differs():
    right = sample.Line("1", "김서연", "perfect", 52.0, 52.0, ())
    wrong = sample.Line("2", "이민준", "blank", 0.0, 3.0, ("test-params",))
    lost = sample.Line("3", "박지우", "blank", 0.0, None, ())
    *_, second, third, summary = sample.table([right, wrong, lost])
    assert second.endswith("differs: test-params")
    assert third.endswith("differs: not graded")
    assert summary == "3 students: 2 DIFFER from what they should get"
