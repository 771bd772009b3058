"""The grader's side of the fork server: hand in a job, get a result.

>>> with ForkServer() as server:  # doctest: +SKIP
...     result = server.run(Job(cells=(Cell("student", "1 + 1"),)))

One server process is warm for a set of data sets; every job is a fork of it. `run` may be called from many
threads: each waits for its own job.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from . import sandbox
from .inside import frames
from .job import Cell, CellResult, Job, Result, failure

START_SECONDS = 600  # one that fails ends at once: only a busy machine takes long
SPARE_SECONDS = 60
FOLDER = "grader-"
BOOT = "import sys; sys.path.insert(0, {path!r}); from inside.server import main; main()"


class _Gone(Exception):
    """The server process is not there any more."""


class ForkServer:
    """Runs jobs in forks of a warm interpreter.

    Parameters
    ----------
    sandbox : bool
        False runs the same processes without bubblewrap and namespaces: for code that is trusted alone.

    Raises
    ------
    SandboxUnavailable
        By :meth:`run` or :meth:`start`, if the sandbox can not be built here.
    FileNotFoundError, PermissionError
        By :meth:`run`, if a data set is not there or students may not read it.
    """

    def __init__(self, *, sandbox: bool = True) -> None:
        self.sandbox = sandbox
        self._servers: dict[tuple[tuple[str, str], ...], _Server] = {}
        self._lock = threading.Lock()
        self._closed = False

    def start(self) -> None:
        """Start the server now and prove that its sandbox holds, instead of with the first job."""
        self._server(())

    def run(self, job: Job) -> Result:
        """Run a job, whatever it does.

        Returns
        -------
        Result
            With one entry for each cell of the job, also where a process died.
        """
        key = tuple(sorted((name, os.path.abspath(folder)) for name, folder in job.datasets.items()))
        for _ in range(2):
            server = self._server(key)
            with suppress(_Gone):
                return server.run(job)
        return _unfinished(job, [], "채점 서버가 두 번 멈추었습니다", 0.0)

    def _server(self, key: tuple[tuple[str, str], ...]) -> _Server:
        with self._lock:
            if self._closed:
                raise RuntimeError("the fork server is closed")
            server = self._servers.get(key)
            if server is None or not server.alive():
                if server is not None:
                    server.close()
                server = self._servers[key] = _Server(dict(key), sandbox=self.sandbox)
            return server

    def close(self) -> None:
        """End the servers and everything in them."""
        with self._lock:
            self._closed = True
            for server in self._servers.values():
                server.close()
            self._servers.clear()

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server:
    """One server process."""

    def __init__(self, datasets: dict[str, str], *, sandbox: bool) -> None:
        for folder in datasets.values():
            _check_dataset(Path(folder))
        self._lock = threading.Lock()
        self._datasets = datasets
        self._paths = {name: f"/datasets/{i}" for i, name in enumerate(datasets)} if sandbox else datasets
        _sweep()
        self._folder = tempfile.mkdtemp(prefix=FOLDER)
        self._held = FileLock(f"{self._folder}/lock")  # until the process ends, however it ends
        self._held.acquire()
        self._remove_folder = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._control, theirs = socket.socketpair()
        self._process = self._start(theirs, sandboxed=sandbox)
        theirs.close()
        try:
            self._control.settimeout(START_SECONDS)
            try:
                ready = self._control.recv(1)
            except TimeoutError:
                ready = b""
            if ready != b"R":
                raise sandbox_error(self._said(), sandboxed=sandbox)
            self._control.settimeout(None)
            if sandbox:
                trial = self.run(Job(cells=(Cell("student", "pass"),), datasets=datasets))
                if trial.stopped:
                    raise sandbox_error(trial.stopped, sandboxed=True)
        except BaseException:
            self.close()
            raise

    def _start(self, theirs: socket.socket, *, sandboxed: bool) -> subprocess.Popen[bytes]:
        privileged = sandboxed and sandbox.is_privileged()
        place = "/engine" if sandboxed else str(sandbox.INSIDE.parent)
        options = ["1" if flag else "0" for flag in (sandboxed, privileged)]
        arguments = ["-s", "-P", "-c", BOOT.format(path=place), str(theirs.fileno())]
        arguments += [*options, str(sandbox.first_uid())]
        environment = {"PATH": "/usr/bin:/bin"}
        if sandboxed:
            folders = {self._paths[name]: folder for name, folder in self._datasets.items()}
            words = sandbox.command(arguments, datasets=folders, privileged=privileged)
        else:
            words = [sys.executable, *arguments]
            caches = {name: value for name, value in sandbox.ENVIRONMENT.items() if name != "HOME"}
            environment = caches | {"HOME": self._folder, "TMPDIR": self._folder}
        with open(f"{self._folder}/stderr", "wb") as log:
            return subprocess.Popen(
                words,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    def _said(self) -> str:
        text = Path(self._folder, "stderr").read_text(errors="replace").strip()
        if text:
            return text.splitlines()[-1]
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return f"it was not ready after {START_SECONDS} seconds"
        return f"signal {-code} ended it" if code < 0 else f"it ended with code {code} and without a word"

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def run(self, job: Job) -> Result:
        """Run one job.

        Raises
        ------
        _Gone
            If the server died, and not because of its supervisor alone.
        """
        start = time.monotonic()
        host, theirs = socket.socketpair()
        cells: list[CellResult] = []
        with host:
            try:
                with theirs, self._lock:
                    socket.send_fds(self._control, [b"J"], [theirs.fileno()])
                host.settimeout(job.limits.notebook_seconds + job.limits.cell_seconds + SPARE_SECONDS)
                self._hand_over(host, job)
                while True:
                    kind, payload = frames.receive(host)
                    if kind == "C":
                        cells.append(CellResult(**frames.loads(payload)))
                    elif kind == "D":
                        seconds = time.monotonic() - start
                        return Result(tuple(cells), seconds=round(seconds, 4), **frames.loads(payload))
                    else:
                        reason = f"샌드박스를 만들지 못했습니다: {payload.decode()}"
                        return _unfinished(job, cells, reason, time.monotonic() - start)
            except (OSError, EOFError):
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(1)  # did the whole server end, or this job's supervisor alone?
                    raise _Gone from None
                reason = "채점 과정이 도중에 끝났습니다(감독 프로세스가 사라졌습니다)"
                return _unfinished(job, cells, reason, time.monotonic() - start)

    def _hand_over(self, host: socket.socket, job: Job) -> None:
        head: dict[str, Any] = {"limits": asdict(job.limits), "seed": job.seed}
        head |= {"files": list(job.files), "handed_in": list(job.handed_in)}
        head["datasets"] = {name: self._paths[name] for name in job.datasets}
        head["withheld"] = list(job.withheld)
        contents = [*job.files.values(), *job.handed_in.values()]
        frames.send(host, "J", frames.pack(head, [bytes(data) for data in contents]))
        frames.send(host, "N", {"cells": [asdict(cell) for cell in job.cells], "checker": job.checker})

    def close(self) -> None:
        """End it: the control socket first, which is a polite word, then by force."""
        self._control.close()
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._held.release()
        self._remove_folder()


def _sweep() -> None:
    """Remove the folders of graders that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        with suppress(OSError, Timeout):
            status = folder.lstat()
            old = time.time() - status.st_mtime > START_SECONDS  # a new one may not be held yet
            if old and status.st_uid == os.geteuid() and (folder / "lock").is_file():
                with FileLock(folder / "lock", timeout=0):
                    shutil.rmtree(folder)


def _check_dataset(folder: Path) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(f"the data set {folder} is not there: fetch it, or mend its path")
    if sandbox.is_privileged() and folder.stat().st_mode & 0o5 != 0o5:
        raise PermissionError(f"students' users may not read the data set {folder}: chmod -R o+rX it")


def sandbox_error(message: str, *, sandboxed: bool) -> Exception:
    """Choose what to raise when the server does not start."""
    return (
        sandbox.diagnose(message) if sandboxed else RuntimeError(f"the fork server did not start: {message}")
    )


def _unfinished(job: Job, cells: list[CellResult], reason: str, seconds: float) -> Result:
    """Make the result of a job that nobody finished: what has run stays, the rest fails with the reason."""
    rest = [CellResult([failure("채점 중단", reason)], 0.0, ran=False) for _ in job.cells[len(cells) :]]
    return Result((*cells, *rest), stopped=reason, seconds=round(seconds, 4))
