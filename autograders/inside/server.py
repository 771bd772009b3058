"""The fork server: imports once what notebooks import, then forks a supervisor for each job.

Run as ``python -c 'from inside.server import main; main()' DESCRIPTOR SANDBOX PRIVILEGED UID``.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from . import jail, supervisor
from .nursery import finally_exit
from .student import make_shell

WARM = ("torch.nn.functional", "torch.optim", "torch.utils.data", "matplotlib.pyplot", "PIL.Image")
WARM_IF_THERE = ("torchvision", "torchvision.transforms", "torchvision.models", "pandas")
SLOTS = 500
"""Each job has two users of its own (when the grader is root); after so many jobs they are used again."""


def main() -> None:
    """Serve jobs until the grader closes the control socket."""
    control = socket.socket(fileno=int(sys.argv[1]))
    sandbox, privileged, base = sys.argv[2] == "1", sys.argv[3] == "1", int(sys.argv[4])
    sys.path.pop(0)  # where this package lies: no notebook's business
    import torch

    torch.set_num_threads(1)
    for name in WARM:
        importlib.import_module(name)
    for name in WARM_IF_THERE:
        with suppress(ImportError):
            importlib.import_module(name)
    shell = make_shell()
    jail.adopt_orphans()
    supervisors: set[int] = set()
    signal.signal(signal.SIGCHLD, lambda *_: _reap(supervisors))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # a collection in a fork would copy every page
    control.sendall(b"R")
    served = 0
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not descriptors:
            return
        host = socket.socket(fileno=descriptors[0])
        slot = base + 2 * (served % SLOTS)
        served += 1
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            control.close()
            jail.adopt_orphans()
            finally_exit(lambda host=host, slot=slot: supervisor.main(host, sandbox, privileged, slot, shell))
        supervisors.add(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        host.close()


def _reap(supervisors: set[int]) -> None:
    """Collect the dead; what a supervisor left behind has become our child, and ends."""
    with suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            supervisors.discard(pid)
    with suppress(OSError):
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
        for child in {int(word) for word in children.split()} - supervisors:
            os.kill(child, signal.SIGKILL)
