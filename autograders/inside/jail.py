"""The jail of one process: its own namespaces, a private home of limited size, no capabilities.

``user_namespaces(7)``, ``pid_namespaces(7)`` and ``capabilities(7)`` are the sources. bubblewrap has already
taken away the host (read-only root, no network, no environment); this second wall stands between the jobs
of one fork server, and between a student's process and its checker.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import watch

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 4096, 16384, 1 << 18
PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_CAPBSET_DROP = 4, 8, 24
PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT = 38, 36, 47
CAPABILITY_VERSION_3 = 0x20080522
ALL_CAPABILITIES = 64
INODES = 20_000
NICENESS = 5

HOME = "/home/student"
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Environment:
    """What a job's processes find: everything in it may be seen by the student."""

    limits: Mapping[str, Any]
    files: Mapping[str, bytes]
    handed_in: Mapping[str, bytes]
    datasets: Mapping[str, str]
    seed: int
    sandbox: bool
    privileged: bool
    withheld: tuple[str, ...] = ()  # data sets that are covered


def _call(name: str, *arguments: Any) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(
    source: str, target: str, kind: str | None = None, flags: int = 0, data: str | None = None
) -> None:
    text = [None if part is None else part.encode() for part in (source, target, kind, data)]
    try:
        _call("mount", text[0], text[1], text[2], ctypes.c_ulong(flags), text[3])
    except OSError as error:
        raise OSError(error.errno, f"mount {target}: {os.strerror(error.errno)}") from None


def adopt_orphans() -> None:
    """Make this process the reaper of its descendants (Linux; elsewhere nothing)."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def unshare(environment: Environment) -> None:
    """Enter new namespaces; the next child is the first process of the jail."""
    if environment.privileged:
        _call("unshare", NAMESPACES)
    else:
        _own_user_namespace(NAMESPACES)


def _own_user_namespace(more: int = 0) -> None:
    """Enter a user namespace in which only our own user exists."""
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", CLONE_NEWUSER | more)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def enter(environment: Environment, uid: int) -> None:
    """Build the jail around this process, the first of its namespaces, and lock it.

    Raises
    ------
    OSError
        If the kernel refuses a step.
    """
    _furnish(environment, uid if environment.privileged else os.geteuid())
    _write("/proc/sys/kernel/shmall", str(environment.limits["memory_bytes"] // 4096))
    if environment.privileged:
        _call("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        _raise_capabilities()
        _call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)  # or /proc/self would belong to root
        _own_user_namespace()
    _write("/proc/sys/user/max_user_namespaces", "0")  # this namespace's own limit: no further ones inside
    set_limits(environment.limits)
    _drop_capabilities()
    _call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)
    os.chdir(HOME)


def _write(path: str, text: str) -> None:
    with contextlib.suppress(OSError):
        Path(path).write_text(text)


def _furnish(environment: Environment, uid: int) -> None:
    """One tmpfs of limited size is home, /tmp and /dev/shm; /proc shows this jail alone."""
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    size = environment.limits["scratch_bytes"]
    _mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, f"size={size},nr_inodes={INODES},mode=755")
    for name, target in (("home", HOME), ("tmp", "/tmp"), ("shm", "/dev/shm")):
        os.mkdir(f"/run/{name}", 0o700)
        if name == "home":
            lay(environment, Path("/run/home"), uid if environment.privileged else None)
        if environment.privileged:
            os.chown(f"/run/{name}", uid, uid)
        _mount(f"/run/{name}", target, None, MS_BIND)
    for name, folder in environment.datasets.items():
        if name in environment.withheld:  # an empty folder over it, which no one in the jail can lift
            _mount("tmpfs", folder, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k")
            continue
        _mount(folder, f"{HOME}/data/{name}", None, MS_BIND | MS_REC)  # read-only already, and locked so
    _mount("tmpfs", "/dev/pts", "tmpfs", MS_RDONLY | MS_NOSUID, "size=4k")
    _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV)


def lay(environment: Environment, home: Path, uid: int | None = None) -> None:
    """Lay the job's files beside the notebook, and a place for each data set.

    Raises
    ------
    ValueError
        If a path would leave the folder.
    """
    made: set[Path] = set()
    places = [home / "data" / name for name in environment.datasets]
    for name, data in {**environment.handed_in, **environment.files}.items():
        path = home / name
        if any(path == place or path in place.parents for place in places):
            continue  # no file stands where a data set goes
        if ".." in path.parts or home not in path.parents:
            raise ValueError(f"a file outside the notebook's folder: {name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        made |= {path, *path.parents}
    for name, folder in environment.datasets.items():
        place = home / "data" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if environment.sandbox:
            place.mkdir(exist_ok=True)
        elif not place.exists() and name not in environment.withheld:
            place.symlink_to(folder)
        made |= {place.parent}
    if uid is not None:
        for path in made:
            if home in path.parents:
                os.chown(path, uid, uid)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _raise_capabilities() -> None:
    """Make effective again what PR_SET_KEEPCAPS kept permitted across the change of user."""
    header, data = _Header(CAPABILITY_VERSION_3, 0), (_Data * 2)()
    _call("capget", ctypes.byref(header), data)
    for word in data:
        word.effective = word.permitted
    _call("capset", ctypes.byref(header), data)


def _drop_capabilities() -> None:
    """No capability, none to gain, and no set-user-ID program can give one."""
    for capability in range(ALL_CAPABILITIES):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    _libc.prctl(PR_CAP_AMBIENT, 4, 0, 0, 0)
    _call("capset", ctypes.byref(_Header(CAPABILITY_VERSION_3, 0)), (_Data * 2)())
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def set_limits(limits: Mapping[str, Any]) -> None:
    """Resource limits of one process: what the watchdog can not see in time.

    A lower priority and a session of its own leave the watchdog its share of a processor, whatever runs here.
    """
    with contextlib.suppress(OSError):
        os.setsid()
        os.nice(NICENESS)
    cpu = int(limits["cpu_seconds"]) + 5
    wanted = {
        "RLIMIT_CPU": cpu,
        "RLIMIT_FSIZE": int(limits["file_bytes"]),
        "RLIMIT_NPROC": int(limits["processes"]),
        "RLIMIT_NOFILE": 256,
        "RLIMIT_CORE": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_DATA": _data_bytes() + int(limits["memory_bytes"]),
    }
    for name, value in wanted.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (ceiling, ceiling))
    _write("/proc/self/oom_score_adj", "1000")


def _data_bytes() -> int:
    """Private writable memory this process already has (it came with the fork)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 2**32


def enter_unsandboxed(environment: Environment, home: str) -> None:
    """Without namespaces: a folder of its own and the limits that POSIX has."""
    lay(environment, Path(home))
    os.chdir(home)
    limits = dict(environment.limits)
    limits["processes"] = resource.getrlimit(resource.RLIMIT_NPROC)[
        0
    ]  # counts all of the user's processes here
    if limits["processes"] == resource.RLIM_INFINITY:
        limits["processes"] = 2**22
    set_limits(limits)


def kill(pid: int, environment: Environment, home: str | None) -> int | None:
    """End a jail: in the sandbox its first process takes all others with it.

    Returns
    -------
    int or None
        Wait status of the first process, which may have ended by itself before (None: not our child).
    """
    status = None
    for process in [pid] if environment.sandbox else watch.tree(pid):
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        status = os.waitpid(pid, 0)[1]
    if home:
        shutil.rmtree(home, ignore_errors=True)
    return status
