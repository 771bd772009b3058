"""Build the book: ``python -m tools.book`` writes ``_build/html``.

Stale pages are executed first (``tools.pages``), then Jupyter Book runs with warnings as errors. When no
input changed since the last good build, nothing runs at all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from tools.pages import ROOT, Executed, PageError, pages

INPUTS = ["_config.yml", "_toc.yml", "intro.md", "references.bib", "chapters", "release", "cnnbook", "vendor"]
INPUTS += ["_ext", "_static", "tools/book.py", "tools/pages.py"]
BUILDERS = ("jupyter-book", "sphinx", "sphinx-book-theme", "myst-nb", "ipywidgets", "anywidget")


def fingerprint(root: Path = ROOT) -> str:
    """One hash of everything a build depends on: sources, builder versions, and the list of built pages."""
    digest = hashlib.sha256()
    for name in INPUTS:
        files = sorted((root / name).rglob("*")) if (root / name).is_dir() else [root / name]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(root)}\0{file.stat().st_size}\0".encode())
                digest.update(file.read_bytes())
    digest.update(" ".join(f"{name}={version(name)}" for name in BUILDERS).encode())
    digest.update(sys.version.encode())
    return digest.hexdigest()


def complete(root: Path = ROOT) -> bool:
    """Whether every page of the table of contents lies in the built book."""
    html = root / "_build" / "html"
    return all((html / f"{page.name}.html").exists() for page in pages(root)) and (html / "_vendor").exists()


def build(root: Path = ROOT, *, force: bool = False) -> bool:
    """Build the book unless the last build had the same inputs; whether anything was built.

    Raises
    ------
    PageError
        When a page's code fails.
    subprocess.CalledProcessError
        When Sphinx warns or fails; its own messages are on the terminal.
    """
    stamp = root / "_build" / "book.json"
    print_of_inputs = fingerprint(root)
    known = json.loads(stamp.read_text()).get("inputs") if stamp.exists() else None
    if not force and known == print_of_inputs and complete(root):
        return False
    stamp.unlink(missing_ok=True)
    if force:
        shutil.rmtree(root / "_build" / "html", ignore_errors=True)
        shutil.rmtree(root / "_build" / ".doctrees", ignore_errors=True)
    Executed(root).refresh(pages(root))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "-W", "--keep-going", str(root)]
    subprocess.run(command, check=True, cwd=root, env=environment)
    if fingerprint(root) == print_of_inputs:  # an edit made meanwhile is built next time
        stamp.write_text(json.dumps({"inputs": print_of_inputs}))
    return True


def main(argv: list[str] | None = None) -> int:
    """Command line of ``python -m tools.book``."""
    parser = argparse.ArgumentParser(prog="python -m tools.book", description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="build everything again (outputs stay cached)")
    arguments = parser.parse_args(argv)
    start = time.monotonic()
    try:
        built = build(force=arguments.force)
    except PageError as error:
        print(
            f"\nbook: the code of a page failed; mend it and run make book again.\n\n{error}", file=sys.stderr
        )
        return 1
    except subprocess.CalledProcessError:
        print(
            "\nbook: stopped at the warnings or errors above; mend them, then make book again.",
            file=sys.stderr,
        )
        return 1
    except OSError as error:
        print(f"book: {error}; free some space or mend the path, then make book again.", file=sys.stderr)
        return 1
    what = "built in" if built else "nothing changed, checked in"
    print(f"book: {what} {time.monotonic() - start:.1f} s: _build/html/index.html")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
