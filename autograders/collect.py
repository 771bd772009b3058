"""From an LMS's archives to `submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb`, with nobody lost on the way.

    python -m autograders collect ASSIGNMENT ARCHIVE...

is the whole step. The same two parts are plug-ins of `nbgrader zip_collect` (`SafeExtractor` opens
archives, `LmsCollector` reads names), for those who keep archives in `downloaded/ASSIGNMENT/archive/`.

**Archives**: zip, tar and tar.gz, archives in archives three deep. One that cannot be read is named and the
others are collected. A member whose path leads out of the archive, a link, or one beyond the size limits is
refused and named.

**Names** (each path, in Unicode's composed form) are read by the first of `PATTERNS` that fits; `--pattern`
puts one of your own in front. A number of 8 to 10 digits in what a pattern finds is taken for the student
number.

**Attempts**: a student's newest file wins, by the time in its name, else by the archive's, else the later
path; that there was a choice is told. What is already in `submitted/` is replaced by a newer file only.
Only a time that the LMS wrote into the name becomes `timestamp.txt`, which decides about lateness: the
times inside archives are of no known time zone.

**Nobody is lost**: who handed in no notebook, or an archive that cannot be opened, gets that file laid into
`submitted/`, so that grading puts them into the gradebook with 0 and the reason.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin

from .archives import Found, changed, files_in
from .submission import NOTEBOOK_SUFFIXES, plain_name

# How LMSs name what they export. `file_id` is what the student called the file.
PATTERNS: dict[str, str] = {
    # Moodle: "홍길동_12345_assignsubmission_file_/counting.ipynb", or the same in one part
    "moodle": r"(?P<student_id>[^/]+_\d+)_assignsubmission_file_?/?(?P<file_id>[^/]+)$",
    # Blackboard: "hw1_2026123456_attempt_2026-03-01-15-00-00_counting.ipynb"
    "blackboard": r"[^/]+_(?P<student_id>[^_/]+)_attempt_(?P<timestamp>[\d-]{19})_(?P<file_id>[^/]+)$",
    # Canvas: "honggildong_LATE_1234_567890_counting-1.ipynb"
    "canvas": r"[^/_]+_(?:LATE_)?(?P<student_id>\d+)_\d+_(?P<file_id>[^/]+?)(?:-\d+)?(?P<suffix>\.\w+)$",
    # Korean e-class systems: a student number of 7 to 10 digits in the folder, the archive or the file name
    "e-class": r"(?:.*[^\d])?(?P<student_id>\d{7,10})(?!\d)[^/]*(?:/.*)?$",
    # A folder or an archive for each student
    "folder": r"(?P<student_id>[^/]+)/(?:.*/)?(?P<file_id>[^/]+)$",
}


@dataclass(frozen=True)
class Hand:
    """Whose a file is, what it is called, and when it was handed in."""

    student_id: str
    file_id: str
    time: datetime | None = None


def identify(path: str, pattern: str | None = None) -> Hand | None:
    """Read student and file name out of a path, or None if no pattern fits.

    Parameters
    ----------
    path : str
        Relative path of the file, parts divided by "/"; names of archives it came in are parts too.
    pattern : str, optional
        A regular expression that is tried first.
    """
    path = unicodedata.normalize("NFC", path)
    for expression in [*([pattern] if pattern else []), *PATTERNS.values()]:
        match = re.match(expression, path) or re.search(f"(?:^|/){expression}", path)
        if not match:
            continue
        groups = match.groupdict()
        file_id = (groups.get("file_id") or PurePosixPath(path).name) + (groups.get("suffix") or "")
        number = None if expression == pattern else re.search(r"(?<!\d)\d{8,10}(?!\d)", groups["student_id"])
        student = safe_part(number.group() if number else groups["student_id"])
        if student:
            return Hand(student, file_id, _time(groups.get("timestamp")))
    return None


def safe_part(text: str) -> str:
    """Return text as one folder name: no separators, no control characters, no wildcards."""
    text = unicodedata.normalize("NFC", text)
    return re.sub(r"[\\/\x00-\x1f*?\[\]+]", "", text).strip(" .")


def _time(text: str | None) -> datetime | None:
    digits = re.sub(r"\D", "", text or "")
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").astimezone(UTC) if digits else None
    except ValueError:
        return None


# The command


def collect(
    coursedir: CourseDirectory, assignment: str, archives: Sequence[Path], *, pattern: str | None = None
) -> int:
    """Collect an assignment from archives, folders and single notebooks; print what was done.

    Returns
    -------
    int
        0, or 1 if an archive could not be read, or a file's student could not be told.
    """
    known = _notebook_names(coursedir, assignment)
    if not known:
        print(f"No assignment {assignment!r} in source/ or release/: check its name.", file=sys.stderr)
        return 1
    problems: list[str] = []
    class_ = _Class(coursedir, assignment, known)
    for path in archives:
        for found in files_in(path, problems):
            hand = identify(found.path, pattern)
            if hand is None:
                problems.append(f"{found.path}: no student in the name; give --pattern")
            else:
                class_.take(hand, found)
    class_.close()
    for problem in problems:
        print(f"not collected: {problem}", file=sys.stderr)
    print(f"{class_.taken} notebooks of {len(class_.students)} students collected, {len(problems)} problems.")
    return 1 if problems else 0


class _Class:
    """Writes submissions as they come, the newest of each student's staying."""

    def __init__(self, coursedir: CourseDirectory, assignment: str, known: Sequence[str]) -> None:
        self._coursedir, self._assignment, self._known = coursedir, assignment, known
        self._attempts: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
        self._others: dict[str, list[Found]] = defaultdict(list)
        self.students: set[str] = set()

    @property
    def taken(self) -> int:
        """How many students' notebooks came from these archives."""
        return len(self._attempts)

    def _folder(self, student: str) -> Path:
        return Path(
            self._coursedir.format_path(self._coursedir.submitted_directory, student, self._assignment)
        )

    def take(self, hand: Hand, found: Found) -> None:
        self.students.add(hand.student_id)
        if not found.is_notebook:
            self._others[hand.student_id].append(found)
            return
        notebook = _notebook_id(hand.file_id, self._known)
        attempts = self._attempts[hand.student_id, notebook]
        mine = (hand.time or found.time, found.path)
        attempts.append(mine)
        if mine == max(attempts):
            self._place(self._folder(hand.student_id), notebook, hand, found)

    def _place(self, folder: Path, notebook: str, hand: Hand, found: Found) -> None:
        """Write a notebook unless a newer one is there; whole or not at all, should the process be killed."""
        time = hand.time or found.time
        target, stamp = folder / f"{notebook}.ipynb", folder / "timestamp.txt"
        if target.exists() and target.stat().st_mtime > time.timestamp() + 2:
            print(f"{hand.student_id}: the notebook in submitted/ is newer and stays")
            return
        folder.mkdir(parents=True, exist_ok=True)
        if hand.time:
            stamp.write_text(hand.time.strftime("%Y-%m-%d %H:%M:%S UTC"))
        else:
            stamp.unlink(missing_ok=True)
        half = folder / f".{notebook}.part"
        half.write_bytes(found.data)
        os.utime(half, (time.timestamp(),) * 2)
        os.replace(half, target)

    def close(self) -> None:
        """Tell of second attempts, and lay in the files of those without a notebook."""
        for (student, _), attempts in sorted(self._attempts.items()):
            if len(attempts) > 1:
                print(f"{student}: {len(attempts)} attempts, the newest is taken: {max(attempts)[1]}")
        have = {student for student, _ in self._attempts}
        for student in sorted(set(self._others) - have):
            folder = self._folder(student)
            folder.mkdir(parents=True, exist_ok=True)
            for found in self._others[student]:
                name = safe_part(PurePosixPath(found.path).name) or "file"
                (folder / name).write_bytes(found.data)
            print(f"{student}: no notebook; what was handed in lies in {folder}")


def _notebook_names(coursedir: CourseDirectory, assignment: str) -> list[str]:
    for step in (coursedir.source_directory, coursedir.release_directory):
        names = [p.stem for p in Path(coursedir.format_path(step, ".", assignment)).glob("*.ipynb")]
        if names:
            return sorted(names)
    return []


def _notebook_id(file_id: str, known: Sequence[str]) -> str:
    """Return which notebook a file is: by its plain name, else by a name in it, else the only one."""
    name = plain_name(PurePosixPath(file_id).name)
    inside = [n for n in known if n.lower() in name.lower()]
    if name in known:
        return name
    return max(inside, key=len) if inside else (known[0] if len(known) == 1 else name)


# The same as plug-ins of `nbgrader zip_collect`


class SafeExtractor(ExtractorPlugin):
    """Opens every archive of a folder, each for itself, and lays the notebooks under their full paths."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Extract all archives, logging what was refused."""
        problems: list[str] = []
        for path in sorted(Path(archive_path).iterdir()):
            for found in filter(lambda f: f.is_notebook, files_in(path, problems)):
                target = Path(extracted_path, *PurePosixPath(found.path).parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                while target.exists():  # two archives of a class may hold the same path
                    target = target.with_stem(target.stem + " (1)")
                target.write_bytes(found.data)
                os.utime(target, (found.time.timestamp(),) * 2)
        for problem in problems:
            self.log.error("Not extracted: %s", problem)


class LmsCollector(FileNameCollectorPlugin):
    """Reads student, notebook and time from a file's path. `named_regexp`, if set, is tried first."""

    def collect(self, submitted_file: str) -> dict | None:
        """Return nbgrader's dictionary for a file, or None to skip it."""
        path = Path(submitted_file)
        if path.suffix.lower() not in NOTEBOOK_SUFFIXES:
            return None
        root = Path(self.parent._format_collect_path(self.parent.extracted_directory))
        hand = identify(path.relative_to(root).as_posix(), self.named_regexp or None)
        if hand is None:
            return None
        coursedir = self.parent.coursedir
        notebook = _notebook_id(hand.file_id, _notebook_names(coursedir, coursedir.assignment_id))
        time = hand.time or changed(path)
        return {
            "student_id": hand.student_id,
            "file_id": notebook,
            "timestamp": time.strftime("%Y-%m-%d %H:%M:%S UTC"),
        }
