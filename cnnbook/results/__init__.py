"""Stored results: numbers that a page shows but does not compute, and how, where and when they were made.

A result is one JSON file beside this module::

    {"name": "conv-loops", "command": "python -m bench.conv", "date": "2026-11-24",
     "machine": {"cpu": "…", "cores": 2, "ram_gib": 7.7, "gpu": null},
     "versions": {"python": "3.11.9", "torch": "2.14.0"},
     "data": {…}}

A program measures and calls :func:`save`. A page calls :func:`load` for the numbers, and a cell that ends in
the :class:`Result` shows the line that says where they come from. Nobody edits the files: the command is run
again.

:func:`glue` puts a computed value into the prose of the book.
"""

from __future__ import annotations

import datetime
import html
import importlib
import json
import math
import os
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from importlib import metadata
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FIELDS = {"name": str, "command": str, "date": str, "machine": dict, "versions": dict, "data": dict}
_MACHINE = {"cpu": (str,), "cores": (int,), "ram_gib": (int, float), "gpu": (str, type(None))}


class ResultError(ValueError):
    """A stored result is missing or is not what it must be; the message says which field and what to do."""


@dataclass(frozen=True)
class Result:
    """One stored result; ``data`` holds the numbers, every other field says where they come from."""

    name: str
    command: str
    date: str
    machine: dict[str, Any]
    versions: dict[str, str]
    data: dict[str, Any]

    def caption(self) -> str:
        """Return the Korean sentence that states command, machine, versions and date."""
        machine = self.machine
        parts = [f"{machine['cpu']} {machine['cores']}코어", f"메모리 {machine['ram_gib']:g} GiB"]
        if machine["gpu"]:
            parts.append(machine["gpu"])
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        made = f"{self.date}에 `{self.command}` 명령으로 잰 값입니다."
        return f"{made} 기계: {', '.join(parts)}. 버전: {versions}."

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.caption(), quote=False))
        return {"text/html": f'<p class="cnn-result"><small>{text}</small></p>', "text/plain": self.caption()}


def machine() -> dict[str, Any]:
    """Describe this machine by its processor, usable cores, memory and GPU; never by its name or its user."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(encoding="utf-8"), re.MULTILINE)
        cpu = found.group(1).strip() if found else cpu
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    ram = 0.0
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        ram = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {"cpu": cpu, "cores": cores, "ram_gib": round(ram, 1), "gpu": _gpu()}


def _gpu() -> str | None:
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return None
    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def validate(record: object, source: str = "result") -> Result:
    """Check a record read from JSON and return it as a :class:`Result`.

    Raises
    ------
    ResultError
        Naming ``source``, the field and what was expected.
    """

    def fail(message: str) -> ResultError:
        return ResultError(f"{source}: {message}")

    if not isinstance(record, Mapping):
        raise fail(f"must be a JSON object, not {type(record).__name__}")
    if missing := sorted(_FIELDS.keys() - record.keys()):
        raise fail(f"has no {', '.join(missing)}")
    if unknown := sorted(record.keys() - _FIELDS.keys()):
        raise fail(f"has unknown fields {', '.join(unknown)}; measurements belong under 'data'")
    for field, kind in _FIELDS.items():
        if not isinstance(record[field], kind) or not record[field]:
            raise fail(f"'{field}' must be a non-empty {kind.__name__}; got {record[field]!r}")
    if not _NAME.fullmatch(record["name"]):
        raise fail(f"'name' must be small letters, digits and single hyphens; got {record['name']!r}")
    try:
        datetime.date.fromisoformat(record["date"])
    except ValueError:
        raise fail(f"'date' must be YYYY-MM-DD; got {record['date']!r}") from None
    if record["machine"].keys() != _MACHINE.keys():
        raise fail(f"'machine' must have exactly {', '.join(_MACHINE)}; got {', '.join(record['machine'])}")
    for field, kinds in _MACHINE.items():
        if not isinstance(record["machine"][field], kinds):
            raise fail(f"'machine.{field}' must be {kinds[0].__name__}; got {record['machine'][field]!r}")
    if not all(isinstance(version, str) for version in record["versions"].values()):
        raise fail("'versions' must map a package to a version string")
    if where := _not_finite(record["data"], "data"):
        raise fail(f"'{where}' is not a finite number; a failed measurement must not be stored")
    return Result(**{field: record[field] for field in _FIELDS})


def _not_finite(value: object, where: str) -> str | None:
    """Return the path of the first NaN or infinity inside ``value``."""
    if isinstance(value, float) and not math.isfinite(value):
        return where
    items: Iterable[tuple[object, object]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    return next((found for key, item in items if (found := _not_finite(item, f"{where}.{key}"))), None)


def save(
    name: str,
    data: Mapping[str, Any],
    *,
    command: str,
    packages: Iterable[str] = ("torch",),
    folder: Path = FOLDER,
) -> Path:
    """Store ``data`` with this machine, today's date and the versions of ``packages``.

    Parameters
    ----------
    name
        File name without ``.json``: small letters, digits and hyphens.
    data
        The numbers: anything JSON holds, no NaN.
    command
        What to type at the repository's root to make the result again.
    packages
        Distributions whose version bears on the numbers.
    folder
        Where to write.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    ResultError
        If a field is not what the format asks for; nothing is written then.
    """
    record = Result(
        name=name,
        command=command,
        date=datetime.date.today().isoformat(),
        machine=machine(),
        versions={"python": platform.python_version()}
        | {package: metadata.version(package).split("+")[0] for package in packages},
        data=dict(data),
    )
    validate(asdict(record), name)
    path = folder / f"{name}.json"
    text = json.dumps(asdict(record), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    draft = path.with_suffix(".tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)  # a stopped run leaves the old result whole
    return path


def rounded(values: Any, digits: int) -> Any:
    """Return numbers as lists of any depth, rounded for a file.

    Parameters
    ----------
    values : Tensor, ndarray, list or float
        The numbers.
    digits : int
        Digits kept after the point.
    """
    plain = values.tolist() if hasattr(values, "tolist") else values
    return [rounded(part, digits) for part in plain] if isinstance(plain, list) else round(plain, digits)


def half_up(value: float, digits: int = 1) -> float:
    """Round as a reader and the demos do: 77.85 becomes 77.9, where ``format(77.85, ".1f")`` says 77.8.

    Parameters
    ----------
    value
        A number; an error of less than 1e-9, as means of floats have, does not count.
    digits
        Digits kept after the point.

    Examples
    --------
    >>> half_up(77.85), half_up(-0.25), half_up(2.5, 0)
    (77.9, -0.3, 3.0)
    """
    return float(Decimal(f"{value:.9f}").quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def load(name: str, folder: Path = FOLDER) -> Result:
    """Read the stored result ``name``.

    Raises
    ------
    ResultError
        If there is none (the message lists those there are) or it does not fit the format.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        there = ", ".join(sorted(p.stem for p in folder.glob("*.json"))) or "none"
        raise ResultError(f"no stored result {name!r}; there are: {there}")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ResultError(f"{path.name}: not JSON ({error}); run its command again") from error
    result = validate(record, path.name)
    if result.name != name:
        raise ResultError(f"{path.name}: 'name' is {result.name!r}; a result is named as its file")
    return result


def glue(name: str, value: object, fmt: str = "") -> None:
    """Give ``value`` to the prose as ``{glue:text}`name```, where the book is built; elsewhere do nothing.

    Parameters
    ----------
    name
        The key that the prose uses.
    value
        What was computed.
    fmt
        A format specification, as in ``format(value, ",")``.

    Examples
    --------
    >>> glue("weights", 1792, ",")
    """
    text = format(value, fmt)  # a wrong format fails everywhere, not in the book alone
    try:
        from myst_nb import glue as to_book
    except ImportError:
        return
    to_book(name, text, display=False)
