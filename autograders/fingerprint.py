"""What a grade was made from, as one key: a submission whose key has not changed is not graded again."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from importlib.metadata import version
from pathlib import Path

from .grading import REPORT

HERE = Path(__file__).parent
MAX_SIDE_FILES = 50 * 2**20  # bytes laid beside a notebook that is run
MAX_SIDE_COUNT = 1000


def side_files(folder: Path) -> dict[str, bytes]:
    """Read the small files beside a notebook (relative path -> content), links and notebooks left out."""
    found: dict[str, bytes] = {}
    size = 0
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith((".", "__")) for part in relative.parts)
        if hidden or path.is_symlink() or not path.is_file() or path.suffix == ".ipynb":
            continue
        if path.name == "timestamp.txt":
            continue
        size += path.stat().st_size
        if size > MAX_SIDE_FILES or len(found) == MAX_SIDE_COUNT:
            break
        found[relative.as_posix()] = path.read_bytes()
    return found


def folder_hash(folder: Path) -> bytes:
    """Return a digest of all files under a folder, by relative path and content, links by their target."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            digest.update(
                f"{path.relative_to(folder)}\0->{os.readlink(path)}\0".encode(errors="surrogateescape")
            )
        elif path.is_file() and ".ipynb_checkpoints" not in path.parts:
            digest.update(f"{path.relative_to(folder)}\0".encode(errors="surrogateescape"))
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.digest()


@cache
def engine_version() -> str:
    """Return a digest of the code that decides marks, with the versions of what it runs on."""
    digest = hashlib.sha256()
    deciding = ("submission", "template", "mend", "grading", "handed_in_weights")
    deciding += ("job", "sandbox", "forkserver", "checker")
    for path in sorted([*(HERE / f"{name}.py" for name in deciding), *HERE.glob("inside/**/*.py")]):
        if path.exists():
            digest.update(path.name.encode() + path.read_bytes())
    for package in ("torch", "numpy", "nbgrader", "ipython"):
        digest.update(f"{package}={version(package)}".encode())
    return digest.hexdigest()


def key_of(path: Path) -> str | None:
    """Return the key in a graded notebook; None if there is none, or half of one."""
    try:
        return json.loads(path.read_bytes())["metadata"][REPORT]["key"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
