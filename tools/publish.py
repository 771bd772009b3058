"""``make publish``: the public tree in ``public/``: what Colab and readers need, and no solution.

The course lives in a private repository (solutions, answer banks, submissions); badges and install cells
need a public one. ``public/`` may be a clone of it: what this command writes is replaced, ``.git`` stays.
"""

from __future__ import annotations

import html
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

from tools.release import ROOT, names

# Everything that is public, by name. A new folder stays private until it is written here.
FOLDERS = ("chapters", "cnnbook", "release", "_static", "_ext")
FILES = (
    "README.md",
    "README.ko.md",
    "LICENSE",
    "LICENSE-CC-BY-4.0.txt",
    "pyproject.toml",
    "_config.yml",
    "_toc.yml",
    "intro.md",
    "references.bib",
)
BOOK = "docs"  # where GitHub Pages looks for the built book
JUNK = shutil.ignore_patterns(
    "__pycache__", "*.pyc", ".ipynb_checkpoints", ".DS_Store", "*.egg-info", ".*.swp"
)
TEXT = {".ipynb", ".md", ".py", ".html", ".js", ".json", ".txt", ".yml", ".toml", ".bib", ".css"}
MARKERS = re.compile(r"### (BEGIN|END) (SOLUTION|HIDDEN TESTS)")
TAGS = re.compile(r"<[^<>]*>")


class PublishError(Exception):
    """A tree that may not be published; the message says why and what to do."""


def publish(target: Path, root: Path = ROOT) -> Path:
    """Write the public tree and return its folder.

    Raises
    ------
    PublishError
        If the book is not built, if ``target`` holds something that this command did not write, or if a
        solution or a hidden test would become public. ``target`` is then left as it was.
    """
    book = root / "_build" / "html"
    if not (book / "index.html").is_file():
        raise PublishError("the book is not built: run `make publish`, or `make book` first")
    ours = {*FOLDERS, *FILES, BOOK, ".nojekyll", ".git"}
    foreign = sorted(p.name for p in target.iterdir() if p.name not in ours) if target.exists() else []
    if foreign:
        raise PublishError(f"{target.name}/ holds {', '.join(foreign)}, which is not published: move it away")
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in FOLDERS:
            if (root / name).is_dir():
                shutil.copytree(root / name, tree / name, ignore=JUNK)
        for name in FILES:
            if (root / name).is_file():
                shutil.copyfile(root / name, tree / name)
        shutil.copytree(book, tree / BOOK, ignore=JUNK)
        (tree / ".nojekyll").touch()  # GitHub Pages drops folders like _static otherwise
        found = leaks(tree, root)
        if found:
            raise PublishError("solutions would become public:\n" + "\n".join(f"  {leak}" for leak in found))
        target.mkdir(parents=True, exist_ok=True)
        for path in target.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(tree, target, dirs_exist_ok=True)
    return target


def leaks(tree: Path, root: Path = ROOT) -> list[str]:
    """Return the files of a tree that hold a solution or a hidden test, and the assignment it is of.

    A region of a source notebook counts as one text: it must stand nowhere, in no notebook, page or script.
    """
    secrets = {name: regions(root / "source" / name / f"{name}.ipynb") for name in names(root)}
    found = []
    for path in sorted(p for p in tree.rglob("*") if p.suffix in TEXT and ".git" not in p.parts):
        text = path.read_text("utf-8", errors="replace")
        if path.suffix == ".ipynb":
            text = "\n".join(cell.source for cell in nbformat.reads(text, 4).cells)
        elif path.suffix == ".html":  # as a reader sees it: no tags of a syntax highlighter in between
            text = html.unescape(TAGS.sub("", text))
        where = path.relative_to(tree)
        if MARKERS.search(text) and path.suffix == ".ipynb":
            found.append(f"{where}: a marked region of a source notebook")
        held = [name for name in secrets if any(secret in text for secret in secrets[name])]
        found += [f"{where}: a hidden part of {name}" for name in held]
    return found


def regions(path: Path) -> list[str]:
    """Return what nbgrader takes out of a source notebook: the texts between its markers."""
    solutions, tests = ClearSolutions(), ClearHiddenTests()
    begin = "|".join((solutions.begin_solution_delimeter, tests.begin_test_delimeter))
    end = "|".join((solutions.end_solution_delimeter, tests.end_test_delimeter))
    region = re.compile(rf"^[^\n]*(?:{begin})[^\n]*\n(.*?)\n[^\n]*(?:{end})", re.MULTILINE | re.DOTALL)
    return [
        text for cell in nbformat.read(path, 4).cells for text in region.findall(cell.source) if text.strip()
    ]


def main() -> int:
    """Publish into ``public/``."""
    try:
        target = publish(ROOT / "public")
    except PublishError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{target.relative_to(ROOT)}/: ready to be pushed to the public repository; no solution in it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
