"""A job runs like a notebook, within its limits, and never takes the server with it."""

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from autograders.forkserver import ForkServer
from autograders.inside import watch
from autograders.job import MIB, Cell, Job, Result
from tests.grade.conftest import SMALL

GOOD = "def f(x):\n    return x + 1"
CHECK = "test: assert f(1) == 2"


def limits(**changed):
    return replace(SMALL, **changed)


class TestLikeANotebook:
    def test_shows_streams_values_figures_and_errors(self, notebook):
        ran = notebook(
            "import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint('out again')\n6 * 7",
            "import matplotlib.pyplot as plt\nplt.plot([1, 2]);\nplt.show()",
            "1 / 0",
            "'still here'",
        )
        kinds = [(output["output_type"], output.get("name")) for output in ran[0].outputs]
        assert kinds == [
            ("stream", "stdout"),
            ("stream", "stderr"),
            ("stream", "stdout"),
            ("execute_result", None),
        ]
        assert "image/png" in ran[1].outputs[0]["data"]
        assert ran.error(2) == "ZeroDivisionError: division by zero"
        assert ran.text(3) == "'still here'"

    def test_knows_magics_shell_lines_and_await(self, notebook):
        ran = notebook(
            "%matplotlib inline\n!echo shell\n!false\n%cd -q /tmp",
            "import asyncio\nawait asyncio.sleep(0)\n'awaited'",
            "from IPython.display import display\ndisplay({'a': 1})",
            "%%time\nsum(range(10))",
        )
        assert all(ran.passed(i) for i in range(4))
        assert ran.text(0) == "shell"
        assert ran.text(1) == "'awaited'"
        assert ran[2].outputs[0]["output_type"] == "display_data"
        assert "Wall time" in ran.text(3)

    def test_goes_past_what_only_colab_has(self, notebook):
        ran = notebook(
            """
            from google.colab import drive, files
            import google.colab, math
            drive.mount("/content/drive")
            uploaded = files.upload()
            google.colab.output.clear()
            def f(x): return math.floor(x) + len(uploaded) + 1
            """,
            CHECK,
            "try:\n    import google.colab\nexcept ImportError:\n    print('not on Colab')",
            "%pip install -q nothing\n%cd /content/drive/MyDrive\n!nvidia-smi",
        )
        assert ran.passed(0)
        assert ran.passed(1)
        assert ran.text(2) == "not on Colab"
        assert ran.passed(3)

    @pytest.mark.parametrize(
        ("source", "error"),
        [("input()", "EOFError"), ("import sys; sys.exit(3)", "SystemExit"), ("exit()", "")],
    )
    def test_goes_on_after(self, notebook, source, error):
        ran = notebook(source, GOOD, CHECK)
        assert ran.error(0).startswith(error)
        assert ran.passed(2)

    def test_lays_files_and_data_sets_beside_it(self, notebook, tmp_path):
        (tmp_path / "numbers.txt").write_text("1 2 3")
        tmp_path.chmod(0o755)
        ran = notebook(
            "import helper\nopen('data/small/numbers.txt').read() + open('sub/a.txt').read() + helper.word",
            "open('data/small/numbers.txt', 'w')",
            "open('mine.txt', 'w').write('x')",
            files={"helper.py": b"word = 'help'", "sub/a.txt": b" a "},
            handed_in={"data": b"stands where a folder goes"},
            datasets={"small": str(tmp_path)},
        )
        assert ran.text(0) == "'1 2 3 a help'"
        assert "Read-only" in ran.error(1)
        assert ran.passed(2)

    def test_lays_what_the_student_handed_in_for_the_student_alone(self, notebook):
        ran = notebook(
            "open('ours.txt').read(), open('theirs.txt').read()",
            "test: import os\nassert os.listdir() == ['ours.txt'] and open('ours.txt').read() == 'a'",
            files={"ours.txt": b"a"},
            handed_in={"ours.txt": b"b", "theirs.txt": b"c"},
        )
        assert ran.text(0) == "('a', 'c')"
        assert ran.passed(1), ran.error(1)

    def test_says_that_a_data_set_is_missing(self, notebook, tmp_path):
        with pytest.raises(FileNotFoundError, match="fetch it"):
            notebook("1", datasets={"none": str(tmp_path / "none")})

    def test_refuses_a_file_outside_the_folder(self, notebook):
        assert "outside" in notebook("1", files={"../escape.py": b""}).result.stopped

    def test_is_the_same_for_the_same_seed(self, notebook):
        draw = "import random, numpy as np, torch\n"
        draw += "random.random(), np.random.rand(), torch.rand(1).item(), hash('a')"
        first, same, other = (notebook(draw, seed=seed).text(0) for seed in (1, 1, 2))
        assert first == same != other

    def test_uses_one_thread(self, notebook):
        assert notebook("import torch\ntorch.get_num_threads()").text(0) == "1"


class TestLimits:
    def test_a_cell_that_hangs_costs_itself_alone(self, notebook):
        ran = notebook(
            GOOD, "x = 1\nimport time\nprint('before')\ntime.sleep(60)", CHECK, "test: assert x == 1",
            limits=limits(cell_seconds=2),
        )  # fmt: skip
        assert (
            ran.error(1)
            == "시간 제한: 칸 2에서 시간 제한 2초를 넘었습니다"
            == "시간 제한: " + ran.result.stopped
        )
        assert ran.text(1) == "before"
        assert ran.passed(2)
        assert ran.passed(3), "an interrupt keeps what the cell had done"

    def test_a_cell_that_swallows_interrupts_is_killed_and_the_others_run_again(self, notebook):
        stubborn = """
            import time
            while True:
                try:
                    time.sleep(60)
                except BaseException:
                    print("never")
        """
        ran = notebook(
            GOOD, stubborn, CHECK, "y = f(2)", "test: assert y == 3", limits=limits(cell_seconds=2)
        )
        assert "시간 제한 2초" in ran.error(1)
        assert all(ran.passed(i) for i in (2, 3, 4))

    def test_a_function_that_hangs_costs_its_test_alone(self, notebook):
        hang = "import time\ndef h(x):\n    time.sleep(60)"
        ran = notebook(GOOD, hang, "test: assert h(1) == 1", CHECK, limits=limits(cell_seconds=2))
        assert "시간 제한 2초" in ran.error(2)
        assert ran.passed(3)

    def test_the_whole_notebook_has_a_limit_and_tests_before_it_stay(self, notebook):
        nap = "import time\ntime.sleep(2)"
        ran = notebook(GOOD, CHECK, nap, nap, nap, nap, CHECK, limits=limits(notebook_seconds=5))
        assert ran.passed(1)
        assert not ran[6].ran
        assert ran.error(6) == "시간 제한: 노트북 전체가 시간 제한 5초를 넘었습니다"

    def test_processor_time_has_a_limit(self, notebook):
        ran = notebook("while True:\n    sum(range(1000))", CHECK, limits=limits(cpu_seconds=1))
        assert "CPU 시간 제한 1초" in ran.error(0)
        assert "CPU 시간 제한 1초" in ran.error(1)

    def test_memory_that_is_asked_for_is_refused(self, notebook):
        ran = notebook("import torch\ntorch.ones(30 * 2**30 // 4)", GOOD, CHECK)
        assert "allocate" in ran.error(0)
        assert ran.passed(2)

    @pytest.mark.parametrize(
        "source",
        [
            "import os, time\nfor i in range(8):\n    if os.fork() == 0:\n        b = b'1' * 2**27\n"
            "        time.sleep(60)\ntime.sleep(60)",
            "import os, time\nfor i in range(60):\n    os.write(os.memfd_create('m'), bytes(2**24 - 1))\n"
            "time.sleep(60)",
        ],
        ids=["in many processes", "in nameless files"],
    )
    def test_memory_that_is_taken_is_counted(self, notebook, source):
        ran = notebook(GOOD, source, CHECK)
        assert "메모리 제한 256 MiB" in ran.error(1)
        assert ran.passed(2)
        assert ran.result.peak_bytes > 256 * MIB

    def test_what_the_student_does_behind_a_test_does_not_disturb_it(self, notebook):
        behind = """
            import os, time
            for _ in range(2):
                if os.fork() == 0:
                    time.sleep(0.5)
                    block = b"1" * (200 * 2**20)
                    time.sleep(60)
        """
        waiting = """test:
            import time
            for _ in range(16):
                time.sleep(0.5)
                f(1)
        """
        ran = notebook(GOOD, behind, waiting, CHECK)
        assert "메모리 제한" in ran.error(2)
        assert ran.passed(3)

    def test_memory_is_counted_while_a_test_sends_what_nobody_reads(self, notebook):
        busy = """
            import json, os, stat, time
            def forge(kind, payload=b""):
                for number in range(3, 30):
                    try:
                        if stat.S_ISSOCK(os.fstat(number).st_mode):
                            os.write(number, len(payload).to_bytes(4, "big") + kind + payload)
                    except OSError:
                        pass
            head = json.dumps([{"dict": [["value", {"ref": [1, 0, "f", True]}]]}, []]).encode()
            forge(b"C")  # says that this cell is done, answers a test's first request, and reads no other
            time.sleep(0.5)
            forge(b"R", len(head).to_bytes(4, "big") + head)
            time.sleep(0.5)
            for _ in range(3):
                if os.fork() == 0:
                    block = bytearray(b"1") * 2**27
                    time.sleep(60)
            time.sleep(60)
        """
        ran = notebook(busy, "test: import torch\nf(torch.zeros(2**21))", GOOD, CHECK)
        assert "메모리 제한" in ran.error(1)
        assert all(cell.outputs or cell.ran for cell in ran.result.cells), "every cell has its outcome"

    @pytest.mark.parametrize("caught", [False, True])
    def test_a_fork_bomb_ends(self, notebook, caught):
        bomb = (
            "while True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
            if caught
            else "while True: os.fork()"
        )
        ran = notebook(GOOD, "import os\n" + bomb, CHECK, limits=limits(memory_bytes=2**30))
        assert "프로세스 수 제한 40개" in ran.error(1)
        assert ran.passed(2)

    def test_the_disk_ends(self, notebook):
        fill = "for i in range(100):\n    open(f'f{i}', 'wb').write(bytes(2**23))"
        ran = notebook(GOOD, fill, "open('big', 'wb').write(bytes(2**25))", CHECK)
        assert "No space left" in ran.error(1)
        assert ran.error(2)
        assert ran.passed(3)

    def test_a_flood_of_output_is_cut_and_says_so(self, notebook):
        ran = notebook(
            "for i in range(3000):\n    print('x' * 100_000)",
            "import os\nos.write(1, bytes(10**7))",
            GOOD,
            CHECK,
        )
        assert len(ran.text(0)) < 2 * SMALL.output_bytes
        assert "출력이 50,000바이트를 넘어" in ran.text(0)
        assert ran.passed(3)
        assert ran.result.peak_bytes < 64 * MIB

    @pytest.mark.parametrize(
        ("source", "sign"),
        [("import os\nos._exit(3)", "종료 코드 3"), ("import ctypes\nctypes.string_at(0)", "SIGSEGV")],
    )
    def test_a_process_that_dies_starts_again(self, notebook, source, sign):
        ran = notebook(
            GOOD, source, CHECK, f"def h():\n    {source.replace(chr(10), '; ')}", "test: assert h()", CHECK
        )
        assert sign in ran.error(1)
        assert ran.passed(2)
        assert sign in ran.error(4)
        assert ran.passed(5)

    def test_what_is_left_running_ends_with_the_job(self, notebook, engine):
        ran = notebook(
            "import subprocess, threading, time\n"
            "subprocess.Popen(['sleep', '1234'], start_new_session=True)\n"
            "threading.Thread(target=time.sleep, args=(1234,)).start()",
            GOOD,
            CHECK,
        )
        assert ran.passed(2)
        (server,) = [s for key, s in engine._servers.items() if not key]
        assert _soon(lambda: not any("1234" in _command(pid) for pid in watch.tree(server._process.pid)))

    def test_frames_forged_on_the_socket_harm_only_the_forger(self, notebook):
        forge = """
            import os
            for descriptor in range(3, 10):
                try:
                    os.write(descriptor, bytes.fromhex({!r}))
                except OSError:
                    pass
        """
        for data in ("fffffff04f", "000000004f", "000000034f7b7d7d", "0000000143ff" * 20):
            ran = notebook(
                GOOD, CHECK, forge.format(data), "x = 1", limits=limits(cell_seconds=2, notebook_seconds=20)
            )
            assert ran.passed(1)
            assert len(ran.result.cells) == 4


class TestServer:
    def test_serves_many_threads_at_once(self, engine):
        answers: dict[int, str] = {}

        def work(number):
            job = Job(cells=(Cell("student", f"{number} * 10"),), limits=SMALL)
            answers[number] = engine.run(job).cells[0].outputs[0]["data"]["text/plain"]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert answers == {number: str(number * 10) for number in range(8)}

    def test_starts_again_after_its_death(self):
        job = Job(cells=(Cell("student", "import os, time\ntime.sleep(1)\n'done'"),), limits=SMALL)
        with ForkServer() as server:
            server.start()
            process = server._servers[()]._process
            results: list[Result] = []
            thread = threading.Thread(target=lambda: results.append(server.run(job)))
            thread.start()
            time.sleep(0.5)
            for pid in reversed(watch.tree(process.pid)):
                os.kill(pid, signal.SIGKILL)
            thread.join()
            assert results[0].cells[0].outputs[0]["data"]["text/plain"] == "'done'"

    def test_gives_a_result_when_a_supervisor_dies(self, engine):
        (server,) = [s for key, s in engine._servers.items() if not key]
        job = Job(
            cells=(Cell("student", "1"), Cell("student", "import time\ntime.sleep(30)"), Cell("test", "1"))
        )
        results: list[Result] = []
        thread = threading.Thread(target=lambda: results.append(engine.run(job)))
        thread.start()
        time.sleep(1)
        supervisor = _supervisors(server._process.pid)[-1]
        os.kill(supervisor, signal.SIGKILL)
        thread.join()
        assert [cell.ran for cell in results[0].cells] == [True, False, False]
        assert "감독 프로세스" in results[0].stopped
        assert _soon(lambda: not _supervisors(server._process.pid)), "its jails are gone too"

    def test_leaves_nothing_when_the_grader_closes_it(self):
        server = ForkServer()
        server.start()
        inner = server._servers[()]
        pids, folder = watch.tree(inner._process.pid), inner._folder
        server.close()
        assert not Path(folder).exists()
        assert _soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))

    def test_stays_small(self, engine):
        (server,) = [s for key, s in engine._servers.items() if not key]
        (pid,) = watch.tree(server._process.pid)[-1:]
        job = Job(cells=(Cell("student", "x = bytearray(2**27)"),), limits=SMALL)
        before = watch.usage(pid).memory_bytes
        for _ in range(10):
            engine.run(job)
        assert _soon(lambda: watch.usage(pid).memory_bytes < before + 8 * MIB)

    def test_runs_without_a_sandbox_when_told_to(self):
        with ForkServer(sandbox=False) as server:
            cells = (
                Cell("student", GOOD),
                Cell("student", "import os; os._exit(1)"),
                Cell("test", "assert f(1) == 2"),
            )
            result = server.run(Job(cells=cells, files={"a.txt": b"a"}))
            assert not result.cells[2].outputs
            assert "종료" in result.stopped


class TestJob:
    def test_survives_json(self):
        job = Job(
            cells=(Cell("test", "assert 가", "q1"),),
            files={"a": b"\x00\xff"},
            handed_in={"b": b""},
            limits=SMALL,
            seed=3,
        )
        assert Job.from_json(job.to_json()) == job

    def test_result_survives_json(self, notebook):
        result = notebook("1").result
        assert Result.from_json(result.to_json()) == result


def _soon(condition) -> bool:
    """Whether it comes true within ten seconds."""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def _command(pid) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _supervisors(bwrap) -> list[int]:
    """Children of the fork server, which is bubblewrap's grandchild."""
    inner = watch.tree(bwrap)
    server = next(pid for pid in inner if "inside.server" in _command(pid) and "bwrap" not in _command(pid))
    return [int(pid) for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split()]


@pytest.mark.parametrize(
    ("command", "said"),
    [("kill -9 $$", "signal 9"), ("exit 7", "code 7"), ("echo the reason >&2", "the reason")],
)
def test_a_server_that_does_not_start_says_how_it_ended(tmp_path, monkeypatch, command, said):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{command}\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    with pytest.raises(RuntimeError, match=said):
        ForkServer(sandbox=False).start()
