"""`python -m autograders report ASSIGNMENT`: how a class did, for its instructor.

The distribution of the marks, each question's difficulty and discrimination, and submissions that are alike;
one HTML page and three CSV files. It names students: it belongs to nobody else.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jinja2 import Environment, FileSystemLoader
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from . import similar, student_id
from .export import export, write_table
from .grading import REPORT
from .marks import Class, read_class

BINS = 10
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Question:
    """How a class answered one question.

    Attributes
    ----------
    points : float
    answered : int
        Submissions that have a mark for it.
    difficulty : float or None
        Mean mark as a share of the points, from 0 (nobody) to 1 (everybody).
    discrimination : float or None
        Correlation of the mark with the marks of all other questions together, from -1 to 1 (the corrected
        item-total correlation); None where either does not vary. Below about 0.2, who is good at the rest is
        hardly better here: read the question again.
    """

    name: str
    points: float
    answered: int
    difficulty: float | None
    discrimination: float | None

    @property
    def remark(self) -> str:
        """What an instructor may want to look at."""
        if self.difficulty is None:
            return "아직 채점하지 않았습니다."
        if self.discrimination is not None and self.discrimination < 0.2:
            return "다른 문제를 잘 푼 학생도 여기서는 점수가 높지 않습니다. 문제와 검사를 다시 보십시오."
        if self.difficulty < 0.3:
            return "많은 학생이 틀렸습니다. 수업에서 다시 다룰 만합니다."
        return ""


def questions(marks: Class) -> list[Question]:
    """Return the figures of each question, over those who handed in and have a mark for it."""
    return [_question(marks, name, points) for name, points in marks.points.items()]


def _question(marks: Class, name: str, points: float) -> Question:
    marked = [one for one in marks.submitted if one.scores.get(name) is not None]
    scores = [one.scores[name] or 0.0 for one in marked]
    rest = [
        sum(score or 0.0 for key, score in one.scores.items() if key != name and key in marks.points)
        for one in marked
    ]
    difficulty = statistics.fmean(scores) / points if scores and points else None
    return Question(name, points, len(marked), difficulty, _correlation(scores, rest))


def _correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    try:
        return statistics.correlation(one, other)
    except statistics.StatisticsError:  # fewer than two, or all the same
        return None


def histogram(values: Sequence[float], top: float, bins: int = BINS) -> list[tuple[float, float, int]]:
    """Count values in equal bins from 0 to `top`: lower edge, upper edge, how many; `top` is in the last."""
    width = (top or 1.0) / bins
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, max(0, int(value / width)))] += 1
    return [(i * width, (i + 1) * width, count) for i, count in enumerate(counts)]


def answers(folder: Path) -> str:
    """Return the code that a student wrote, from the graded notebooks of a submission."""
    cells = []
    for path in sorted(folder.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and utils.is_solution(cell):
                cells.append(cell.source)
    return "\n".join(cells)


def _borrowed_id(coursedir: CourseDirectory, assignment: str, student: str) -> str | None:
    """Return what the graded notebook's record says of a student id that is not the student's own."""
    folder = Path(coursedir.format_path(coursedir.autograded_directory, student, assignment))
    for path in sorted(folder.glob("*.ipynb")):
        for note in nbformat.read(path, as_version=4).metadata.get(REPORT, {}).get("notes", []):
            if note["grade_id"] == student_id.CELL:
                return note["text"]
    return None


def report(coursedir: CourseDirectory, assignment: str, folder: Path) -> Path:
    """Write the report of a graded assignment into a folder, and return its page.

    Raises
    ------
    LookupError
        If the gradebook does not know the assignment or nobody has handed it in.
    """
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        marks = read_class(gradebook, assignment)
    if not marks.submitted:
        raise LookupError(f"Nobody's {assignment} has been graded. Run: nbgrader autograde {assignment}")
    given = answers(Path(coursedir.format_path(coursedir.release_directory, ".", assignment)))
    code = {
        one.student: answers(
            Path(coursedir.format_path(coursedir.autograded_directory, one.student, assignment))
        )
        for one in marks.submitted
    }
    alike = similar.pairs(code, given)
    borrowed = {one: text for one in code if (text := _borrowed_id(coursedir, assignment, one))}
    totals = [one.total for one in marks.submitted]
    figures = questions(marks)
    folder.mkdir(parents=True, exist_ok=True)
    export(marks, "csv", folder / "scores.csv")
    write_table(
        folder / "questions.csv",
        [
            ["문제", "배점", "채점한 제출", "정답률", "변별도"],
            *([q.name, q.points, q.answered, q.difficulty, q.discrimination] for q in figures),
        ],
    )
    write_table(
        folder / "similar.csv",
        [
            ["학생", "다른 학생", "닮은 정도", "같은 조각"],
            *([p.one, p.other, p.share, p.shared] for p in alike),
        ],
    )
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    page = environment.get_template("report.html.j2").render(
        marks=marks,
        totals=totals,
        mean=statistics.fmean(totals),
        median=statistics.median(totals),
        spread=statistics.pstdev(totals),
        bins=histogram(totals, marks.max_score),
        waiting=sum(one.unfinished for one in marks.submitted),
        questions=figures,
        pairs=alike,
        borrowed=borrowed,
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path
