"""What the tests of the engine share: one warm server, and short ways to write a notebook."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import dedent

import pytest

from autograders.forkserver import ForkServer
from autograders.job import MIB, Cell, CellResult, Job, Limits, Result

SMALL = Limits(
    cell_seconds=10,
    notebook_seconds=60,
    cpu_seconds=30,
    memory_bytes=256 * MIB,
    processes=40,
    file_bytes=16 * MIB,
    scratch_bytes=32 * MIB,
    output_bytes=50_000,
)


@pytest.fixture(scope="session")
def engine() -> Iterator[ForkServer]:
    """The fork server in its sandbox; a machine that has none fails here."""
    with ForkServer() as server:
        server.start()
        yield server


@dataclass(frozen=True)
class Ran:
    """A result with readers."""

    result: Result

    def __getitem__(self, index: int) -> CellResult:
        return self.result.cells[index]

    def text(self, index: int) -> str:
        """All that a cell wrote and showed."""
        parts = []
        for output in self[index].outputs:
            parts.append(output.get("text", ""))
            parts.append(str(output.get("data", {}).get("text/plain", "")))
        return "".join(parts).strip()

    def error(self, index: int) -> str:
        """``NAME: MESSAGE`` of a cell that failed, else an empty string."""
        errors = [output for output in self[index].outputs if output["output_type"] == "error"]
        return f"{errors[0]['ename']}: {errors[0]['evalue']}" if errors else ""

    def passed(self, index: int) -> bool:
        """Whether a cell ran without an error."""
        return self[index].ran and not self.error(index)


Notebook = Callable[..., Ran]


@pytest.fixture(scope="session")
def notebook(engine: ForkServer) -> Notebook:
    """Run cells: ``given:``, ``student:`` and ``test:`` start a cell's text; students' is the default."""

    def run(*cells: str, **options: object) -> Ran:
        options.setdefault("limits", SMALL)
        return Ran(engine.run(Job(cells=tuple(map(_cell, cells)), **options)))

    return run


def _cell(text: str) -> Cell:
    for kind in ("given", "student", "test"):
        if text.startswith(f"{kind}:"):
            return Cell(kind, dedent(text.removeprefix(f"{kind}:").removeprefix(" ")).strip("\n"))
    return Cell("student", dedent(text).strip("\n"))
