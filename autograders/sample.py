"""The bundled sample class: submissions with known scores, graded as an instructor grades, and compared.

``python -m autograders sample`` (``make grade``) keeps it in a course directory of its own,
``_build/sample/``, with a gradebook of its own: an instructor's ``submitted/`` and grades are never touched.
nbgrader's own commands do the work there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from autograders.class_generator import Submission, simulate

ROOT = Path(__file__).resolve().parents[1]
COURSE = ROOT / "_build" / "sample"
CONFIG = """\
c = get_config()
load_subconfig({config!r})
c.CourseDirectory.root = {course!r}
c.CourseDirectory.db_url = {database!r}
# Every submission of this class was written by the class generator: none needs a sandbox.
c.Engine.unsandboxed = True
"""


@dataclass(frozen=True)
class Line:
    """One line of the table: what a student was to get and what came out."""

    student: str
    name: str
    kind: str
    expected: float
    given: float | None  # None: no submission in the gradebook
    differing: tuple[str, ...]  # test cells whose points differ

    @property
    def agrees(self) -> bool:
        """Whether every test cell was marked as expected."""
        return self.given is not None and not self.differing


def grade_class(assignment: str, size: int | None = None, course: Path = COURSE) -> list[Line]:
    """Let a sample class hand in an assignment, grade it with nbgrader's commands, and compare.

    Raises
    ------
    RuntimeError
        If one of nbgrader's commands fails; the message ends with what it printed.
    """
    submissions = list(simulate(assignment, size))
    _lay_out(assignment, submissions, course)
    for command in (
        ("generate_assignment", assignment, "--force"),
        ("autograde", assignment),
        ("generate_feedback", assignment),
        ("export", f"--to={course / 'grades.csv'}"),
    ):
        _nbgrader(course, *command)
    with Gradebook(_database(course), "cnnbook") as gradebook:
        return [_compare(submission, assignment, gradebook) for submission in submissions]


def _lay_out(assignment: str, submissions: list[Submission], course: Path) -> None:
    """Write the course directory: configuration, source, submissions, names."""
    course.mkdir(parents=True, exist_ok=True)
    (course / "nbgrader_config.py").write_text(
        CONFIG.format(
            config=str(ROOT / "nbgrader_config.py"), course=str(course), database=_database(course)
        ),
        "utf-8",
    )
    shutil.copytree(ROOT / "source" / assignment, course / "source" / assignment, dirs_exist_ok=True)
    for submission in submissions:
        folder = course / "submitted" / submission.student / assignment
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.iterdir():
            if stale.name not in submission.files:
                stale.unlink()
        for name, content in submission.files.items():
            path = folder / name
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)
    with Gradebook(_database(course), "cnnbook") as gradebook:
        for submission in submissions:
            gradebook.update_or_create_student(
                submission.student, first_name=submission.given_name, last_name=submission.family_name
            )


def _database(course: Path) -> str:
    return f"sqlite:///{course / 'gradebook.db'}"


def _nbgrader(course: Path, *arguments: str) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if process.returncode:
        printed = (process.stdout + process.stderr)[-3000:]
        raise RuntimeError(f"nbgrader {' '.join(arguments)} ended with {process.returncode}:\n{printed}")


def _compare(submission: Submission, assignment: str, gradebook: Gradebook) -> Line:
    name = submission.family_name + submission.given_name
    try:
        graded = gradebook.find_submission(assignment, submission.student)
    except MissingEntry:
        return Line(submission.student, name, submission.kind, submission.score, None, ())
    given = {grade.name: grade.score for notebook in graded.notebooks for grade in notebook.grades}
    differing = tuple(test for test, points in submission.expected.items() if given.get(test) != points)
    return Line(submission.student, name, submission.kind, submission.score, graded.score, differing)


def table(lines: list[Line]) -> Iterator[str]:
    """Yield the table's lines, Korean names taking two columns a letter."""
    yield f"{'student':<11}{'name':<10}{'kind':<30}{'expected':>9}{'given':>8}"
    for line in lines:
        wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in line.name)
        given = "none" if line.given is None else f"{line.given:g}"
        remark = "" if line.agrees else f"   differs: {', '.join(line.differing) or 'not graded'}"
        who = f"{line.student:<11}{line.name:<{10 - wide}}{line.kind:<30}"
        yield f"{who}{line.expected:>9g}{given:>8}{remark}"
    wrong = sum(not line.agrees for line in lines)
    yield f"{len(lines)} students: " + (
        f"{wrong} DIFFER from what they should get" if wrong else "all as expected"
    )


def _fingerprint(assignment: str, size: int | None) -> str:
    """Digest all that the grades depend on."""
    digest = hashlib.sha256(repr((assignment, size, sys.version)).encode())
    for path in [
        ROOT / "source" / assignment / f"{assignment}.ipynb",
        ROOT / "release" / assignment / f"{assignment}.ipynb",
        ROOT / "nbgrader_config.py",
        *sorted((ROOT / "autograders").rglob("*.py")),
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def main(argv: list[str] | None = None) -> int:
    """Grade the sample class and print the table; exit status 1 if a grade is not what it must be."""
    parser = argparse.ArgumentParser(prog="python -m autograders sample", description=__doc__.split("\n")[0])
    parser.add_argument("assignment", nargs="?", default="counting")
    parser.add_argument("--students", type=int, help="size of the class (default: one of each kind)")
    parser.add_argument("--force", action="store_true", help="grade again even if nothing has changed")
    arguments = parser.parse_args(argv)
    assignment, size = arguments.assignment, arguments.students
    record = COURSE / f"{assignment}.json"
    fingerprint = _fingerprint(assignment, size)
    known = json.loads(record.read_text("utf-8")) if record.exists() else {}
    if arguments.force or known.get("fingerprint") != fingerprint:
        start = time.monotonic()
        print(f"Grading the sample class of {assignment} in {COURSE.relative_to(ROOT)}/ ...", flush=True)
        try:
            lines = grade_class(assignment, size)
        except RuntimeError as failure:
            print(failure, file=sys.stderr)
            return 1
        known = {"fingerprint": fingerprint, "lines": [asdict(line) for line in lines]}
        record.write_text(json.dumps(known, ensure_ascii=False), "utf-8")
        print(f"graded in {time.monotonic() - start:.0f} s")
    lines = [Line(**{**line, "differing": tuple(line["differing"])}) for line in known["lines"]]
    print("\n".join(table(lines)))
    print(
        f"gradebook: {COURSE.relative_to(ROOT)}/gradebook.db   feedback: {COURSE.relative_to(ROOT)}/feedback/"
    )
    return 0 if all(line.agrees for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
