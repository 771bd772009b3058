"""What a student handed in: which file is meant, and the cells that can be read from its bytes.

Nothing here raises for bad input: a file that holds no notebook becomes :class:`Broken` with a reason in
Korean, and everything that was done to read a damaged one is told in the notes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

MAX_BYTES = 100 * 2**20
MAX_CELLS = 2000
MAX_NODES = 2_000_000  # lists and objects in a file: each takes some fifty times its two bytes in memory
NOTEBOOK_SUFFIXES = (".ipynb", ".json", ".txt")

_NOT_A_NOTEBOOK = (
    (b"<", "노트북이 아니라 HTML 파일입니다. Colab에서 '.ipynb 다운로드'로 받은 파일을 내야 합니다."),
    (b"PK\x03\x04", "노트북이 아니라 압축 파일이거나 문서 파일입니다."),
    (b"\x1f\x8b", "노트북이 아니라 압축 파일입니다."),
    (b"%PDF", "노트북이 아니라 PDF 파일입니다."),
    (b"\x89PNG", "노트북이 아니라 그림 파일입니다."),
)

_PICTURES = ("image/png", "image/jpeg", "image/gif")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+=*\s*")


@dataclass(frozen=True)
class Broken:
    """A file from which no cell can be read; `reason` is for student and instructor."""

    reason: str


@dataclass(frozen=True)
class Submitted:
    """A submission's cells in nbformat 4, and what was done to read them."""

    cells: tuple[NotebookNode, ...]
    notes: tuple[str, ...] = ()


def read(data: bytes) -> Submitted | Broken:
    """Read a notebook's bytes as leniently as can be.

    Any nbformat from 1 to 4 and any minor version, with or without cell ids; a truncated file gives the
    cells before the cut.
    """
    if len(data) > MAX_BYTES:
        return Broken(
            f"파일이 {len(data) >> 20} MB입니다. 채점할 수 있는 크기는 {MAX_BYTES >> 20} MB까지입니다."
        )
    if not data.strip():
        return Broken("빈 파일입니다.")
    for start, reason in _NOT_A_NOTEBOOK:
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(start):
            return Broken(reason)
    if data.count(b"[") + data.count(b"{") > MAX_NODES:
        return Broken("파일의 구조가 너무 커서 읽을 수 없습니다.")
    text = _decode(data)
    if text is None:
        return Broken("글자로 읽을 수 없는 파일입니다. 노트북(.ipynb)이 아닙니다.")
    notes: list[str] = []
    try:
        raw = json.loads(text)
    except RecursionError:
        return Broken("파일의 구조가 너무 깊어 읽을 수 없습니다.")
    except ValueError:
        raw, notes = _salvage(text)
    if isinstance(raw, dict) and "worksheets" in raw:
        raw = _upgrade(raw)
    if not isinstance(raw, dict) or not isinstance(raw.get("cells"), list):
        return Broken("노트북(.ipynb)의 형식이 아닙니다. 칸을 찾을 수 없습니다.")
    cells = [cell for cell in map(_cell, raw["cells"]) if cell is not None]
    if len(cells) < len(raw["cells"]):
        notes.append(f"읽을 수 없는 칸 {len(raw['cells']) - len(cells)}개를 건너뛰었습니다.")
    if not cells:
        return Broken("노트북에 칸이 하나도 없습니다.")
    if len(cells) > MAX_CELLS:
        notes.append(f"칸이 {len(cells)}개입니다. 앞의 {MAX_CELLS}개만 읽었습니다.")
    return Submitted(tuple(cells[:MAX_CELLS]), tuple(notes))


def _decode(data: bytes) -> str | None:
    """Return the text of the file: UTF-8, UTF-16 with its mark, or the old Korean code page."""
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    # A file cut inside a character, or with a few bytes gone, is still worth reading.
    text = data.decode("utf-8-sig", errors="replace")
    return text if text.count("\ufffd") < len(text) / 100 else None


def _salvage(text: str) -> tuple[object, list[str]]:
    """Take the whole cells out of JSON that ends too early or has rubbish in it."""
    start = re.search(r'"cells"\s*:\s*\[', text)
    cells: list[object] = []
    position = start.end() if start else len(text)
    decoder, gap = json.JSONDecoder(), re.compile(r"[,\s]*")
    while True:
        try:
            cell, position = decoder.raw_decode(text, gap.match(text, position).end())
        except (ValueError, RecursionError):
            break
        cells.append(cell)
    if not cells:
        return None, []
    return {"cells": cells}, [f"파일이 손상되어 앞에서부터 칸 {len(cells)}개만 읽었습니다."]


def _upgrade(raw: dict) -> object:
    """Bring nbformat 1 to 3 to 4 with nbformat's own converter."""
    try:
        return nbformat.convert(nbformat.from_dict(raw), 4)
    except Exception:  # whatever an old file may hold, it costs one submission at most
        return None


def _cell(raw: object) -> NotebookNode | None:
    """One cell with just what grading needs, or None if it is no cell."""
    if not isinstance(raw, dict) or raw.get("cell_type") not in ("code", "markdown", "raw", "heading"):
        return None
    metadata = raw.get("metadata")
    outputs = raw.get("outputs")
    return NotebookNode(
        cell_type="markdown" if raw["cell_type"] == "heading" else raw["cell_type"],
        id=str(raw.get("id", "")),
        metadata=metadata if isinstance(metadata, dict) else {},
        source=text_of(raw.get("source")),
        outputs=[o for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else [],
        attachments=_pictures(raw.get("attachments")),
    )


def _pictures(attachments: object) -> dict[str, dict[str, str]]:
    """Return the pictures that were pasted into a text: name -> kind -> base64."""
    found: dict[str, dict[str, str]] = {}
    for name, kinds in attachments.items() if isinstance(attachments, dict) else ():
        for kind, data in kinds.items() if isinstance(kinds, dict) else ():
            if kind in _PICTURES and _BASE64.fullmatch(text_of(data)):
                found.setdefault(text_of(name), {})[kind] = text_of(data)
    return found


def text_of(value: object) -> str:
    """Return a notebook's text field (a string or a list of lines) as text that UTF-8 can hold."""
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    return value.encode("utf-8", errors="replace").decode() if isinstance(value, str) else ""


# Which file is meant


_COPY_MARKS = (
    r"^copy of ",
    r"^사본\s*-?\s*",
    r"의 사본$",
    r"\s*-\s*복사본$",
    r"\s*사본$",
    r"\s*\(\d+\)$",
    r"[-_ ]copy\s*\d*$",
    r"\.ipynb$",
)


def plain_name(filename: str) -> str:
    """Return the name that a file had before browsers, Drive and file managers marked it as a copy.

    >>> plain_name("Copy of counting.ipynb"), plain_name("counting의 사본 (1).ipynb")
    ('counting', 'counting')
    """
    name = unicodedata.normalize("NFC", filename)
    for suffix in NOTEBOOK_SUFFIXES:
        name = name.removesuffix(suffix) if name.lower().endswith(suffix) else name
    while True:
        shorter = name.strip()
        for mark in _COPY_MARKS:
            shorter = re.sub(mark, "", shorter, flags=re.IGNORECASE).strip()
        if shorter == name or not shorter:
            return name
        name = shorter


@dataclass(frozen=True)
class File:
    """A file that was handed in."""

    path: str  # relative to the submission's folder, with "/"
    data: bytes
    time: float = 0.0  # seconds since the epoch, as the file system or the archive tells


def notebook_files(folder: Path) -> list[File]:
    """Every file under a submission's folder that may be a notebook; symbolic links are not followed."""
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(folder).parts)
    ]
    notebooks = [p for p in found if p.suffix.lower() == ".ipynb"]
    # Some browsers and phones save a notebook as counting.ipynb.txt or counting.json.
    disguised = [p for p in found if p.suffix.lower() in NOTEBOOK_SUFFIXES and p.name != "timestamp.txt"]
    return [
        File(p.relative_to(folder).as_posix(), _head(p), p.stat().st_mtime) for p in notebooks or disguised
    ]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def choose(
    name: str, files: Sequence[File], grade_ids: Iterable[str], stubs: Iterable[str]
) -> tuple[File | None, str | None]:
    """Pick the file that is graded as the notebook `name`, and a note if there was a choice to make.

    The best by these, in this order: it can be read; it belongs to the assignment (has its grade ids, or
    its name without copy marks); it has an answer that is not the untouched stub; it is the newest; its
    name is exact; its copy number is the highest.

    Parameters
    ----------
    name : str
        The notebook's name in the assignment, without suffix.
    files : sequence of File
        What was handed in.
    grade_ids, stubs : iterables of str
        The assignment's grade ids, and the released texts of its answer cells.
    """
    known, untouched = set(grade_ids), {stub.strip() for stub in stubs}

    def rank(file: File) -> tuple:
        submission = read(file.data)
        base = Path(file.path).name
        cells = submission.cells if isinstance(submission, Submitted) else ()
        ids = {grade_id(c) for c in cells}
        own = len(known & ids) / max(1, len(known)) > 0.3 or plain_name(base) == name
        answers = [c.source.strip() for c in cells if grade_id(c) in known and not is_locked(c)]
        copy = re.search(r"\((\d+)\)", base)
        return (
            isinstance(submission, Submitted),
            own,
            any(a and a not in untouched for a in answers),
            round(file.time / 2),  # zip archives keep time to two seconds
            unicodedata.normalize("NFC", base) == f"{name}.ipynb",
            int(copy.group(1)) if copy else 0,
            file.path,
        )

    if not files:
        return None, None
    ranked = sorted(files, key=rank, reverse=True) if len(files) > 1 else list(files)
    best = ranked[0]
    name_of_file = unicodedata.normalize("NFC", best.path)
    shown = quotable(name_of_file)
    if len(files) > 1:
        return best, f"노트북이 {len(files)}개 있어 그 가운데 '{shown}'을 채점했습니다."
    if name_of_file != f"{name}.ipynb":
        return best, f"'{shown}'을 '{name}.ipynb'로 보고 채점했습니다."
    return best, None


def quotable(text: str) -> str:
    r"""Return a name that a stranger chose as notes can quote it: no markup, nothing unprintable, not long.

    >>> quotable("<b>가\ud800\n")
    '?b?가??'
    """
    return "".join(c if c.isprintable() and c not in "<>&`" else "?" for c in text[:80])


def grade_id(cell: NotebookNode) -> str | None:
    """Return the cell's grade_id as it was handed in, or None."""
    meta = cell.metadata.get("nbgrader")
    value = meta.get("grade_id") if isinstance(meta, dict) else None
    return value if isinstance(value, str) and value else None


def is_locked(cell: NotebookNode) -> bool:
    """Whether the handed-in metadata calls the cell a given or test cell."""
    meta = cell.metadata.get("nbgrader")
    return isinstance(meta, dict) and not meta.get("solution")
