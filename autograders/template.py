"""An assignment as students and graders see it, made from the source by nbgrader's own steps."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Literal

from nbformat.notebooknode import NotebookNode
from nbgrader import preprocessors, utils
from traitlets.config import Config

from .submission import grade_id

Role = Literal["answer", "test", "given"]

_PARSING = Lock()
"""Older Pythons share the parser's depth between threads, and raise SystemError (CPython's gh-106905)."""


@dataclass(frozen=True)
class Template:
    """An assignment's notebook as nbgrader would make it from the source, kept in memory.

    Attributes
    ----------
    cells : tuple of NotebookNode
        In graded form: answers hold their stub, test cells their hidden tests, checksums are nbgrader's.
    released : tuple of str
        The text of each cell as students got it.
    binds : tuple of frozenset of str
        The names that each answer's solution binds; empty for other cells.
    metadata : NotebookNode
        The source notebook's own metadata.
    """

    cells: tuple[NotebookNode, ...]
    released: tuple[str, ...]
    released_checksums: dict[str, str]
    binds: tuple[frozenset[str], ...]
    metadata: NotebookNode

    @classmethod
    def of(cls, source: NotebookNode, config: Config | None = None) -> Template:
        """Run nbgrader's own release steps, without its gradebook, on a copy of the source notebook.

        Parameters
        ----------
        source : NotebookNode
            The instructor's notebook.
        config : Config, optional
            nbgrader's configuration, for the stubs that `ClearSolutions` leaves.
        """
        graded = _through(
            copy.deepcopy(source), ("LockCells", "ClearSolutions", "ClearOutput", "ComputeChecksums"), config
        )
        released = _through(
            copy.deepcopy(graded), ("ClearHiddenTests", "ClearMarkScheme", "ComputeChecksums"), config
        )
        for cell in graded.cells:
            cell.setdefault("id", "")
        return cls(
            cells=tuple(graded.cells),
            released=tuple(cell.source for cell in released.cells),
            released_checksums={
                grade_id(c): c.metadata.nbgrader.get("checksum") for c in released.cells if grade_id(c)
            },
            binds=tuple(
                names_bound(s.source) if role(g) == "answer" else frozenset()
                for s, g in zip(source.cells, graded.cells, strict=True)
            ),
            metadata=source.metadata,
        )

    def index(self) -> dict[str, int]:
        """Return where each grade_id stands."""
        return {grade_id(cell): i for i, cell in enumerate(self.cells) if grade_id(cell)}


def _through(nb: NotebookNode, steps: tuple[str, ...], config: Config | None) -> NotebookNode:
    resources: dict = {}
    for step in steps:
        nb, resources = getattr(preprocessors, step)(config=config or Config()).preprocess(nb, resources)
    return nb


def role(cell: NotebookNode) -> Role:
    """Return what a cell of the source is: the student's answer, a test, or given text and code."""
    if utils.is_solution(cell):
        return "answer"
    return "test" if utils.is_grade(cell) else "given"


@lru_cache(maxsize=4096)
def names_bound(source: str) -> frozenset[str]:
    r"""Return the names that a cell's top level binds; none if it is no Python.

    >>> sorted(names_bound("def f(x): y = 1\nz, w = 1, 2"))
    ['f', 'w', 'z']
    """
    lines = ["pass" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()]
    try:
        with _PARSING:
            tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
    return frozenset(names)
