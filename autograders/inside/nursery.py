"""The nursery of one job: makes the jails of its two processes.

It is forked before the supervisor reads the cells, so that no test can be found in the memory that a
student's process inherits.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from . import checker, frames, jail, student, watch, worker

REQUEST_BYTES = 512
SHARERS = 3
"""Server, supervisor and nursery hold the warm pages too."""


class Nursery:
    """A process that knows the environment and no cell, and makes jails."""

    def __init__(
        self, environment: jail.Environment, slot: int, shell: student.Shell, host: socket.socket
    ) -> None:
        self.environment, self.slot, self.shell = environment, slot, shell
        self.sock, theirs = socket.socketpair()
        if os.fork() == 0:
            self.sock.close()
            host.close()
            finally_exit(lambda: self._serve(theirs))
        theirs.close()

    def make(self, role: str, generation: int) -> Box:
        """Make a jail with a worker in it.

        Raises
        ------
        OSError
            If the kernel refuses it.
        """
        mine, theirs = socket.socketpair()
        home = None if self.environment.sandbox else tempfile.mkdtemp(prefix="notebook-")
        request = json.dumps([role, generation, home]).encode()
        socket.send_fds(self.sock, [request.ljust(REQUEST_BYTES)], [theirs.fileno()])
        theirs.close()
        try:
            kind, payload = number = frames.receive(mine)
            if kind == "P":
                kind, payload = frames.receive(mine)  # sent before anything of the student's runs
        except EOFError:
            raise OSError("a jail ended while it was built") from None
        if kind != "S":
            raise OSError(payload.decode())
        return Box(self.environment, mine, int(number[1]), home)

    def _serve(self, sock: socket.socket) -> None:
        while True:
            request, descriptors, _, _ = socket.recv_fds(sock, REQUEST_BYTES, 1)
            if not descriptors:
                return
            role, generation, home = json.loads(request)
            theirs = socket.socket(fileno=descriptors[0])
            helper = os.fork()
            if helper == 0:
                sock.close()
                finally_exit(partial(self._jail, theirs, role, generation, home))
            theirs.close()
            os.waitpid(helper, 0)

    def _jail(self, sock: socket.socket, role: str, generation: int, home: str | None) -> None:
        """In a new fork: make its child the first process of a new PID namespace, and the worker."""
        if role == "checker":  # what is beside the notebook there is the instructor's alone
            self.environment = replace(self.environment, handed_in={}, withheld=())
        try:
            if self.environment.sandbox:
                jail.unshare(self.environment)
            go, ready = os.pipe()
            if pid := os.fork():
                frames.send(sock, "P", str(pid).encode())
                os.write(ready, b".")
                return
            os.read(go, 1)
            worker.close_descriptors(sock.fileno())
            if home is None:
                jail.enter(self.environment, self.slot + (role == "checker"))
            else:
                jail.enter_unsandboxed(self.environment, home)
        except Exception as error:
            frames.send(sock, "E", str(error).encode())
            return
        frames.send(sock, "S")
        limits = dict(self.environment.limits)
        if role == "checker":
            checker.main(sock, limits, self.environment.seed)
        else:
            student.main(sock, limits, self.environment.seed, generation, self.shell)


def finally_exit(run: Callable[[], None]) -> None:
    """Run a fork's own work and end the fork, whatever happens."""
    try:
        run()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


class Box:
    """A jail as the supervisor sees it."""

    def __init__(
        self, environment: jail.Environment, sock: socket.socket, pid: int, home: str | None
    ) -> None:
        self.environment, self.sock, self.pid, self.home = environment, sock, pid, home
        self.inbox = frames.Inbox(sock)
        self.base = watch.usage(pid).memory_bytes
        self.cpu = 0.0

    def exact_bytes(self) -> int:
        """Measure the memory in it beyond its share of the warm interpreter's pages."""
        pids = watch.tree(self.pid)
        sharers = watch.count_processes() if self.environment.sandbox else len(pids) + SHARERS
        share = self.base * len(pids) // max(len(pids) + 1, sharers)
        return watch.usage(self.pid, exact=True).memory_bytes - share

    def kill(self) -> str:
        """End every process in it; how its first process ended, in case it had done so by itself."""
        self.sock.close()
        status = jail.kill(self.pid, self.environment, self.home)
        if status is None:
            return "종료"
        if os.WIFSIGNALED(status):
            return f"신호 {signal.Signals(os.WTERMSIG(status)).name}"
        return f"종료 코드 {os.WEXITSTATUS(status)}"
