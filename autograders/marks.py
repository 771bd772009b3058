"""A class's marks of one assignment, read from nbgrader's gradebook: what report and export show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from nbgrader.api import (
    BaseCell,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)


@dataclass
class Marks:
    """One student's marks, in points.

    Attributes
    ----------
    submitted : bool
        Whether the gradebook has a submission.
    penalty : float
        Points off for being late.
    scores : dict of str to float or None
        By question; None where a person has not marked yet.
    unfinished : bool
        Whether something waits for a person.
    """

    student: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    submitted: bool = False
    penalty: float = 0.0
    scores: dict[str, float | None] = field(default_factory=dict)
    unfinished: bool = False

    @property
    def total(self) -> float:
        """Points less the penalty, not below zero: what `nbgrader export` calls the score."""
        return max(0.0, sum(score or 0.0 for score in self.scores.values()) - self.penalty)

    @property
    def name(self) -> str:
        """The name, the family's first as Korean names go."""
        return " ".join(part for part in (self.last_name, self.first_name) if part)


@dataclass
class Class:
    """The marks of everybody whom the gradebook knows, and the points of each question in its order."""

    assignment: str
    points: dict[str, float]
    students: list[Marks]

    @property
    def submitted(self) -> list[Marks]:
        """Those who handed in."""
        return [marks for marks in self.students if marks.submitted]

    @property
    def max_score(self) -> float:
        """Points of all questions together."""
        return sum(self.points.values())


def read_class(gradebook: Gradebook, assignment: str) -> Class:
    """Read an assignment's marks.

    A question is called by its grade_id; where an assignment has several notebooks, by NOTEBOOK/GRADE_ID.

    Raises
    ------
    LookupError
        If the gradebook has no such assignment; the message says what to run.
    """
    try:
        found = gradebook.find_assignment(assignment)
    except MissingEntry:
        raise LookupError(
            f"The gradebook has no assignment {assignment!r}. Run: nbgrader generate_assignment {assignment}"
        ) from None
    several = len(found.notebooks) > 1
    points = {
        _question(notebook.name, cell.name, several): float(cell.max_score)
        for notebook in found.notebooks
        for cell in (*notebook.grade_cells, *notebook.task_cells)
    }
    students = {
        s.id: Marks(s.id, s.first_name or "", s.last_name or "", s.email or "") for s in gradebook.students
    }
    for submission in gradebook.assignment_submissions(assignment):
        marks = students[submission.student_id]
        marks.submitted = True
        marks.penalty = submission.late_submission_penalty or 0.0
    for student, notebook, cell, score, waits in _grades(gradebook, assignment):
        students[student].scores[_question(notebook, cell, several)] = None if waits else score
        students[student].unfinished |= waits
    return Class(assignment, points, sorted(students.values(), key=lambda marks: marks.student))


def _question(notebook: str, cell: str, several: bool) -> str:
    return f"{notebook}/{cell}" if several else cell


def _grades(gradebook: Gradebook, assignment: str) -> Iterator[tuple[str, str, str, float, bool]]:
    """All grades in one query: student, notebook, cell, points, whether no mark is there yet."""
    rows = (
        gradebook.db.query(
            Student.id, Notebook.name, BaseCell.name, Grade.score, Grade.auto_score, Grade.manual_score
        )
        .join(SubmittedAssignment, SubmittedAssignment.student_id == Student.id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .filter(Notebook.assignment_id == gradebook.find_assignment(assignment).id)
    )
    for student, notebook, cell, score, by_test, by_hand in rows:
        yield student, notebook, cell, float(score or 0.0), by_test is None and by_hand is None
