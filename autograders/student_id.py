"""The student id that a notebook carries, compared with the student who handed it in.

Where an assignment gives each student numbers of their own, they hang on the id in the solution cell
``student-id``. The tests compute them anew from what is written there, so somebody else's id gives somebody
else's numbers, with which a copied answer is right. The instructor is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .mend import MendedCell, Note

CELL = "student-id"
ASSIGNED = re.compile(r"^student_id *= *['\"]?([^'\"#\n]*)", re.MULTILINE)


def written(source: str) -> str | None:
    """Return the id that a cell assigns, as text without blanks around it; None if it names none.

    >>> written('student_id = " 20261234 "'), written("student_id = 20261234"), written('student_id = ""')
    ('20261234', '20261234', None)
    """
    found = ASSIGNED.findall(source)
    return (found[-1].strip() or None) if found else None


def remark(cells: Iterable[MendedCell], student: str) -> Note | None:
    """Return a note if the id in a mended notebook is not that of the student who handed it in."""
    for part in cells:
        if part.cell.metadata.get("nbgrader", {}).get("grade_id") == CELL:
            claimed = written(part.cell.source)
            if claimed is not None and claimed != student:
                text = f"학번 칸의 학번({claimed[:40]})이 제출한 학생의 학번({student})과 다릅니다."
                return Note(text, CELL)
    return None
