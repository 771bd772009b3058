"""The supervisor of one job: sends cells to the student and the checker, and keeps both in their limits.

It never runs a student's code and never builds an object out of what it relays.
"""

from __future__ import annotations

import json
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import kill
from typing import Any

from . import codec, frames, jail, nursery, student, watch
from .outputs import Record

TICK = 0.05
GRACE = 2.0
HOW = "%how%"


class Stopped(Exception):
    """A cell was cut short; the message is the reason, in Korean.

    Attributes
    ----------
    name : str
        ``ename`` of the error output.
    alive : bool
        Whether the process is still there and in order.
    """

    def __init__(self, name: str, reason: str, *, alive: bool = False) -> None:
        super().__init__(reason)
        self.name = name
        self.alive = alive


class Gone(Exception):
    """Nobody waits for the result any more."""


class Supervisor:
    """Runs the cells of one job."""

    def __init__(self, host: socket.socket, environment: jail.Environment, nest: nursery.Nursery) -> None:
        self.host, self.environment, self.nest = host, environment, nest
        self.limits = environment.limits
        self.end = time.monotonic() + self.limits["notebook_seconds"]
        self.boxes: dict[str, nursery.Box] = {}
        self.history: dict[str, list[dict[str, Any]]] = {"student": [], "checker": []}
        self.generation = 0
        self.over: str | None = None
        self.cpu_before = 0.0
        self.watched = 0.0
        self.peak = 0
        self.stopped: str | None = None
        self.place = ""
        self.record = Record(self.limits["output_bytes"])
        self.student_stop: Stopped | None = None

    def run(self, cells: list[dict[str, Any]], with_checker: bool) -> None:
        """Run all cells and send the host a frame for each."""
        tests = with_checker and any(cell["kind"] == "test" for cell in cells)
        for index, cell in enumerate(cells):
            self.place = f"칸 {index + 1}" + (f"({cell['grade_id']})" if cell["grade_id"] else "")
            self.record.begin()
            self.student_stop = None
            start = time.monotonic()
            ran = True
            try:
                ran = not self._is_over()
                if not ran:
                    raise Stopped("시간 제한", str(self.over))
                if cell["kind"] == "test" and tests:
                    self._ready("student")
                    self._cell("checker", cell)
                else:
                    self._cell("student", cell)
                    if cell["kind"] == "given" and tests:
                        self._given(cell)
            except Stopped as stop:
                self.stopped = self.stopped or str(stop)
                self.record.fail(stop.name, str(stop))
            outputs = self.record.verdict() if cell["kind"] == "test" else self.record.outputs
            seconds = round(time.monotonic() - start, 4)
            frames.send(self.host, "C", {"outputs": outputs, "seconds": seconds, "ran": ran})
        for box in self.boxes.values():
            box.kill()
        frames.send(self.host, "D", {"stopped": self.stopped, "peak_bytes": self.peak})

    def _given(self, cell: dict[str, Any]) -> None:
        """Run a given cell in the checker too; where it fails, tests ask the student for its names."""
        with self._unrecorded(), suppress(Stopped):
            self._cell("checker", cell)

    @contextmanager
    def _unrecorded(self) -> Iterator[None]:
        """While this is open, outputs are thrown away."""
        record, self.record = self.record, Record(self.limits["output_bytes"])
        try:
            yield
        finally:
            self.record = record

    def _is_over(self) -> bool:
        if self.over is None and time.monotonic() > self.end:
            self.over = f"노트북 전체가 시간 제한 {self.limits['notebook_seconds']:g}초를 넘었습니다"
        return self.over is not None

    def _cell(self, role: str, cell: dict[str, Any]) -> None:
        box = self._ready(role)
        self._ask(role, box, "C", json.dumps(cell).encode(), time.monotonic() + self.limits["cell_seconds"])
        self.history[role].append(cell)

    def _ready(self, role: str) -> nursery.Box:
        """Find the process of that role; a new one first runs what the old one had run."""
        while role not in self.boxes:
            self.generation += 1
            box = self.boxes[role] = self.nest.make(role, self.generation)
            with self._unrecorded():
                self._replay(role, box)
        return self.boxes[role]

    def _replay(self, role: str, box: nursery.Box) -> None:
        for cell in list(self.history[role]):
            if self._is_over():
                raise Stopped("시간 제한", str(self.over), alive=True)
            deadline = time.monotonic() + self.limits["cell_seconds"]
            try:
                self._ask(role, box, "C", json.dumps(cell).encode(), deadline)
            except Stopped as stop:
                self.history[role].remove(cell)  # it ran before and does not now: go on without it
                if not stop.alive:
                    return

    def _ask(self, role: str, box: nursery.Box, kind: str, payload: bytes, deadline: float) -> bytes:
        """Send a frame and wait for the answer; collect outputs and serve the checker's requests meanwhile.

        Raises
        ------
        Stopped
            If a limit was reached or the process ended.
        """
        self._send(role, box, kind, payload)
        whole = deadline > self.end
        deadline = min(deadline, self.end)
        interrupted = False
        while True:
            try:
                frame = box.inbox.next()
            except frames.FrameError:
                raise self._stop(role, "출력 제한", f"{self.place}에서 너무 큰 값을 내보냈습니다") from None
            if frame is None:
                if time.monotonic() > deadline:
                    if interrupted:
                        raise self._stop(role, "시간 제한", self._time_reason(whole))
                    with suppress(OSError):
                        kill(box.pid, signal.SIGINT)
                    interrupted, deadline = True, time.monotonic() + GRACE
                self._wait(role, box, deadline)
            elif frame[0] == "O":
                self.record.keep(frame[1], streams_only=kind == "Q")  # a score is the test's own to show
            elif frame[0] == "Q" and role == "checker":
                self._send(role, box, "R", self._relay(frame[1], deadline, interrupted))
            elif interrupted:
                raise Stopped("시간 제한", self._time_reason(whole), alive=True)
            else:
                return frame[1]

    def _time_reason(self, whole: bool) -> str:
        if whole:
            seconds = self.limits["notebook_seconds"]
            return f"{self.place}에서 노트북 전체의 시간 제한 {seconds:g}초를 넘었습니다"
        return f"{self.place}에서 시간 제한 {self.limits['cell_seconds']:g}초를 넘었습니다"

    def _send(self, role: str, box: nursery.Box, kind: str, payload: bytes) -> None:
        """Send a frame; a process that is slow to read it is watched meanwhile."""
        data = memoryview(frames.frame(kind, payload))
        end = time.monotonic() + self.limits["cell_seconds"]
        while data:
            try:
                data = data[box.sock.send(data, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                if time.monotonic() > end:
                    raise self._died(role) from None
                select.select([], [box.sock], [], TICK)
                self._watch_in_time(role)
            except OSError:
                raise self._died(role) from None

    def _wait(self, role: str, box: nursery.Box, deadline: float) -> None:
        """Until there is something to read, or a tick has passed."""
        wait = max(0.0, min(TICK, deadline - time.monotonic()))
        readable, _, _ = select.select([box.sock, self.host], [], [], wait)
        if self.host in readable:
            raise Gone
        if box.sock in readable:
            try:
                box.inbox.pull()
            except EOFError:
                raise self._died(role) from None
        self._watch_in_time(role)

    def _watch_in_time(self, role: str) -> None:
        if time.monotonic() > self.watched + TICK:
            self._watch(role)
            self.watched = time.monotonic()

    def _relay(self, payload: bytes, deadline: float, late: bool) -> bytes:
        """Hand the checker's request to the student's process; whatever happens, there is an answer."""
        stop = self.student_stop
        if late:
            stop = Stopped("시간 제한", self._time_reason(False))
        if stop is None:
            try:
                return self._ask("student", self._ready("student"), "Q", payload, deadline)
            except Stopped as stopped:
                stop = self.student_stop = stopped
                self.stopped = self.stopped or str(stop)
        return codec.encode({"stopped": str(stop)}, lambda _: None)

    def _watch(self, waiting_for: str) -> None:
        """Measure both processes; end one that has too much.

        Raises
        ------
        Stopped
            If it is the one that is waited for. What the student's process does meanwhile ends it as
            well, and the checker is told when it next asks; the checker's turn comes when it is waited for.
        """
        for role, box in list(self.boxes.items()):
            excess = self._excess(role, box)
            if excess is None:
                continue
            if role == waiting_for:
                raise self._stop(role, *excess)
            if role == "student":
                self.student_stop = self._stop(role, *excess)
                self.stopped = self.stopped or str(self.student_stop)

    def _excess(self, role: str, box: nursery.Box) -> tuple[str, str] | None:
        """Name and reason of the limit that a process is over, or None."""
        limits = self.limits
        use = watch.usage(box.pid)
        memory = use.memory_bytes - box.base
        if memory > limits["memory_bytes"]:
            memory = box.exact_bytes()
        box.cpu = max(box.cpu, use.cpu_seconds)
        if role == "student":
            self.peak = max(self.peak, memory)
        if memory > limits["memory_bytes"]:
            return (
                "메모리 제한",
                f"{self.place}에서 메모리 제한 {limits['memory_bytes'] // 2**20:,} MiB를 넘었습니다",
            )
        if use.tasks >= limits["processes"]:
            return "프로세스 제한", f"{self.place}에서 프로세스 수 제한 {limits['processes']}개를 넘었습니다"
        if role == "student" and self.cpu_before + box.cpu > limits["cpu_seconds"]:
            self.over = f"노트북 전체가 CPU 시간 제한 {limits['cpu_seconds']:g}초를 넘었습니다"
            return "시간 제한", f"{self.place}에서 CPU 시간 제한 {limits['cpu_seconds']:g}초를 넘었습니다"
        return None

    def _died(self, role: str) -> Stopped:
        whose = "학생 코드" if role == "student" else "검사"
        return self._stop(role, "프로세스 종료", f"{self.place}에서 {whose}의 프로세스가 끝났습니다({HOW})")

    def _stop(self, role: str, name: str, reason: str) -> Stopped:
        """End a process; the next cell that needs it gets a new one."""
        box = self.boxes.pop(role)
        reason = reason.replace(HOW, box.kill())
        if role == "student":
            self.cpu_before += box.cpu
        return Stopped(name, reason)


def main(host: socket.socket, sandbox: bool, privileged: bool, slot: int, shell: student.Shell) -> None:
    """Serve one job on `host`: its environment first, then, when the nursery stands, its cells."""
    head, buffers = frames.unpack(frames.receive(host)[1])
    contents = map(bytes, buffers)
    environment = jail.Environment(
        limits=head["limits"],
        files={name: next(contents) for name in head["files"]},
        handed_in={name: next(contents) for name in head["handed_in"]},
        datasets=head["datasets"],
        withheld=tuple(head["withheld"]),
        seed=head["seed"],
        sandbox=sandbox,
        privileged=privileged,
    )
    nest = nursery.Nursery(environment, slot, shell, host)
    job = json.loads(frames.receive(host)[1])
    supervisor = Supervisor(host, environment, nest)
    try:
        supervisor.run(job["cells"], job["checker"])
    except Gone:
        pass
    except OSError as error:  # a jail that could not be built, or a host that has gone
        frames.send(host, "E", str(error).encode())
    finally:
        for box in supervisor.boxes.values():
            box.kill()
