"""What the engine is asked and what it answers: plain data that can be pickled or turned into JSON.

A :class:`Job` is one notebook to run, a :class:`Result` what came of it. Everything that decides a grade is
in them, so that a job may run on another machine.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

MIB = 2**20
FILES = ("files", "handed_in")


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Memory and processes are counted over all its processes together.

    Attributes
    ----------
    cell_seconds, notebook_seconds : float
        Wall-clock time of one cell, and of the whole notebook.
    cpu_seconds : float
        Processor time of the student's processes together.
    memory_bytes : int
        Memory beyond what the warm interpreter already holds.
    processes : int
        Processes and threads alive at one moment.
    file_bytes, scratch_bytes : int
        The largest file, and all files together.
    output_bytes : int
        Output of one cell; a notebook may keep eight times as much.
    """

    cell_seconds: float = 60
    notebook_seconds: float = 300
    cpu_seconds: float = 300
    memory_bytes: int = 2048 * MIB
    processes: int = 64
    file_bytes: int = 256 * MIB
    scratch_bytes: int = 512 * MIB
    output_bytes: int = 1_000_000


@dataclass(frozen=True)
class Cell:
    """A code cell: given by the instructor, answered by the student, or a test."""

    kind: Literal["given", "student", "test"]
    source: str
    grade_id: str | None = None


@dataclass(frozen=True)
class Job:
    """One notebook to run.

    Attributes
    ----------
    cells : tuple of Cell
        In the order of the notebook.
    files : mapping of str to bytes
        The instructor's small files, laid beside the notebook: relative path and content.
    handed_in : mapping of str to bytes
        The student's: there for the student's code, never for the checker, and in place of no file of the
        instructor's.
    datasets : mapping of str to str
        Name and folder on this machine, seen by the notebook, read-only, as ``data/NAME``.
    withheld : tuple of str
        Names of data sets that the checker alone sees.
    limits : Limits
    checker : bool
        False runs the tests in the student's process, to show what the checker is for.
    seed : int
        Seeds ``random``, numpy and torch.
    name : str
        For messages of the grader alone.
    """

    cells: tuple[Cell, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    handed_in: Mapping[str, bytes] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    checker: bool = True
    seed: int = 0
    name: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write the job as JSON-serialisable data."""
        files = {kind: _encoded(getattr(self, kind)) for kind in FILES}
        return {**asdict(self), **files, "cells": [asdict(cell) for cell in self.cells]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Job:
        """Read the job that :meth:`to_json` wrote."""
        files = {kind: {n: base64.b64decode(text) for n, text in data[kind].items()} for kind in FILES}
        cells = tuple(Cell(**cell) for cell in data["cells"])
        return cls(**{**data, **files, "cells": cells, "limits": Limits(**data["limits"])})


def _encoded(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(data).decode("ascii") for name, data in files.items()}


@dataclass(frozen=True)
class CellResult:
    """Outputs of one cell in nbformat 4 (``stream``, ``display_data``, ``execute_result``, ``error``)."""

    outputs: list[dict[str, Any]]
    seconds: float = 0.0
    ran: bool = True


@dataclass(frozen=True)
class Result:
    """What came of a job: one :class:`CellResult` for each cell, in order.

    Attributes
    ----------
    stopped : str or None
        The first thing that was cut short and why, in Korean; None if all ran to its end.
    peak_bytes : int
        The most memory that was seen in use, beyond the warm interpreter's.
    seconds : float
        Wall-clock time.
    """

    cells: tuple[CellResult, ...]
    stopped: str | None = None
    peak_bytes: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Write the result as JSON-serialisable data."""
        return {**asdict(self), "cells": [asdict(cell) for cell in self.cells]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Result:
        """Read the result that :meth:`to_json` wrote."""
        return cls(**{**data, "cells": tuple(CellResult(**cell) for cell in data["cells"])})


def failure(ename: str, reason: str) -> dict[str, Any]:
    """Make an error output of nbformat from a reason; nbgrader scores a cell that has one 0."""
    return {"output_type": "error", "ename": ename, "evalue": reason, "traceback": [f"{ename}: {reason}"]}
