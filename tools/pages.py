"""The book's pages: which there are, and their executed form from the cache that book and notebooks share.

A page is executed once for the same code and the same sources. jupyter-cache keeps the outputs, keyed by the
code cells; beside it ``pages.json`` keeps, for every page, the files of this repository that its kernel
really read (modules, a demo's ``.js`` and ``.css``, stored results) with their hashes. When one of them
changed, the page runs again; a change to a file that no page read runs nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent
CELL_SECONDS = 300
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Folders whose files are no source of a page although a kernel opens files in them.
_NOT_SOURCES = (".venv/", "_build/", "data/", ".git/")


class PageError(Exception):
    """A page that cannot be read or whose code fails; the message names the page and holds the traceback."""


@dataclass(frozen=True)
class Page:
    """One page of the table of contents.

    Attributes
    ----------
    name
        Path without suffix, relative to the book's root: ``chapters/convolution/single_channel``.
    number
        Chapter number in the book (figures and equations carry it), or None for unnumbered parts.
    """

    name: str
    number: int | None
    root: Path = ROOT

    @property
    def source(self) -> Path:
        """The Markdown file."""
        return self.root / f"{self.name}.md"

    @property
    def text(self) -> str:
        """The Markdown."""
        return self.source.read_text(encoding="utf-8")

    @property
    def is_notebook(self) -> bool:
        """Whether the page has code cells (a jupytext header), so that a notebook is derived from it."""
        return is_myst_markdown_notebook(self.text)


def pages(root: Path = ROOT) -> list[Page]:
    """All pages of ``_toc.yml`` in reading order, the landing page first."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    found, number = [Page(toc["root"], None, root)], 0
    for part in toc.get("parts", [toc]):
        for chapter in part.get("chapters", []):
            if part.get("numbered"):
                number += 1
            found.append(Page(chapter["file"], number if part.get("numbered") else None, root))
    return found


def configuration(root: Path = ROOT) -> dict:
    """Read the book's ``_config.yml``, again only when it has changed: every link asks for it."""
    path = root / "_config.yml"
    return _loaded(path, path.stat().st_mtime_ns)


@cache
def _loaded(path: Path, changed: int) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def markdown_configuration(root: Path = ROOT) -> MdParserConfig:
    """How the book parses Markdown, so that every tool parses alike."""
    return MdParserConfig(enable_extensions=set(configuration(root)["parse"]["myst_enable_extensions"]))


def read(page: Page) -> nbformat.NotebookNode:
    """Read the page as a notebook without outputs."""
    return read_myst_markdown_notebook(
        page.text, config=markdown_configuration(page.root), add_source_map=True, path=page.source
    )


class Executed:
    """Executed pages, kept in ``_build/.jupyter_cache``.

    Parameters
    ----------
    root
        The book's folder.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.folder = root / "_build" / ".jupyter_cache"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.cache: JupyterCacheAbstract = get_cache(self.folder)
        self.reads_file = self.folder / "pages.json"
        self.reads: dict[str, dict[str, str]] = {}
        if self.reads_file.exists():
            self.reads = json.loads(self.reads_file.read_text(encoding="utf-8"))

    def key(self, page: Page) -> str:
        """Fingerprint of the last execution's sources; changes exactly when the page ran again."""
        return hashlib.sha256(json.dumps(self.reads.get(page.name), sort_keys=True).encode()).hexdigest()

    def fresh(self, page: Page) -> bool:
        """Whether the cache holds outputs for this very code and these very sources."""
        seen = self.reads.get(page.name)
        if seen is None or any(_digest(self.root / name) != digest for name, digest in seen.items()):
            return False
        try:
            self.cache.match_cache_notebook(read(page))
        except KeyError:
            return False
        return True

    def notebook(self, page: Page) -> nbformat.NotebookNode:
        """Give the page with its outputs, executed now if the cache has none.

        Raises
        ------
        PageError
            When the page's code fails.
        """
        if not self.fresh(page):
            self.refresh([page])
        return self.cache.merge_match_into_notebook(read(page))[1]

    def refresh(self, candidates: list[Page], workers: int | None = None) -> list[Page]:
        """Execute every stale page among ``candidates`` and return those that ran.

        Raises
        ------
        PageError
            With the tracebacks of all pages that failed; the others are kept in the cache.
        """
        stale = [page for page in candidates if page.is_notebook and not self.fresh(page)]
        failures = []
        with ThreadPoolExecutor(workers or min(2, os.cpu_count() or 1)) as pool:
            for count, (page, outcome) in enumerate(zip(stale, pool.map(self._run, stale), strict=True), 1):
                if isinstance(outcome, str):
                    print(f"pages: [{count}/{len(stale)}] {page.name} failed", flush=True)
                    failures.append(outcome)
                    continue
                notebook, reads, seconds = outcome
                print(f"pages: [{count}/{len(stale)}] {page.name} ran in {seconds:.1f} s", flush=True)
                self.cache.cache_notebook_bundle(
                    CacheBundleIn(notebook, str(page.source), data={"execution_seconds": seconds}),
                    check_validity=False,
                    overwrite=True,
                )
                self.reads[page.name] = reads
                self._save()
        if failures:
            raise PageError("\n\n".join(failures))
        return stale

    def _save(self) -> None:
        """Replace ``pages.json`` in one step: a kill leaves the old file or the new one."""
        partial = self.reads_file.with_suffix(".partial")
        partial.write_text(json.dumps(self.reads, indent=1, sort_keys=True), encoding="utf-8")
        partial.replace(self.reads_file)

    def _run(self, page: Page) -> tuple[nbformat.NotebookNode, dict[str, str], float] | str:
        """Execute one page; its notebook, what it read and its seconds, or the text of its failure."""
        notebook = read(page)
        with tempfile.TemporaryDirectory() as scratch:
            log = Path(scratch, "reads")
            log.touch()
            path = os.pathsep.join([str(ROOT / "_ext"), str(self.root), os.environ.get("PYTHONPATH", "")])
            environment = os.environ | {
                "PYTHONPATH": path.rstrip(os.pathsep),
                "CNNBOOK_READS": str(log),
                "CNNBOOK_ROOT": str(self.root),
                "PYDEVD_DISABLE_FILE_VALIDATION": "1",
                # The kernels share the cores; and sums in another order would give slightly other results.
                "OMP_NUM_THREADS": "1",
            }
            client = NotebookClient(
                notebook,
                timeout=CELL_SECONDS,
                record_timing=False,  # times in the cells' metadata would change the cache's hash
                kernel_name=notebook.metadata.get("kernelspec", {}).get("name", "python3"),
                resources={"metadata": {"path": str(page.source.parent)}},
                extra_arguments=["--log-level=ERROR"],  # the kernel's warnings are not the page's
            )
            start = time.monotonic()
            # read before it runs: an edit made meanwhile must count as a change
            before = {name: _digest(self.root / name) for name in self.reads.get(page.name, {})}
            try:
                client.execute(env=environment)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                return f"{page.source.relative_to(self.root)}: {_ANSI.sub('', str(error)).strip()}"
            names = sorted(set(log.read_text(encoding="utf-8").split("\n")) - {""})
            reads = {
                name: before.get(name) or _digest(self.root / name)
                for name in names
                if not name.startswith(_NOT_SOURCES) and (self.root / name).is_file()
            }
            return notebook, reads, time.monotonic() - start


def _digest(path: Path) -> str:
    """SHA-256 of a file, or a word no hash equals where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
