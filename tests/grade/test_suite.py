"""A class of hostile, broken, unusual and honest submissions, graded by one `nbgrader autograde`.

No cheat gains a mark, no honest answer loses one, everybody has a grade, and the class goes on.
"""

import os
import re
import subprocess
import sys
from collections import Counter

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.api import Gradebook
from nbgrader.utils import determine_grade, is_grade

from autograders.checker import lint
from autograders.grading import REPORT, grade_notebook
from autograders.job import MIB, Limits
from autograders.settings import Settings
from tests.grade.suite import CHEATS, EVERYBODY, HONEST, HOSTILE
from tests.grade.suite.assignment import IMPORTS, TESTS, filled, source, template
from tests.grade.suite.case import FULL
from tests.grade.tiny import ROOT

LIMITS = {
    "cell_seconds": 8,
    "notebook_seconds": 30,
    "cpu_seconds": 30,
    "memory_bytes": 512 * MIB,
    "processes": 48,
    "file_bytes": 32 * MIB,
    "scratch_bytes": 64 * MIB,
    "output_bytes": 100_000,
}
GRADER_BYTES = 2048 * MIB
# A process in between: until it runs its program, a child counts the memory of whoever forked it as its own.
MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, flush=True)
sys.exit(status)
"""
IN_KERNEL = [case for case in CHEATS if case.in_kernel]


def by_name(case):
    return case.name


def by_the_name(start):
    return next(case for case in EVERYBODY if case.name.startswith(start))


class Class:
    """The course directory after the whole class has been graded."""

    def __init__(self, root):
        self.root = root
        (root / "source" / "suite").mkdir(parents=True)
        nbformat.write(source(), root / "source" / "suite" / "suite.ipynb")
        config = f"c = get_config()\nload_subconfig({str(ROOT / 'nbgrader_config.py')!r})\n"
        config += f"c.Engine.limits = {{'*': {LIMITS}}}\nc.Engine.workers = 2\n"
        (root / "nbgrader_config.py").write_text(config)
        self.command("generate_assignment")
        for case in EVERYBODY:
            for name, data in case.handed_in.items():
                path = root / "submitted" / case.name / "suite" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        self.status, self.said, self.peak_bytes = self.command("autograde")
        with Gradebook(f"sqlite:///{root}/gradebook.db", "cnnbook") as book:
            self.grades = {
                s.student_id: {grade.name: grade for n in s.notebooks for grade in n.grades}
                for s in book.assignment_submissions("suite")
            }
            self.scores = {
                student: {name: grade.auto_score for name, grade in grades.items()}
                for student, grades in self.grades.items()
            }

    def command(self, *words):
        """Run nbgrader; its exit status, what it said, and the most memory that one of its processes used."""
        with open(self.root / "said", "w+") as log:
            process = subprocess.run(
                [sys.executable, "-c", MEASURED, sys.executable, "-m", "nbgrader", *words, "suite"],
                cwd=self.root, stdout=log, stderr=log,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )  # fmt: skip
            log.seek(0)
            said, _, peak = log.read().rpartition("peak ")
            return process.returncode, said, int(peak) * 1024

    def graded(self, case):
        return nbformat.read(self.root / "autograded" / case.name / "suite" / "suite.ipynb", as_version=4)

    def told(self, case):
        """All that a graded notebook says: notes, errors, and why it was stopped."""
        nb = self.graded(case)
        errors = [o.evalue for c in nb.cells for o in c.get("outputs", []) if o.output_type == "error"]
        return "\n".join([str(nb.metadata[REPORT]), nb.cells[0].source, *errors])


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    return Class(tmp_path_factory.mktemp("suite"))


def test_the_class_is_graded_to_its_end(graded):
    assert graded.status == 0, graded.said[-3000:]
    assert set(graded.scores) == {case.name for case in EVERYBODY}


def test_everybody_has_a_grade_for_every_question(graded):
    missing = {s: n for s, scores in graded.scores.items() for n in FULL if scores[n] is None}
    assert missing == {}


def test_no_process_of_the_grader_grew_large(graded):
    assert graded.peak_bytes < GRADER_BYTES


@pytest.mark.parametrize("case", HOSTILE, ids=by_name)
def test_hostile_broken_and_unusual_submissions_get_what_they_deserve(graded, case):
    scores = {name: graded.scores[case.name][name] for name in FULL}
    assert scores == case.expected, graded.told(case)
    assert case.note in graded.told(case)


@pytest.mark.parametrize("case", HONEST, ids=by_name)
def test_right_answers_get_full_marks(graded, case):
    scores = {name: graded.scores[case.name][name] for name in FULL}
    assert scores == FULL, graded.told(case)


def test_written_answers_wait_for_a_person(graded):
    grade = graded.grades["numpy"]["essay"]
    assert grade.needs_manual_grade and grade.auto_score is None


def test_a_picture_in_a_written_answer_is_kept_if_it_is_one(graded):
    essays = [graded.graded(by_the_name(name)).cells[-1] for name in ("picture", "scripts")]
    assert [bool(one.get("attachments")) for one in essays] == [True, False]


def test_nothing_of_a_student_can_act_where_marks_are_given(graded):
    for case in EVERYBODY:
        for cell in graded.graded(case).cells:
            if cell.cell_type == "markdown":
                assert not re.search(r"<\s*(img|script)", cell.source), case.name


# The same cheats with the checker on and off, in the same sandbox


@pytest.mark.parametrize("checker", [False, True], ids=["wins without the checker", "loses with it"])
@pytest.mark.parametrize("case", IN_KERNEL, ids=by_name)
def test_a_cheat_in_the_kernel(engine, case, checker):
    settings = Settings(limits=Limits(**LIMITS), checker=checker)
    graded = grade_notebook(template(), case.notebook, runner=engine, settings=settings)
    score, points = graded.scores[f"test_{case.lost.split()[0]}"]
    assert score == (0 if checker else points), graded.notebook.metadata


# The suite itself


def test_the_suite_is_as_broad_as_it_says():
    assert len(HOSTILE) >= 80 and len(HONEST) >= 20
    assert max(Counter(case.kind for case in EVERYBODY).values()) <= 3
    assert len({case.name for case in EVERYBODY}) == len(EVERYBODY)


def test_its_tests_are_written_as_the_checker_asks():
    assert {name: found for name, text in TESTS.items() if (found := lint(text, [IMPORTS]))} == {}


def test_they_grade_on_a_stock_kernel_too():
    nb = filled(choice='answer = "①"')
    tests = {c.metadata.nbgrader.grade_id: c for c in template().cells if is_grade(c)}
    for cell in nb.cells:
        if cell.cell_type == "code" and is_grade(cell):
            cell.source = tests[cell.metadata.nbgrader.grade_id].source
    NotebookClient(nb, allow_errors=True, kernel_name="python3").execute()
    scores = {
        c.metadata.nbgrader.grade_id: determine_grade(c)[0]
        for c in nb.cells
        if is_grade(c) and c.cell_type == "code"
    }
    assert scores == FULL | {"test_choice": 0}
