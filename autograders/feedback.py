"""What a student sees of a graded notebook: what failed and by how much, never the hidden tests.

`StudentView` is a step of nbgrader's `GenerateFeedback`. Formgrader reads the autograded notebook itself
and shows instructors all.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, GetGrades
from traitlets import List, Unicode
from traitlets.config import Config

from .grading import REPORT
from .submission import grade_id

MAX_MESSAGE = 2000

# How the comparison helpers of torch, numpy and unittest word the value they expected.
_EXPECTED_LINES = re.compile(
    r"^\s*(DESIRED|desired|Expected|expected|y|Second)\s*[:=].*(\n\s+(?!ACTUAL|x\s*:).*)*$", re.MULTILINE
)
_EXPECTED_WORDS = (
    (re.compile(r", [^\n]*? \(DESIRED\)"), ""),
    (re.compile(r"Expected .{0,500}? but got", re.DOTALL), "got"),
    (re.compile(r"(assert|AssertionError:)\s.{1,500}?==.*", re.DOTALL), r"\1"),
)


def scrub(message: str) -> str:
    """Take out of a failed test's message the value that a comparison helper expected.

    >>> scrub("Scalars are not equal! Expected 4 but got 3.")
    'Scalars are not equal! got 3.'
    """
    message = _EXPECTED_LINES.sub("", message)
    for pattern, shorter in _EXPECTED_WORDS:
        message = pattern.sub(shorter, message)
    message = re.sub(r"\n{2,}", "\n", message).strip()
    return message if len(message) <= MAX_MESSAGE else message[:MAX_MESSAGE] + " …"


def student_outputs(cell: NotebookNode) -> list[NotebookNode]:
    """Return a test cell's outputs as students see them: a failure's message, or the partial score."""
    shown = []
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            message = scrub(output.evalue)
            text = f"{output.ename}: {message}" if message else output.ename
            shown.append(new_output("error", ename=output.ename, evalue=message, traceback=[text]))
        elif output.output_type == "execute_result":
            score = str(output.data.get("text/plain", ""))
            shown.append(new_output("stream", name="stdout", text=f"부분 점수: {score}"))
    return shown


def right_options(source: NotebookNode) -> dict[str, str]:
    """Return, for each test cell of an instructor's notebook that looks at dropdowns, their right options.

    A dropdown's answer is a line ``name = "②"`` of a solution cell, without Colab's form beside it.
    """
    options: dict[str, str] = {}
    for cell in source.cells:
        if utils.is_solution(cell):
            options |= dict(re.findall(r'^(\w+) = "([①-⑨])"\s*$', cell.source, re.MULTILINE))
    found = {}
    for cell in source.cells:
        if utils.is_grade(cell):
            asked = [name for name in options if re.search(rf"\b{name}\b", cell.source)]
            if asked:
                found[grade_id(cell)] = ", ".join(options[name] for name in asked)
    return found


class StudentView(GetGrades):
    """nbgrader's `GetGrades`, and the notebook cut down to what its student may see."""

    reveal = List(
        Unicode(),
        help="Assignments whose feedback names the right option of a dropdown that was answered wrongly.",
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Fetch the marks, those given by hand too, and change the notebook."""
        nb, resources = super().preprocess(nb, resources)
        waiting = self._waiting(resources["nbgrader"])
        right = self._revealed(resources["nbgrader"])
        for index, cell in enumerate(nb.cells):
            if grade_id(cell) in waiting:
                cell.metadata.nbgrader["score"] = None
            if utils.is_grade(cell) and not utils.is_solution(cell):
                cell.source = self._released(cell, index)
                if cell.cell_type == "code":
                    cell.outputs = student_outputs(cell)
                    if grade_id(cell) in right and cell.metadata.nbgrader["score"] == 0:
                        text = f"정답: {right[grade_id(cell)]}"
                        cell.outputs.append(new_output("stream", name="stdout", text=text))
            elif utils.is_task(cell):
                cell.source = self._released(cell, index)
        nb.metadata.pop(REPORT, None)
        nb.cells.insert(0, new_markdown_cell(marks_table(nb, resources)))
        return nb, resources

    def _waiting(self, where: dict) -> set[str]:
        """Return the questions that a person has yet to mark: nbgrader gives 0 for them until then."""
        with Gradebook(where["db_url"]) as gradebook:
            saved = gradebook.find_submission_notebook(
                where["notebook"], where["assignment"], where["student"]
            )
            return {g.name for g in saved.grades if g.auto_score is None and g.manual_score is None}

    def _revealed(self, where: dict) -> dict[str, str]:
        """Return the right options that this assignment's students may see by now."""
        if where["assignment"] not in self.reveal:
            return {}
        coursedir = self.parent.parent.coursedir  # of the converter, by its exporter
        folder = coursedir.format_path(coursedir.source_directory, ".", where["assignment"])
        return right_options(nbformat.read(Path(folder) / f"{where['notebook']}.ipynb", as_version=4))

    def _released(self, cell: NotebookNode, index: int) -> str:
        """Return the cell's text as released; nothing at all if its hidden-part marks do not pair up."""
        try:
            for step in (ClearHiddenTests, ClearMarkScheme):
                own = Config({step.__name__: self.config[step.__name__]})
                cell, _ = step(config=own).preprocess_cell(cell, {}, index)
        except RuntimeError:
            return "# 채점 칸"
        return cell.source if cell.source.strip() else "# 공개하지 않은 채점 칸입니다."


def marks_table(nb: NotebookNode, resources: dict) -> str:
    """Return a Markdown table: question, points, and why points are missing."""
    total = resources["nbgrader"]
    lines = [
        f"**{total['score']:g}점 / {total['max_score']:g}점**",
        "",
        "| 문제 | 점수 | 까닭 |",
        "|---|---|---|",
    ]
    for cell in nb.cells:
        if not (utils.is_grade(cell) or utils.is_task(cell)):
            continue
        mark = cell.metadata.nbgrader
        score, points = mark.get("score"), mark["points"]
        shown = "채점 전" if score is None else f"{score:g}"
        lines.append(f"| `{mark['grade_id']}` | {shown} / {points:g} | {_why(cell)} |")
    return "\n".join(lines)


def _why(cell: NotebookNode) -> str:
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            first = (output.evalue or output.ename).strip().splitlines()[0]
            return re.sub(r"([|\\`*_<>\[\]])", r"\\\1", first[:200])
        if output.output_type == "stream" and output.text.startswith("부분 점수"):
            return "부분 점수"
    return ""
