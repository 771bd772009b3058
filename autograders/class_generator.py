"""Simulated classes: students with known answers, known accidents and known scores.

The bundled sample class, the tests and the benches all take their submissions from here. Answers come from
the assignment's answer bank, so each score is known before anything is graded. The same seed gives the same
class.
"""

from __future__ import annotations

import copy
import json
import random
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count, islice
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader.utils import is_grade, is_solution

from autograders.banks import Question, load

ROOT = Path(__file__).resolve().parents[1]

FAMILY_NAMES = tuple("김이박최정강조윤장임한오서신권황안송류홍")
GIVEN_NAMES = (
    "서연",
    "민준",
    "지우",
    "하윤",
    "도윤",
    "예린",
    "시우",
    "수아",
    "주원",
    "은서",
    "현우",
    "다은",
    "건우",
    "채원",
    "지훈",
    "유진",
    "승현",
    "소율",
)


@dataclass(frozen=True)
class Submission:
    """What one simulated student hands in, and what it is worth.

    Attributes
    ----------
    student : str
        Student number, nbgrader's student id.
    family_name, given_name : str
        In Korean.
    kind : str
        What is special about it, for tables: ``"perfect"``, ``"saved by Colab"``, ...
    files : Mapping[str, bytes]
        What lies in the student's folder, by file name.
    expected : Mapping[str, float]
        Points in each test cell, by ``grade_id``.
    mending : bool
        Whether an accident happened that a plain nbgrader does not survive.
    """

    student: str
    family_name: str
    given_name: str
    kind: str
    files: Mapping[str, bytes]
    expected: Mapping[str, float]
    mending: bool = False

    @property
    def score(self) -> float:
        """Points in all."""
        return sum(self.expected.values())


def simulate(
    assignment: str,
    size: int | None = None,
    *,
    seed: int = 0,
    mending: bool = True,
    root: Path = ROOT,
) -> Iterator[Submission]:
    """Yield the submissions of a class.

    First comes one student of each kind, then students who between them make every mistake of the
    answer bank, then a mixed crowd up to ``size``.

    Parameters
    ----------
    assignment : str
        Name of an assignment that is released and has an answer bank.
    size : int, optional
        Number of students; without it, the kinds and the mistakes once each.
    seed : int
        Draws names and answers.
    mending : bool
        Whether accidents that need the grading engine's mending may happen.
    root : Path
        The course's root.
    """
    desk = _Desk(assignment, random.Random(f"{assignment} {seed}"), root)
    kinds = [kind for kind in KINDS if mending or not kind.mending]
    once = chain(
        ((*kind.make(desk), kind.name, kind.mending) for kind in kinds),
        ((*desk.mistaken(i), f"mistakes {i + 1}", False) for i in range(desk.most_mistakes)),
    )
    crowd = ((*desk.mixed(), "mixed", False) for _ in count())
    people = once if size is None else islice(chain(once, crowd), size)
    for number, (files, expected, name, needs_mending) in enumerate(people, 1):
        family, given = desk.rng.choice(FAMILY_NAMES), desk.rng.choice(GIVEN_NAMES)
        yield Submission(f"2026{number:05d}", family, given, name, files, expected, needs_mending)


def write(submissions: Iterator[Submission], course: Path, assignment: str) -> list[Submission]:
    """Lay submissions out as nbgrader expects them, in ``course/submitted/``, and return them."""
    written = list(submissions)
    for submission in written:
        folder = course / "submitted" / submission.student / assignment
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in submission.files.items():
            (folder / name).write_bytes(content)
    return written


Made = tuple[Mapping[str, bytes], Mapping[str, float]]  # files, expected points


class _Desk:
    """The release, the bank and the dice: where students fill in their notebooks."""

    def __init__(self, assignment: str, rng: random.Random, root: Path) -> None:
        self.assignment = assignment
        self.rng = rng
        self.release = nbformat.read(root / "release" / assignment / f"{assignment}.ipynb", 4)
        self.points = {
            cell.metadata.nbgrader["grade_id"]: cell.metadata.nbgrader["points"]
            for cell in self.release.cells
            if is_grade(cell)
        }
        self.questions: dict[str, list[Question]] = defaultdict(list)  # by solution cell
        for question in load(assignment):
            self.questions[question.cell].append(question)

    @cached_property
    def mistakes(self) -> dict[str, list[tuple[str, frozenset[str]]]]:
        """For each solution cell, the wrong answers and the test cells they lose."""
        return {
            cell: [(text, q.loses(name)) for q in questions for name, text in q.wrong.items()]
            for cell, questions in self.questions.items()
        }

    @property
    def most_mistakes(self) -> int:
        """How many students it takes to make every mistake."""
        return max(map(len, self.mistakes.values()))

    def right(self, cell: str) -> str:
        """Draw a right answer."""
        return self.rng.choice([text for q in self.questions[cell] for text in q.right.values()])

    def fill(
        self, answers: Mapping[str, str], lost: frozenset[str] = frozenset()
    ) -> tuple[NotebookNode, dict[str, float]]:
        """Fill in a released notebook; cells without an answer stay blank."""
        notebook = copy.deepcopy(self.release)
        for cell in notebook.cells:
            if is_solution(cell) and cell.metadata.nbgrader["grade_id"] in answers:
                cell.source = answers[cell.metadata.nbgrader["grade_id"]]
        blank = {
            q.test for cell, questions in self.questions.items() if cell not in answers for q in questions
        }
        return notebook, {
            test: 0.0 if test in lost | blank else float(full) for test, full in self.points.items()
        }

    def perfect(self) -> tuple[NotebookNode, dict[str, float]]:
        """Fill in everything rightly."""
        return self.fill({cell: self.right(cell) for cell in self.questions})

    def mistaken(self, i: int) -> Made:
        """Make a few mistakes; ``most_mistakes`` students together make each mistake once."""
        answers, lost = {}, frozenset()
        for shift, (cell, mistakes) in enumerate(self.mistakes.items()):
            mistake = (i + 3 * shift) % self.most_mistakes
            if mistake < len(mistakes):
                answers[cell], loses = mistakes[mistake]
                lost |= loses
            else:
                answers[cell] = self.right(cell)
        return self.hand_in(*self.fill(answers, lost))

    def mixed(self) -> Made:
        """Answer as most students do: rightly, wrongly, not at all, by a skill of one's own."""
        skill = self.rng.betavariate(4, 2)
        answers, lost = {}, frozenset()
        for cell, mistakes in self.mistakes.items():
            luck = self.rng.random()
            if luck < skill:
                answers[cell] = self.right(cell)
            elif luck < skill + (1 - skill) * 0.8:
                answers[cell], loses = self.rng.choice(mistakes)
                lost |= loses
        return self.hand_in(*self.fill(answers, lost))

    def hand_in(self, notebook: NotebookNode, expected: Mapping[str, float], name: str | None = None) -> Made:
        """Save a notebook under the assignment's name, or another."""
        text = json.dumps(notebook, ensure_ascii=False, indent=1)
        return {name or f"{self.assignment}.ipynb": text.encode()}, expected

    def lost(self) -> dict[str, float]:
        """Give no point to anything."""
        return dict.fromkeys(self.points, 0.0)


@dataclass(frozen=True)
class Kind:
    """A kind of submission: how it is made, and whether plain nbgrader loses it."""

    name: str
    make: Callable[[_Desk], Made]
    mending: bool = False


def _solutions(notebook: NotebookNode) -> list[int]:
    return [i for i, cell in enumerate(notebook.cells) if is_solution(cell)]


def _tests(notebook: NotebookNode) -> list[int]:
    return [i for i, cell in enumerate(notebook.cells) if is_grade(cell)]


def _perfect(desk: _Desk) -> Made:
    return desk.hand_in(*desk.perfect())


def _first_half(desk: _Desk) -> Made:
    cells = list(desk.questions)
    return desk.hand_in(*desk.fill({cell: desk.right(cell) for cell in cells[: len(cells) // 2]}))


def _blank(desk: _Desk) -> Made:
    return desk.hand_in(*desk.fill({}))


def _syntax_error(desk: _Desk) -> Made:
    answers = {cell: desk.right(cell) for cell in desk.questions}
    broken = desk.rng.choice(list(answers))
    answers[broken] += "\nprint('거의 다 했다'"
    return desk.hand_in(*desk.fill(answers, frozenset(q.test for q in desk.questions[broken])))


def _as_saved_by_colab(desk: _Desk) -> Made:
    notebook, expected = desk.perfect()
    return desk.hand_in(as_saved_by_colab(notebook, desk.assignment, desk.rng), expected)


def as_saved_by_colab(notebook: NotebookNode, assignment: str, rng: random.Random) -> NotebookNode:
    """Return a notebook in the form in which Google Colab saves it."""
    notebook = copy.deepcopy(notebook)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
    for number, cell in enumerate(notebook.cells):
        own = cell.pop("id", "")
        cell.metadata["id"] = own if own == "view-in-github" else "".join(rng.choices(letters, k=12))
        if cell.cell_type == "code":
            cell.execution_count = number
            cell.metadata["executionInfo"] = {
                "status": "ok",
                "timestamp": 1_775_000_000_000 + 1000 * number,
                "user_tz": -540,
                "elapsed": rng.randrange(3, 900),
                "user": {"displayName": "", "userId": ""},
            }
            if is_grade(cell):
                cell.metadata["outputId"] = "".join(rng.choices("0123456789abcdef", k=32))
                cell.metadata["colab"] = {"base_uri": "https://localhost:8080/"}
                cell.outputs = [new_output("stream", name="stdout", text="공개 검사를 통과했습니다.\n")]
    notebook.metadata = NotebookNode(
        colab={"provenance": [], "name": f"{assignment}.ipynb", "include_colab_link": True},
        kernelspec={"name": "python3", "display_name": "Python 3"},
        language_info={"name": "python"},
        accelerator="GPU",
        widgets={"application/vnd.jupyter.widget-state+json": {}},
    )
    notebook.nbformat_minor = 0
    return notebook


def _extra_cells(desk: _Desk) -> Made:
    notebook, expected = desk.perfect()
    extra = [
        "!pip install torchinfo",
        "from google.colab import drive\ndrive.mount('/content/drive')",
        "%cd /content\n!ls",
        "import warnings\nwarnings.warn('연습')\nprint(3 * 3 * 64)",
        "1 / 0",
    ]
    for text in extra:
        place = desk.rng.randrange(len(notebook.cells))
        notebook.cells.insert(place, new_code_cell(text, id=f"extra-{extra.index(text)}"))
    notebook.cells.append(new_markdown_cell("4.4에서 한참 걸렸습니다.", id="diary"))
    return desk.hand_in(notebook, expected)


def _with_outputs(desk: _Desk) -> Made:
    notebook, expected = desk.perfect()
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.execution_count = number
            cell.outputs = [new_output("stream", name="stderr", text="UserWarning: ...\n")]
    return desk.hand_in(notebook, expected)


def _edited_tests(desk: _Desk) -> Made:
    notebook, expected = desk.fill({})
    for i in _tests(notebook):
        notebook.cells[i].source = "assert True"
        notebook.cells[i].metadata.nbgrader["points"] = 100
    return desk.hand_in(notebook, expected)


def _copy_in_english(desk: _Desk) -> Made:
    return desk.hand_in(*desk.perfect(), name=f"{desk.assignment} (1).ipynb")


def _copy_in_korean(desk: _Desk) -> Made:
    name = unicodedata.normalize("NFD", f"{desk.assignment}의 사본.ipynb")
    return desk.hand_in(*desk.perfect(), name=name)


def _duplicated_answer(desk: _Desk) -> Made:
    notebook, expected = desk.perfect()
    i = desk.rng.choice(_solutions(notebook))
    again = copy.deepcopy(notebook.cells[i])
    again.id = f"{again.id}-again"
    notebook.cells.insert(i + 1, again)
    return desk.hand_in(notebook, expected)


def _duplicated_test(desk: _Desk) -> Made:
    notebook, expected = desk.perfect()
    i = desk.rng.choice(_tests(notebook))
    again = copy.deepcopy(notebook.cells[i])
    again.id = f"{again.id}-again"
    notebook.cells.insert(i, again)
    return desk.hand_in(notebook, expected)


def _deleted_tests(desk: _Desk) -> Made:
    notebook, expected = desk.perfect()
    gone = desk.rng.sample(_tests(notebook), 3)
    notebook.cells = [cell for i, cell in enumerate(notebook.cells) if i not in gone]
    return desk.hand_in(notebook, expected)


def _stripped_metadata(desk: _Desk) -> Made:
    notebook, expected = desk.perfect()
    for cell in notebook.cells:
        cell.metadata = NotebookNode()
    return desk.hand_in(notebook, expected)


def _empty_file(desk: _Desk) -> Made:
    return {f"{desk.assignment}.ipynb": b""}, desk.lost()


def _web_page(desk: _Desk) -> Made:
    return {f"{desk.assignment}.ipynb": b"<!DOCTYPE html><title>Colab</title>"}, desk.lost()


KINDS = (
    Kind("perfect", _perfect),
    Kind("first half only", _first_half),
    Kind("blank", _blank),
    Kind("syntax error in one answer", _syntax_error),
    Kind("saved by Colab", _as_saved_by_colab),
    Kind("extra cells", _extra_cells),
    Kind("saved with outputs", _with_outputs),
    Kind("edited tests and points", _edited_tests),
    Kind("downloaded twice: (1)", _copy_in_english, mending=True),
    Kind("Korean copy, NFD name", _copy_in_korean, mending=True),
    Kind("duplicated answer cell", _duplicated_answer, mending=True),
    Kind("duplicated test cell", _duplicated_test, mending=True),
    Kind("deleted test cells", _deleted_tests, mending=True),
    Kind("all metadata lost", _stripped_metadata, mending=True),
    Kind("empty file", _empty_file, mending=True),
    Kind("web page instead of notebook", _web_page, mending=True),
)
