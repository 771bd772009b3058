"""Sphinx side of the execution cache: run stale pages first, and read again every page that ran again."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

from tools.pages import Executed, PageError, pages


def outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Names of the pages whose outputs are newer than what Sphinx holds of them."""
    executed = Executed(Path(app.srcdir))
    notebooks = [page for page in pages(Path(app.srcdir)) if page.is_notebook]
    try:
        executed.refresh(notebooks)
    except PageError as error:
        raise ExtensionError(str(error)) from None
    keys = {page.name: executed.key(page) for page in notebooks}
    before = getattr(env, "cnnbook_keys", {})
    env.cnnbook_keys = keys  # type: ignore[attr-defined]  # pickled with the environment
    return [name for name, key in keys.items() if before.get(name) != key and name in env.found_docs]


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    app.connect("env-get-outdated", outdated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
