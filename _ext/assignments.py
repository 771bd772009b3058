"""The directive ``{assignments}``: a table of the released assignments, read from ``release/``.

What a notebook is called, how many points it has and how long it takes stand in the notebook alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.parsers.rst import Directive
from nbgrader.utils import is_grade
from sphinx.application import Sphinx

from tools.colab import colab_url

ORDER = (
    "counting",
    "convolutions",
    "quiz_convolution",
    "models",
    "quiz_models",
    "cifar10",
    "transfer",
    "quiz_transfer",
)
TIME = re.compile(r"모두 푸는 데 (.+?)쯤 걸립니다|걸리는 시간은 (.+?)입니다")


@dataclass(frozen=True)
class Released:
    """One assignment as its students see it."""

    title: str
    points: float
    time: str
    url: str


def released(root: Path) -> list[Released]:
    """Return the released assignments in the order of the course; unknown ones come last, by name.

    Raises
    ------
    ValueError
        If a notebook has no title or does not say how long it takes.
    """
    found = {path.parent.name: path for path in (root / "release").glob("*/*.ipynb")}
    names = [name for name in ORDER if name in found] + sorted(set(found) - set(ORDER))
    return [_read(found[name], root) for name in names]


def _read(path: Path, root: Path) -> Released:
    notebook = nbformat.read(path, 4)
    head = next((cell.source for cell in notebook.cells if cell.source.startswith("# ")), "")
    time = TIME.search(head)
    if not time:
        raise ValueError(
            f"{path.name}: its first text cell must begin with '# TITLE' and say '모두 푸는 데 …쯤 걸립니다'"
        )
    return Released(
        title=head.splitlines()[0].removeprefix("# ").strip(),
        points=sum(cell.metadata.nbgrader.points for cell in notebook.cells if is_grade(cell)),
        time=time[1] or time[2],
        url=colab_url(path.relative_to(root).as_posix(), root),
    )


class Assignments(Directive):
    """``{assignments}``, without content."""

    def run(self) -> list[nodes.Node]:
        """Write the table."""
        environment = self.state.document.settings.env
        table, group = nodes.table(), nodes.tgroup(cols=3)
        group += [nodes.colspec(colwidth=width) for width in (5, 1, 2)]
        head, body = nodes.thead(), nodes.tbody()
        head += _row([nodes.Text(text) for text in ("과제", "점수", "걸리는 시간")])
        for one in released(Path(environment.srcdir)):
            link = nodes.reference("", one.title, refuri=one.url)
            body += _row([link, nodes.Text(f"{one.points:g}점"), nodes.Text(one.time)])
        environment.note_reread()  # each time: no file it depends on tells of a new assignment
        group += [head, body]
        table += group
        return [table]


def _row(entries: list[nodes.Node]) -> nodes.row:
    row = nodes.row()
    for content in entries:
        row += nodes.entry("", nodes.paragraph("", "", content))
    return row


def setup(app: Sphinx) -> dict[str, object]:
    """Register the directive."""
    app.add_directive("assignments", Assignments)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
