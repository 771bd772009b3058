"""``make release``: ``source/NAME/NAME.ipynb`` to ``release/NAME/NAME.ipynb``, once its tests are proved.

nbgrader's own ``generate_assignment`` makes the students' notebook; the gate (``tools/gate.py``) then grades
every answer of ``autograders/banks/NAME.py``. Only if all of them score what they must is the notebook
written, with a Colab badge on top.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import logging
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from tqdm import tqdm
from traitlets.config import Config, PyFileConfigLoader

from autograders.banks import load
from tools import gate
from tools.colab import badge

ROOT = Path(__file__).resolve().parents[1]
MARK = "generated"  # metadata key with the digest of what was generated: an edit by hand shows
LEFTOVERS = (".ipynb_checkpoints", "__pycache__", ".DS_Store")


class ReleaseError(Exception):
    """An assignment that may not be released; the message says why and what to do."""


def names(root: Path = ROOT) -> list[str]:
    """Return the assignments in ``source/``, sorted."""
    notebooks = root.glob("source/*/*.ipynb")
    return sorted(path.stem for path in notebooks if path.stem == path.parent.name)


def configuration(root: Path = ROOT) -> Config:
    """Return what ``nbgrader_config.py`` says."""
    return PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()


def read_source(name: str, root: Path = ROOT) -> NotebookNode:
    """Read the instructor's notebook.

    Raises
    ------
    ReleaseError
        If there is none, or if other files lie beside it (a released notebook stands alone).
    """
    folder = root / "source" / name
    path = folder / f"{name}.ipynb"
    if not path.is_file():
        raise ReleaseError(f"{name}: no such assignment; source/ has {', '.join(names(root)) or 'none'}")
    beside = [p.name for p in folder.iterdir() if p != path and p.name not in LEFTOVERS]
    if beside:
        raise ReleaseError(
            f"{name}: move {', '.join(sorted(beside))} out of source/{name}; a notebook stands alone"
        )
    return nbformat.read(path, 4)


class ColabBadge(NbGraderPreprocessor):
    """The last step of ``generate_assignment``: a badge on top, and a digest that shows edits by hand."""

    def preprocess(self, notebook: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Put the badge of ``release/NAME/NAME.ipynb`` on top."""
        where = resources["nbgrader"]
        link = badge(f"release/{where['assignment']}/{where['notebook']}.ipynb")
        # The id and type that Colab gives its own badge: it then replaces ours, as ours replaces its own.
        top = new_markdown_cell(link, id="view-in-github", metadata={"colab_type": "text"})
        notebook.cells = [top, *(cell for cell in notebook.cells if cell.get("id") != top.id)]
        notebook.metadata[MARK] = _digest(notebook)
        return notebook, resources


def generate(name: str, root: Path = ROOT) -> NotebookNode:
    """Return the students' notebook as nbgrader makes it from the source.

    Raises
    ------
    ReleaseError
        If nbgrader refuses the source notebook.
    """
    read_source(name, root)
    with tempfile.TemporaryDirectory() as course:
        leave_out = shutil.ignore_patterns(*LEFTOVERS)
        shutil.copytree(root / "source" / name, Path(course, "source", name), ignore=leave_out)
        config = configuration(root)
        config.CourseDirectory.root = course
        config.CourseDirectory.assignment_id = name
        config.GenerateAssignment.no_database = True  # a release leaves the instructor's gradebook alone
        config.SaveCells.enabled = False
        converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
        converter.log = logging.getLogger(__name__)
        try:
            converter.start()
        except (Exception, SystemExit) as cause:
            raise ReleaseError(f"{name}: nbgrader refuses source/{name}/{name}.ipynb: {cause}") from cause
        notebook = nbformat.read(Path(course, "release", name, f"{name}.ipynb"), 4)
    nbformat.validate(notebook)
    return notebook


def write(name: str, notebook: NotebookNode, root: Path = ROOT) -> Path:
    """Write the students' notebook into ``release/``.

    Raises
    ------
    ReleaseError
        If the notebook there was edited by hand, or other files lie beside it.
    """
    path = root / "release" / name / f"{name}.ipynb"
    if path.exists():
        there = nbformat.read(path, 4)
        if there.metadata.get(MARK) != _digest(there):
            raise ReleaseError(
                f"{path.relative_to(root)} was edited by hand: bring the edit into source/{name}/, "
                "delete the file in release/ and run `make release` again"
            )
        beside = [p.name for p in path.parent.iterdir() if p != path and p.name not in LEFTOVERS]
        if beside:
            files = ", ".join(sorted(beside))
            raise ReleaseError(f"move {files} out of release/{name}: students get the notebook alone")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = nbformat.writes(notebook) + "\n"
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")
    return path


def release(name: str, *, stock: bool = False, root: Path = ROOT) -> bool:
    """Prove one assignment's tests and write its release; return False if nothing had changed.

    Raises
    ------
    ReleaseError
        If the gate refuses the assignment; the message names every answer with the wrong mark.
    """
    record = root / "_build" / "release" / f"{name}.json"
    before = _fingerprint(name, stock, root)
    if record.exists() and json.loads(record.read_text("utf-8")) == before:
        return False
    source, notebook = read_source(name, root), generate(name, root)
    grader = gate.stock if stock else functools.partial(gate.engine, config=configuration(root))
    try:
        bank = load(name)
    except FileNotFoundError as cause:
        raise ReleaseError(str(cause)) from cause
    faults = gate.faults(
        source, notebook, bank, grader, lambda runs, total: tqdm(runs, name, total, leave=False, unit="run")
    )
    if faults:
        raise ReleaseError(f"{name} is not released:\n" + "\n".join(f"  {fault}" for fault in faults))
    path = write(name, notebook, root)
    proved = before | {str(path): _sha256(path)}  # what was edited meanwhile is not proved
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(proved), "utf-8")
    return True


def _digest(notebook: NotebookNode) -> str:
    cells = [(cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _fingerprint(name: str, stock: bool, root: Path) -> dict[str, str]:
    """Digests of all that a release depends on: assignment, bank, engine, these tools, and the release."""
    paths = [
        root / "source" / name / f"{name}.ipynb",
        root / "release" / name / f"{name}.ipynb",
        root / "autograders" / "banks" / f"{name}.py",
        root / "_config.yml",
        root / "nbgrader_config.py",
        *sorted(
            p for p in ROOT.glob("autograders/**/*.py") if p.parent.name != "banks" or p.name == "__init__.py"
        ),
        *(ROOT / "tools" / tool for tool in ("release.py", "gate.py", "colab.py")),
    ]
    return {str(p): _sha256(p) for p in paths if p.exists()} | {"grader": "stock" if stock else "engine"}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(argv: list[str] | None = None) -> int:
    """Release the named assignments, or all."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__.split("\n")[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="assignments (all of source/ if none is named)"
    )
    parser.add_argument(
        "--stock", action="store_true", help="grade with a plain kernel instead of the engine"
    )
    arguments = parser.parse_args(argv)
    status = 0
    for name in arguments.names or names():
        try:
            changed = release(name, stock=arguments.stock)
        except ReleaseError as refusal:
            print(refusal, file=sys.stderr)
            status = 1
        else:
            print(f"release/{name}/{name}.ipynb:", "the tests are proved" if changed else "nothing changed")
    return status


if __name__ == "__main__":
    sys.exit(main())
