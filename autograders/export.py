"""`python -m autograders export ASSIGNMENT`: the marks as a table that a learning management system imports.

Moodle takes the file under Grades > Import > CSV file and asks for the column to find students by: "ID
number". Canvas takes it under Grades > Import and finds them by "SIS User ID". Who handed in nothing has an
empty cell there, so that the system's own rule holds; `nbgrader export` writes 0.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from .marks import Class, Marks

FORMATS = ("csv", "moodle", "canvas")


def export(marks: Class, form: str, path: Path) -> Path:
    """Write the marks of a class.

    Parameters
    ----------
    marks : Class
    form : {"csv", "moodle", "canvas"}
        ``csv`` has a column for each question, for people and spreadsheets.
    path : Path
        Where to write; folders are made.
    """
    table = {"csv": _plain, "moodle": _moodle, "canvas": _canvas}[form](marks)
    return write_table(path, table, spreadsheet=form == "csv")


def write_table(path: Path, rows: Iterable[Iterable[object]], *, spreadsheet: bool = True) -> Path:
    """Write a CSV file; for a spreadsheet with the mark that makes Excel read Korean."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig" if spreadsheet else "utf-8", newline="") as file:
        csv.writer(file).writerows([_cell(value) for value in row] for row in rows)
    return path


def _cell(value: object) -> object:
    """Keep a text from being a formula: names of files, and so of students, come from students."""
    if isinstance(value, float):
        return f"{value:g}"
    return f"'{value}" if isinstance(value, str) and re.match(r"[=+\-@\t\r]", value) else value


def _plain(marks: Class) -> Iterable[Iterable[object]]:
    yield ["학번", "이름", "이메일", "제출", *marks.points, "늦은 제출 감점", "총점", "만점"]
    for one in marks.students:
        scores = [one.scores.get(question) for question in marks.points]
        told = "제출" if one.submitted else "미제출"
        yield [one.student, one.name, one.email, told, *scores, one.penalty, one.total, marks.max_score]


def _moodle(marks: Class) -> Iterable[Iterable[object]]:
    yield ["ID number", "First name", "Last name", "Email address", marks.assignment]
    for one in marks.students:
        yield [one.student, one.first_name, one.last_name, one.email, _total(one)]


def _canvas(marks: Class) -> Iterable[Iterable[object]]:
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", marks.assignment]
    yield ["    Points Possible", "", "", "", "", marks.max_score]
    for one in marks.students:
        names = ", ".join(part for part in (one.last_name, one.first_name) if part)
        yield [names or one.student, "", one.student, "", "", _total(one)]


def _total(marks: Marks) -> float | str:
    return marks.total if marks.submitted else ""
