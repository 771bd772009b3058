"""``make new-assignment NAME=my_assignment``: a template with its answer bank, ready for ``make release``.

The template (``tools/template/``) asks one question of each form: a number, a function, a choice.
"""

from __future__ import annotations

import argparse
import keyword
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = Path(__file__).parent / "template"


def create(name: str, root: Path = ROOT) -> tuple[Path, Path]:
    """Write the template's notebook and bank under a new name and return their paths.

    Raises
    ------
    ValueError
        If the name cannot be that of an assignment.
    FileExistsError
        If there is such an assignment, or such a bank.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ValueError(
            f"{name!r} cannot name an assignment: use small letters, digits and _, starting with a letter, "
            "as in `make new-assignment NAME=my_assignment`"
        )
    notebook = root / "source" / name / f"{name}.ipynb"
    bank = root / "autograders" / "banks" / f"{name}.py"
    for path in (notebook.parent, bank):
        if path.exists():
            raise FileExistsError(f"{path.relative_to(root)} exists: choose another name")
    notebook.parent.mkdir(parents=True)
    shutil.copyfile(TEMPLATE / "assignment.ipynb", notebook)
    bank.parent.mkdir(parents=True, exist_ok=True)
    bank.write_text((TEMPLATE / "bank.py").read_text("utf-8").replace("``NAME``", f"``{name}``"), "utf-8")
    return notebook, bank


def main(argv: list[str] | None = None) -> int:
    """Create the assignment named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.new_assignment")
    parser.add_argument("name", help="for example my_assignment")
    try:
        notebook, bank = create(parser.parse_args(argv).name)
    except (ValueError, FileExistsError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{notebook.relative_to(ROOT)}: open it in JupyterLab and replace its questions")
    print(f"{bank.relative_to(ROOT)}: its answer bank; then `make release`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
