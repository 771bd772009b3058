"""Colab's own modules, for a notebook that imports them where there is no Colab.

Only an import that would end its cell is mended, one at the top level. ``try: import google.colab`` fails
as it should, so that a notebook can tell where it runs.
"""

from __future__ import annotations

import ast
from typing import Any

STAND_IN = "__colab__"


class Nothing:
    """Stands for ``drive``, ``files`` and the rest: has every attribute, and calls do nothing."""

    def __getattr__(self, name: str) -> Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Do nothing; ``files.upload()`` gives no files."""
        return {}


class WithoutColab(ast.NodeTransformer):
    """Binds what a top-level import of ``google.colab`` would bind to :data:`STAND_IN`."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Look at the statements of the cell alone."""
        node.body = [new for statement in node.body for new in self._mended(statement)]
        return ast.fix_missing_locations(node)

    def _mended(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, ast.ImportFrom) and _is_colab(node.module or ""):
            return [_bind(name, node) for name in node.names]
        if isinstance(node, ast.Import) and any(_is_colab(name.name) for name in node.names):
            others = [name for name in node.names if not _is_colab(name.name)]
            kept = [ast.copy_location(ast.Import(others), node)] if others else []
            return [*kept, *(_bind(name, node) for name in node.names if _is_colab(name.name))]
        return [node]


def _is_colab(name: str) -> bool:
    return name == "google.colab" or name.startswith("google.colab.")


def _bind(name: ast.alias, node: ast.stmt) -> ast.stmt:
    target = ast.Name(name.asname or name.name.split(".")[0], ast.Store())
    return ast.copy_location(ast.Assign([target], ast.Name(STAND_IN, ast.Load())), node)
