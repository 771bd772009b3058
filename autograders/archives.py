"""Opening archives that anybody may have made: nothing is written, and memory is bounded."""

from __future__ import annotations

import io
import lzma
import re
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from .submission import MAX_BYTES, NOTEBOOK_SUFFIXES

MAX_DEPTH = 3
MAX_MEMBERS = 20_000
MAX_TOTAL = 4 * 2**30  # bytes of one archive, unpacked
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


class Refused(Exception):
    """An archive, or a part of one, that is not taken; the message says why."""


_UNREADABLE = (
    Refused,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    RuntimeError,  # an encrypted zip; NotImplementedError is one too
    ValueError,
)


@dataclass(frozen=True)
class Found:
    """A file found in an archive."""

    path: str  # through all archives, with "/" between the parts
    data: bytes
    time: datetime

    @property
    def is_notebook(self) -> bool:
        """Whether it may be one, by its name, or by its text: an LMS lays texts of its own beside."""
        if self.path.lower().endswith(".ipynb"):
            return True
        return self.path.lower().endswith(NOTEBOOK_SUFFIXES) and b'"cells"' in self.data[: 1 << 20]


def files_in(path: Path, problems: list[str]) -> Iterator[Found]:
    """Yield the files of an archive, a folder of archives, or a single notebook."""
    if path.is_dir():
        for inner in sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink()):
            relative = inner.relative_to(path).as_posix()
            if relative.lower().endswith(ARCHIVES):
                yield from walk(_stem(relative), inner, problems)
            else:
                yield Found(relative, inner.read_bytes(), changed(inner))
    elif not path.is_file():
        problems.append(f"{path}: no such file")
    elif path.name.lower().endswith(".ipynb"):
        yield Found(path.name, path.read_bytes(), changed(path))
    else:
        # The outer archive is the class: its own name says nothing of students, nor does a folder that
        # holds them all.
        wrapper = _wrapper(path)
        before = len(problems)
        for found in walk("", path, problems):
            yield replace(found, path=found.path.removeprefix(wrapper))
        problems[before:] = [f"{path.name}: {problem}" for problem in problems[before:]]


def changed(path: Path) -> datetime:
    """Return when a file was last written."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _wrapper(path: Path) -> str:
    """Return the folder at the top of an archive that all its students' folders are in, if there is one."""
    try:
        names = [name for name, *_ in (_zip(path) if zipfile.is_zipfile(path) else _tar(path))]
    except _UNREADABLE:
        return ""
    names = [unicodedata.normalize("NFC", name.replace("\\", "/")) for name in names]
    names = [name for name in names if not name.startswith("__MACOSX/")]
    top = {name.split("/")[0] for name in names}
    # One student's folder alone is no wrapper: below a wrapper there are folders or archives again.
    below = [name.split("/")[1:] for name in names]
    wraps = (
        len(top) == 1
        and len(names) > 1
        and all(len(b) > 1 or b[-1].lower().endswith(ARCHIVES) for b in below if b)
    )
    return f"{top.pop()}/" if wraps and all(below) else ""


def walk(name: str, data: bytes | Path, problems: list[str], depth: int = 0) -> Iterator[Found]:
    """Yield the files in an archive and in the archives inside it.

    Parameters
    ----------
    name : str
        The path so far, for messages and for reading names.
    data : bytes or Path
        The archive.
    problems : list of str
        What was refused is added here, one line each.
    """
    try:
        for member, time, content in _members(name, data, problems):
            path = f"{name}/{member}" if name else member
            if not member.lower().endswith(ARCHIVES):
                yield Found(path, content, time)
            elif depth == MAX_DEPTH:
                problems.append(f"{path}: archives more than {MAX_DEPTH} deep are not opened")
                yield Found(path, content, time)
            else:
                before = len(problems)
                yield from walk(_stem(path), content, problems, depth + 1)
                if len(problems) > before:  # the archive itself stands for what could not be taken from it
                    yield Found(path, content, time)
    except _UNREADABLE as error:
        problems.append(f"{name or 'archive'}: cannot be read ({error})")


def _stem(path: str) -> str:
    return re.sub(r"(\.tar\.gz|\.\w+)$", "", path, flags=re.IGNORECASE)


def _members(name: str, data: bytes | Path, problems: list[str]) -> Iterator[tuple[str, datetime, bytes]]:
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    is_zip = zipfile.is_zipfile(source)
    if isinstance(source, io.BytesIO):
        source.seek(0)
    total = 0
    for count, (member, size, time, load) in enumerate(_zip(source) if is_zip else _tar(source)):
        if count >= MAX_MEMBERS:
            raise Refused(f"more than {MAX_MEMBERS} files")
        path = PurePosixPath(unicodedata.normalize("NFC", member.replace("\\", "/")))
        hidden = any(
            (part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in path.parts
        )
        if path.is_absolute() or ".." in path.parts or re.match(r"^[A-Za-z]:", member):
            problems.append(f"{name}: {member!r} leads out of the archive and was refused")
        elif load is None:
            problems.append(f"{name}: {member!r} is a link or a device and was refused")
        elif size > MAX_BYTES:
            problems.append(f"{name}: {member!r} is larger than {MAX_BYTES >> 20} MB and was refused")
        elif not hidden:
            content = load()
            total += len(content)
            if total > MAX_TOTAL:
                raise Refused(f"unpacks to more than {MAX_TOTAL >> 30} GB")
            yield str(path), time, content


def _zip(source: io.BytesIO | Path) -> Iterator[tuple]:
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            link = (info.external_attr >> 16) & 0o170000 not in (0, 0o100000)

            def load(info: zipfile.ZipInfo = info) -> bytes:
                with archive.open(info) as file:
                    return _bounded(file, info.filename)

            try:
                time = datetime(*info.date_time, tzinfo=UTC)
            except ValueError:
                time = datetime(1980, 1, 1, tzinfo=UTC)
            yield _zip_name(info), info.file_size, time, None if link else load


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Names without the UTF-8 flag come from Windows: read them in the Korean code page if they fit it."""
    if info.flag_bits & 0x800:
        return info.filename
    raw = info.filename.encode("cp437", errors="replace")
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _tar(source: io.BytesIO | Path) -> Iterator[tuple]:
    how = {"fileobj": source} if isinstance(source, io.BytesIO) else {"name": source}
    with tarfile.open(mode="r:*", **how) as archive:
        for info in archive:
            if info.isdir():
                continue

            def load(info: tarfile.TarInfo = info) -> bytes:
                return _bounded(archive.extractfile(info), info.name)

            time = datetime.fromtimestamp(max(info.mtime, 0), UTC)
            yield info.name, info.size, time, load if info.isreg() else None


def _bounded(file: io.BufferedIOBase, name: str) -> bytes:
    """Read a member whatever its header says of its size: a bomb ends at the limit."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Refused(f"{name!r} unpacks to more than {MAX_BYTES >> 20} MB")
    return data
