"""Derive the notebooks that Colab opens: ``chapters/**/NAME.md`` -> ``NAME.ipynb`` beside it.

The Markdown is the one source. A derived notebook holds no outputs, its cell ids follow from the page and
the position, and its metadata keep a fingerprint of its own cells: where they do not match, someone edited
it, and the generator stops instead of overwriting.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.lower import Book, Lowering, LoweringError, glued
from tools.pages import ROOT, Executed, Page, PageError, read

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}


class EditedError(Exception):
    """A derived notebook on disk was edited by hand; the message says how to bring the edit over."""


def fingerprint(notebook: NotebookNode) -> str:
    """SHA-256 over the cells' kinds and sources: running a notebook is no edit, changing it is."""
    cells = [[cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells, ensure_ascii=False).encode()).hexdigest()


def derive(page: Page, book: Book, executed: Executed) -> NotebookNode:
    """Make the notebook of one page.

    Raises
    ------
    LoweringError
        When the page holds what plain Markdown cannot show.
    PageError
        When the page uses glue and its code fails.
    """
    source = read(page)
    values = glued(executed.notebook(page)) if "{glue" in page.text else {}
    lower = Lowering(book, page, values)
    captions = {label.title: label.number for label in book.labels.values() if label.page == page}
    cells: list[NotebookNode] = []
    for cell, line in zip(source.cells, source.metadata["source_map"], strict=True):
        if cell.cell_type == "markdown":
            if text := lower(cell.source, line):
                cells.append(new_markdown_cell(text))
            continue
        tags = set(cell.metadata.get("tags", []))
        # Colab folds a cell whose view is a form; Jupyter one whose source is hidden.
        folded = {"cellView": "form", "jupyter": {"source_hidden": True}} if tags & HIDDEN else {}
        cells.append(new_code_cell(cell.source, metadata=folded))
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        if caption := figure.get("caption", "").strip():
            cells.append(new_markdown_cell(lower.caption(captions[caption], lower(caption, line))))
    if not cells or cells[0].cell_type != "markdown":
        raise LoweringError(f"{page.name}.md: a page starts with its title")
    badge = f"[![Colab에서 열기]({BADGE})]({book.colab}/{page.name}.ipynb)"
    cells[0].source = f"{badge}\n\n{cells[0].source}"
    first_code = next((at for at, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    cells.insert(first_code, new_code_cell(setup_source(book)))
    for position, cell in enumerate(cells):
        # Ids follow from the page and the position alone, so that a fresh run changes nothing.
        cell.id = hashlib.sha256(f"{page.name}#{position}".encode()).hexdigest()[:12]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "colab": {"provenance": [], "toc_visible": True},
    }
    notebook = new_notebook(cells=cells, metadata=metadata)
    notebook.nbformat_minor = 5
    notebook.metadata["cnnbook"] = {"source": f"{page.name}.md", "sha256": fingerprint(notebook)}
    nbformat.validate(notebook)
    return notebook


def setup_source(book: Book) -> str:
    """Code of the set-up cell: install the book's package where it is missing, and touch nothing else."""
    return (
        "# 이 책의 패키지가 없을 때만 설치합니다. 다른 패키지는 바꾸지 않습니다.\n"
        "from importlib.util import find_spec\n\n"
        'if find_spec("cnnbook") is None:\n'
        f"    %pip install --quiet --no-deps git+{book.repository}@{book.branch}"
    )


def render(notebook: NotebookNode) -> str:
    """Write the notebook as its file holds it."""
    return nbformat.writes(notebook) + "\n"


def guard(path: Path, fresh: NotebookNode) -> None:
    """Stop if ``path`` is not the generator's own work.

    Raises
    ------
    EditedError
        With the difference and the way to bring it into the Markdown.
    """
    try:
        found = nbformat.read(path, as_version=4)
        if found.metadata.get("cnnbook", {}).get("sha256") == fingerprint(found):
            return
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError, KeyError, TypeError):
        raise EditedError(
            f"{path} is no readable notebook; move it away, or overwrite it with --force"
        ) from None
    texts = [
        [line for cell in each.cells for line in [f"[{cell.cell_type}]", *cell.source.splitlines()]]
        for each in (fresh, found)
    ]
    changes = list(difflib.unified_diff(*texts, "from the Markdown", "on disk", lineterm="", n=1))
    shown = "\n".join(f"    {line}" for line in changes[:40])
    raise EditedError(
        f"{path} was edited by hand and would be overwritten.\n"
        f"Bring the edit into {path.with_suffix('.md').name}, then run: python -m tools.notebooks --force\n"
        f"{shown}"
    )


def generate(root: Path = ROOT, *, force: bool = False) -> list[Path]:
    """Write every page's notebook that differs from what lies there; the paths written.

    Nothing is written at all when one page fails or one notebook was edited.

    Raises
    ------
    EditedError, LoweringError, PageError
        See `guard`, `tools.lower` and `tools.pages`.
    """
    book = Book.load(root)
    executed = Executed(root)
    notebooks = [page for page in book.pages if page.is_notebook]
    executed.refresh([page for page in notebooks if "{glue" in page.text])
    fresh = {page.source.with_suffix(".ipynb"): derive(page, book, executed) for page in notebooks}
    orphans = [path for path in sorted((root / "chapters").rglob("*.ipynb")) if path not in fresh]
    orphans = [path for path in orphans if ".ipynb_checkpoints" not in path.parts]
    if not force:
        for path, notebook in fresh.items():
            if path.exists():
                guard(path, notebook)
        for path in orphans:
            guard(path, new_notebook())
    written = []
    for path, notebook in fresh.items():
        content = render(notebook)
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            partial = path.with_suffix(".partial")
            partial.write_text(content, encoding="utf-8")
            partial.replace(path)
            written.append(path)
    for path in orphans:
        path.unlink()
        print(f"notebooks: removed {path.relative_to(root)}, whose page is gone")
    return written


def main(argv: list[str] | None = None) -> int:
    """Command line of ``python -m tools.notebooks``."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="overwrite notebooks that were edited by hand")
    arguments = parser.parse_args(argv)
    try:
        written = generate(force=arguments.force)
    except (EditedError, LoweringError, PageError) as error:
        print(f"notebooks: {error}", file=sys.stderr)
        return 1
    for path in written:
        print(f"notebooks: wrote {path.relative_to(ROOT)}")
    if not written:
        print("notebooks: nothing changed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
