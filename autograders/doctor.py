"""What the sandbox can do on this machine: one line for each check, the last line a summary."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import sandbox
from .forkserver import ForkServer
from .job import MIB, Cell, Job, Limits, Result
from .sandbox import SandboxUnavailable

SECRET = "the grader's own file"
LIMITS = Limits(
    cell_seconds=5,
    notebook_seconds=30,
    memory_bytes=256 * MIB,
    processes=32,
    file_bytes=16 * MIB,
    scratch_bytes=32 * MIB,
    output_bytes=20_000,
)

# Each cell prints "held" if the wall stands; the network probe aims at this machine's discard port alone.
CHECKS: dict[str, str] = {
    "no network": """
import socket
try:
    socket.create_connection(("127.0.0.1", 9), timeout=1)
except ConnectionRefusedError:
    print("the host's own network answers")
except OSError:
    print("held")
""",
    "nothing of the host's files": """
import os
print("there" if os.path.exists({secret!r}) else "held")
""",
    "nothing of the host's environment": """
import os
print("there" if "GRADER_DOCTOR" in os.environ else "held")
""",
    "read-only system": """
import os
print("writable" if any(os.access(p, os.W_OK) for p in ("/", "/usr", "/etc", "/dev", {prefix!r})) else "held")
""",
    "no other processes": """
import os
print("held" if sum(name.isdigit() for name in os.listdir("/proc")) == 1 else "visible")
""",
    "no privileges": """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
none = all(int(status[name], 16) == 0 for name in ("CapEff", "CapPrm", "CapBnd"))
print("held" if none and status["NoNewPrivs"].strip() == "1" else "privileged")
""",
    "no further namespaces": """
import ctypes
print("held" if ctypes.CDLL(None).unshare(0x10000000) else "made one")
""",
    "scratch space ends": """
try:
    for i in range(8):
        with open(f"fill{{i}}", "wb") as file:
            file.write(bytes(8 * 2**20))
    print("unlimited")
except OSError:
    print("held")
""",
}
KILLED: dict[str, tuple[str, str]] = {
    "memory ends": ("blocks = []\nwhile True:\n    blocks.append(bytearray(2**24))", "MemoryError 메모리"),
    "processes end": (
        "import os, time\nfor i in range(200):\n    if os.fork() == 0:\n        time.sleep(60)",
        "BlockingIOError 프로세스",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the checks and print them.

    Returns
    -------
    int
        0 if every wall stands, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m autograders doctor", description=__doc__)
    parser.parse_args(argv)
    who = "root" if sandbox.is_privileged() else "an ordinary user"
    try:
        print(f"bubblewrap: {sandbox.find_bubblewrap()}, as {who}", flush=True)
        os.environ["GRADER_DOCTOR"] = SECRET
        with ForkServer() as server:
            server.start()
            print("namespaces: held", flush=True)
            failed = walls(server)
    except SandboxUnavailable as error:
        print(f"namespaces: {error.cause}")
        print(f"to mend it: {error.cure}")
        print("The sandbox does not hold: submissions are not graded here.")
        return 1
    if failed:
        print(f"The sandbox does not hold: {', '.join(failed)}.")
        return 1
    print("The sandbox holds.")
    return 0


def walls(server: ForkServer) -> list[str]:
    """Try each wall, print what came of it, and list those that do not stand."""
    failed = []

    def say(name: str, verdict: str) -> None:
        print(f"{name}: {verdict}", flush=True)
        if verdict != "held":
            failed.append(name)

    with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
        secret = Path(folder, "secret")
        secret.write_text(SECRET)
        words = {"secret": str(secret), "prefix": sys.prefix}
        result = _run(server, [source.format(**words) for source in CHECKS.values()])
        for name, cell in zip(CHECKS, result.cells, strict=True):
            say(name, _text(cell.outputs))
    for name, (source, signs) in KILLED.items():
        errors = [o for o in _run(server, [source]).cells[0].outputs if o["output_type"] == "error"]
        seen = errors and any(sign in errors[0]["ename"] + errors[0]["evalue"] for sign in signs.split())
        say(name, "held" if seen else "no end seen")
    return failed


def _run(server: ForkServer, sources: list[str]) -> Result:
    return server.run(Job(cells=tuple(Cell("student", source) for source in sources), limits=LIMITS))


def _text(outputs: list[dict[str, object]]) -> str:
    return "".join(str(output.get("text", output.get("evalue", ""))) for output in outputs).strip()


if __name__ == "__main__":
    sys.exit(main())
