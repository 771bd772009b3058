"""Download one file: resumed where it stopped, checked, and given its name only when it is whole."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from pathlib import Path

from tqdm.auto import tqdm

__all__ = ["DownloadError", "download", "md5_of"]

_CHUNK = 1 << 18
_BROKEN = (urllib.error.URLError, http.client.HTTPException, OSError)  # OSError covers timeouts and resets
_HOPELESS = (401, 403, 404, 410)  # asking again will not help


class DownloadError(OSError):
    """A file could not be downloaded; the message says from where and why."""


def md5_of(path: Path) -> str:
    """Return the MD5 checksum of a file as 32 hexadecimal digits (against accidents, not attackers)."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def download(
    url: str,
    path: str | Path,
    md5: str,
    *,
    tries: int = 5,
    wait: float = 1.0,
    timeout: float = 30.0,
    progress: bool = True,
) -> Path:
    """Download `url` to `path`.

    Parameters
    ----------
    url : str
        Where the file is.
    path : str or Path
        Where it goes. Until it is whole and checked it is called `path` + ".part"; a later call, also after
        a restart, goes on with that part.
    md5 : str
        Its checksum.
    tries : int
        How often to try before giving up. A try that brought something does not count.
    wait : float
        Seconds before the second try, doubled for each further one.
    timeout : float
        Seconds of silence after which a connection counts as broken.
    progress : bool
        Show a bar.

    Returns
    -------
    Path
        `path`. If it is there with this checksum, nothing is downloaded.

    Raises
    ------
    DownloadError
        If it cannot be had or is damaged. Nothing is called `path` then that was not before.
    """
    path = Path(path)
    if path.is_file() and md5_of(path) == md5:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    resumed = part.exists()
    failed = 0
    while True:
        before = _size(part)
        try:
            whole = _go_on(url, part, timeout, progress)
            reason = "the connection broke"
        except _BROKEN as error:
            if isinstance(error, urllib.error.HTTPError) and error.code in _HOPELESS:
                raise DownloadError(f"{url}: {error}") from error
            whole, reason = False, str(error) or type(error).__name__
        if whole:
            if md5_of(part) == md5:
                os.replace(part, path)
                return path
            part.unlink()
            if not resumed:
                raise DownloadError(f"{url}: what came is damaged or another file (wrong checksum)")
            resumed = False  # perhaps only the part of an earlier call was bad: once more from the start
            continue
        failed = 0 if _size(part) > before else failed + 1
        if failed >= tries:
            raise DownloadError(f"{url}: {reason}")
        time.sleep(wait * 2 ** max(failed - 1, 0))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _go_on(url: str, part: Path, timeout: float, progress: bool) -> bool:
    """Append to `part` what is missing of `url`; return whether the server says that this is all."""
    there = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "cnnbook"})
    if there:
        request.add_header("Range", f"bytes={there}-")
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        # Nothing lies behind `there`: the part is whole, or longer than the file, which the checksum finds.
        return True
    with response:
        start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range") or "")
        if response.status != 206 or not start or int(start.group(1)) != there:
            there = 0  # the server ignores ranges and sends the file from its start
        length = response.headers.get("Content-Length")
        total = None if length is None else there + int(length)
        with (
            open(part, "ab" if there else "wb") as file,
            tqdm(
                total=total, initial=there, unit="B", unit_scale=True, desc=part.stem, disable=not progress
            ) as bar,
        ):
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    return total is None or _size(part) >= total
