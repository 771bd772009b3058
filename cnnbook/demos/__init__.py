"""Demos that run in the page: no kernel, no network.

``from cnnbook.demos import ConvolutionExplorer`` finds the demo in
``convolution_explorer/convolution_explorer.py``: a new demo is its own folder and nothing else. See
README.md beside this file.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def names() -> dict[str, str]:
    """Return every demo's class name with the module it is in."""
    folders = sorted(f.name for f in HERE.iterdir() if (f / f"{f.name}.py").exists())
    return {"".join(w.capitalize() for w in f.split("_")): f"cnnbook.demos.{f}.{f}" for f in folders}


def __getattr__(name: str) -> Any:
    if name == "photo":
        return import_module("cnnbook.demos.kit").photo
    if name in ("Question", "Option"):
        return getattr(import_module("cnnbook.demos.quiz.quiz"), name)
    # `ConvolutionExplorer` -> `convolution_explorer`, `Conv3d` -> `conv3d`
    folder = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    if name.startswith("_") or not (HERE / folder / f"{folder}.py").exists():
        raise AttributeError(
            f"cnnbook.demos has no {name!r}; it has {', '.join(names())}, Question, Option, photo"
        )
    return getattr(import_module(f"cnnbook.demos.{folder}.{folder}"), name)


def __dir__() -> list[str]:
    return [*names(), "Question", "Option", "photo"]
