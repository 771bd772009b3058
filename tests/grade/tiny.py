"""A small assignment and a course directory around it, for the tests of grading."""

import atexit
import copy
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.apps import autogradeapp
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from autograders.template import Template

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = {
    "double": "def double(x):\n    return 2 * x",
    "seven": "seven = 7",
    "essay": "접힌 곳이 없기 때문입니다.",
}


def cell(new, source, grade_id, *, grade=False, solution=False, points=None):
    made = new(source, id=grade_id)
    made.metadata["nbgrader"] = {
        "grade_id": grade_id,
        "grade": grade,
        "solution": solution,
        "locked": not solution,
        "task": False,
        "schema_version": 3,
        **({"points": points} if points else {}),
    }
    return made


def source():
    """Two coding questions (2 and 3 points), one written answer (5 points)."""
    region = "### BEGIN SOLUTION\n{}\n### END SOLUTION"
    return new_notebook(
        metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}},
        cells=[
            new_markdown_cell("# 작은 과제", id="title"),
            new_code_cell("import math\nscale = 1", id="imports"),
            new_markdown_cell("두 배를 돌려주는 함수를 쓰십시오.", id="question-1"),
            cell(
                new_code_cell,
                "def double(x):\n    " + region.format("    return 2 * x").replace("\n###", "\n    ###"),
                "double",
                solution=True,
            ),
            cell(
                new_code_cell,
                "assert double(1) == 2, 'double(1)을 다시 보십시오.'\n"
                "### BEGIN HIDDEN TESTS\n"
                "secret_input = 20\n"
                "assert double(secret_input) == 40, '큰 수에서도 되는지 보십시오.'\n"
                "### END HIDDEN TESTS",
                "test_double",
                grade=True,
                points=2,
            ),
            new_markdown_cell("일곱을 `seven`에 넣으십시오.", id="question-2"),
            cell(new_code_cell, region.format("seven = 7"), "seven", solution=True),
            cell(
                new_code_cell,
                "### BEGIN HIDDEN TESTS\nassert seven == 7, 'seven을 다시 보십시오.'\n### END HIDDEN TESTS",
                "test_seven",
                grade=True,
                points=3,
            ),
            cell(new_markdown_cell, region.format("까닭"), "essay", grade=True, solution=True, points=5),
        ],
    )


def template():
    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    return Template.of(source(), config)


def released():
    made = template()
    cells = [copy.deepcopy(c) for c in made.cells]
    for one, text in zip(cells, made.released, strict=True):
        one.source = text
        if one.metadata.get("nbgrader", {}).get("grade_id") in made.released_checksums:
            one.metadata.nbgrader["checksum"] = made.released_checksums[one.metadata.nbgrader["grade_id"]]
    return new_notebook(cells=cells, metadata=made.metadata)


def filled(**answers):
    """The released notebook with answers, the right ones unless given otherwise."""
    nb = released()
    for grade_id, text in {**ANSWERS, **answers}.items():
        find(nb, grade_id).source = text
    return nb


def find(nb, grade_id):
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def as_bytes(nb):
    return json.dumps(nb, ensure_ascii=False).encode()


@cache
def released_course():
    """A course directory after `nbgrader generate_assignment`; made once, then copied."""
    root = Path(tempfile.mkdtemp(prefix="tiny-course-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    folder = root / "source" / "tiny"
    folder.mkdir(parents=True)
    nbformat.write(source(), folder / "tiny.ipynb")
    config = f"c = get_config()\nload_subconfig({str(ROOT / 'nbgrader_config.py')!r})\n"
    (root / "nbgrader_config.py").write_text(config)
    GenerateAssignment(**Course(root).parts()).start()
    return root


class Course:
    """A course directory elsewhere that has just an nbgrader_config.py pointing to the repository's."""

    def __init__(self, root):
        self.root = Path(root)
        if not self.root.exists():
            shutil.copytree(released_course(), self.root)

    def parts(self, student="*", **engine):
        config = PyFileConfigLoader("nbgrader_config.py", path=str(self.root)).load_config()
        config.merge(Config({"Engine": engine, "CourseDirectory": {"root": str(self.root)}}))
        coursedir = CourseDirectory(config=config, assignment_id="tiny", student_id=student)
        return {"coursedir": coursedir, "config": config}

    def hand_in(self, student, data, name="tiny.ipynb"):
        path = self.root / "submitted" / student / "tiny" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else as_bytes(data))
        return path

    def grade(self, student="*", force=False, **engine):
        converter = autogradeapp.Autograde(**self.parts(student, **engine))
        converter.force = force
        converter.start()

    def graded(self, student):
        return nbformat.read(self.root / "autograded" / student / "tiny" / "tiny.ipynb", as_version=4)

    def gradebook(self):
        return Gradebook(f"sqlite:///{self.root}/gradebook.db", "cnnbook")

    def scores(self):
        """Each student's marks by tests and by hand: student -> {grade_id: score}."""
        with self.gradebook() as book:
            return {
                s.student_id: {g.name: g.auto_score for n in s.notebooks for g in n.grades}
                for s in book.assignment_submissions("tiny")
            }

    def dump(self):
        """All that a gradebook says about the class, without its random ids."""
        with self.gradebook() as book:
            return sorted(
                (s.student_id, s.score, g.name, g.auto_score, g.manual_score, g.needs_manual_grade)
                for s in book.assignment_submissions("tiny")
                for n in s.notebooks
                for g in n.grades
            ) + sorted(
                (s.student_id, c.name, c.auto_comment or "")
                for s in book.assignment_submissions("tiny")
                for n in s.notebooks
                for c in n.comments
            )
