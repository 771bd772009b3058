"""`nbgrader autograde` with the engine: everybody is graded, nothing twice, and no kill or rival can hurt."""

import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from filelock import FileLock
from nbformat.v4 import new_code_cell, new_output
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory

from autograders import pool
from autograders.__main__ import main
from autograders.sandbox import SandboxUnavailable
from tests.grade.tiny import ANSWERS, ROOT, Course, as_bytes, cell, filled, find, released

FULL = {"test_double": 2, "test_seven": 3, "essay": None}
NOTHING = {"test_double": 0, "test_seven": 0, "essay": 0}

CLASS = {
    "right": ({"tiny.ipynb": as_bytes(filled())}, FULL),
    "odd-name": ({"tiny의 사본 (1).ipynb": as_bytes(filled())}, FULL),
    "nested": ({"my work/tiny.ipynb": as_bytes(filled())}, FULL),
    "half": ({"tiny.ipynb": as_bytes(filled(double="def double(x): return 2"))}, FULL | {"test_double": 0}),
    "syntax-error": (
        {"tiny.ipynb": as_bytes(filled(double="def double(x: retrun"))},
        FULL | {"test_double": 0},
    ),
    "blank": ({"tiny.ipynb": as_bytes(released())}, NOTHING),
    "html": ({"tiny.ipynb": b"<!DOCTYPE html>"}, NOTHING),
    "empty": ({"tiny.ipynb": b""}, NOTHING),
    "no-notebook": ({"report.pdf": b"%PDF"}, NOTHING),
    "bad-timestamp": ({"tiny.ipynb": as_bytes(filled()), "timestamp.txt": b"yesterday"}, FULL),
    "dead-kernel": (
        {"tiny.ipynb": as_bytes(filled(seven="import os\nseven = 7\nos._exit(0)"))},
        FULL | {"test_seven": 0},
    ),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    course = Course(tmp_path_factory.mktemp("class") / "course")
    for student, (files, _) in CLASS.items():
        for name, data in files.items():
            course.hand_in(student, data, name)
    course.grade()
    return course


@pytest.mark.parametrize("student", CLASS)
def test_each_submission_gets_its_score(graded, student):
    assert graded.scores()[student] == CLASS[student][1]


def test_who_cannot_be_read_is_told_why(graded):
    with graded.gradebook() as book:
        notebook = book.find_submission_notebook("tiny", "tiny", "html")
        score = notebook.score
    assert score == 0
    assert "HTML" in graded.graded("html").cells[0].source


def test_points_are_those_of_the_source(graded):
    with graded.gradebook() as book:
        assert book.find_submission("tiny", "right").max_score == 10


def test_what_is_unchanged_is_not_run_again(graded):
    before = {p: p.stat().st_mtime_ns for p in graded.root.glob("autograded/*/tiny/tiny.ipynb")}
    graded.grade()
    assert {p: p.stat().st_mtime_ns for p in graded.root.glob("autograded/*/tiny/tiny.ipynb")} == before


@pytest.fixture
def course(tmp_path):
    made = Course(tmp_path / "course")
    made.hand_in("a", filled())
    return made


def test_a_changed_file_is_graded_again_without_a_timestamp(course):
    course.hand_in("a", filled(seven="seven = 8"))
    course.grade()
    assert course.scores()["a"]["test_seven"] == 0
    course.hand_in("a", filled())
    course.grade()
    assert course.scores()["a"]["test_seven"] == 3


def test_force_runs_what_is_unchanged(course):
    course.grade()
    path = course.root / "autograded/a/tiny/tiny.ipynb"
    before = path.stat().st_mtime_ns
    course.grade(force=True)
    assert path.stat().st_mtime_ns > before


def test_a_changed_test_in_the_source_reaches_what_was_graded_before(course):
    course.grade()
    path = course.root / "source/tiny/tiny.ipynb"
    nb = nbformat.read(path, 4)
    find(nb, "test_seven").source = "assert seven == 8, '여덟입니다.'"
    nbformat.write(nb, path)
    course.grade()
    assert course.scores()["a"]["test_seven"] == 0


def test_a_question_that_the_gradebook_does_not_know_is_refused_with_the_command_to_run(course, caplog):
    path = course.root / "source/tiny/tiny.ipynb"
    nb = nbformat.read(path, 4)
    find(nb, "test_seven").metadata.nbgrader.points = 4
    nbformat.write(nb, path)
    with pytest.raises(NbGraderException, match=r"test_seven.*generate_assignment tiny"):
        course.grade()


def test_marks_given_by_hand_survive(course):
    course.grade()
    with course.gradebook() as book:
        book.find_grade("essay", "tiny", "tiny", "a").manual_score = 4
        book.find_grade("test_double", "tiny", "tiny", "a").manual_score = 1
        book.find_comment("essay", "tiny", "tiny", "a").manual_comment = "좋습니다."
        book.db.commit()
    course.grade(force=True)
    with course.gradebook() as book:
        assert book.find_submission("tiny", "a").score == 4 + 1 + 3
        assert book.find_grade("essay", "tiny", "tiny", "a").needs_manual_grade
        assert book.find_comment("essay", "tiny", "tiny", "a").comment == "좋습니다."


def test_a_late_submission_is_known_as_late(course):
    (course.root / "submitted/a/tiny/timestamp.txt").write_text("2026-03-02 00:00:00 UTC")
    with course.gradebook() as book:
        book.update_or_create_assignment("tiny", duedate="2026-03-01 00:00:00 UTC")
    course.grade()
    with course.gradebook() as book:
        assert book.find_submission("tiny", "a").total_seconds_late == 24 * 3600


def test_no_link_leads_out_of_a_submission(course):
    (course.root / "submitted/a/tiny/notes.txt").symlink_to(course.root / "gradebook.db")
    course.grade()
    assert not (course.root / "autograded/a/tiny/notes.txt").exists()
    assert course.scores()["a"] == FULL


def test_files_of_the_source_are_there_for_the_run_and_never_go_to_students(course):
    (course.root / "source/tiny/answer.txt").write_text("7")
    course.hand_in("a", b"8", "answer.txt")
    course.hand_in("a", filled(seven="seven = int(open('answer.txt').read())"))
    course.grade()
    assert course.scores()["a"] == FULL
    assert (course.root / "autograded/a/tiny/answer.txt").read_text() == "8"


def test_the_api_that_formgrader_calls_uses_the_engine(course):
    parts = course.parts()
    course.hand_in("a", filled(), "tiny (2).ipynb")
    (course.root / "submitted/a/tiny/tiny.ipynb").unlink()
    api = NbGraderAPI(CourseDirectory(config=parts["config"]), config=parts["config"])
    result = api.autograde("tiny", "a")
    assert result["success"], result
    assert course.scores()["a"] == FULL


def test_a_failure_of_the_machine_costs_one_student_one_run_and_nobody_a_mark(course, monkeypatch):
    course.hand_in("b", filled())
    submit = pool.LocalPool.submit

    def failing(self, job):
        if job.name == "a":
            raise OSError("no space left on device")
        return submit(self, job)

    monkeypatch.setattr(pool.LocalPool, "submit", failing)
    with pytest.raises(NbGraderException):
        course.grade()
    assert course.scores()["b"] == FULL
    monkeypatch.undo()
    course.grade()
    assert course.scores()["a"] == FULL


def test_what_a_declared_cell_printed_reaches_the_test_and_the_cell_is_not_run_again(course):
    path = course.root / "source/tiny/tiny.ipynb"
    nb = nbformat.read(path, 4)
    nb.cells[1].source += "\nsaved_output = {}"
    nb.cells.insert(7, cell(new_code_cell, "print(seven)\nran_again = True", "show"))
    nb.cells[7].metadata["cnnbook"] = {"keep_output": 100}
    find(nb, "test_seven").source = (
        "assert 'show' in saved_output, '저장된 출력이 없습니다. 손으로 채점합니다.'\n"
        "assert saved_output['show'] == '7\\n' and 'ran_again' not in globals()"
    )
    nbformat.write(nb, path)
    release = GenerateAssignment(**course.parts())
    release.force = True
    release.start()
    submission = nbformat.read(course.root / "release/tiny/tiny.ipynb", 4)
    for grade_id, answer in ANSWERS.items():
        find(submission, grade_id).source = answer
    course.hand_in("without", submission)
    find(submission, "show").outputs = [new_output("stream", name="stdout", text="7\n")]
    course.hand_in("with", submission)
    course.grade()
    assert {s: course.scores()[s]["test_seven"] for s in ("with", "without")} == {"with": 3, "without": 0}


# Refusals


def test_a_second_grader_is_refused_and_told_why(course):
    with (
        FileLock(course.root / "gradebook.db.lock"),
        pytest.raises(NbGraderException, match="Another autograde"),
    ):
        course.grade()
    assert course.scores() == {}


@pytest.fixture
def no_sandbox(monkeypatch):
    class Server(pool.ForkServer):
        def start(self):
            if self.sandbox:
                raise SandboxUnavailable("namespaces are switched off", "switch them on")
            super().start()

    monkeypatch.setattr(pool, "ForkServer", Server)
    pool.drop_pools()
    yield
    pool.drop_pools()


def test_without_a_sandbox_nothing_is_graded(course, no_sandbox):
    with pytest.raises(NbGraderException, match=r"switched off(.|\n)*unsandboxed = True"):
        course.grade()
    assert course.scores() == {}


def test_without_a_sandbox_the_configuration_may_ask_to_go_on(course, no_sandbox, caplog):
    course.grade(unsandboxed=True)
    assert course.scores()["a"] == FULL
    assert "WITHOUT a sandbox" in caplog.text


# The command line, as instructors use it


def command(course, *words, **options):
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path}
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=course.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def test_killed_at_any_moment_and_started_again_the_gradebook_is_the_same(tmp_path):
    students = 12
    course = Course(tmp_path / "killed")
    for i in range(students):
        right = {} if i % 2 else {"seven": "seven = 0"}
        course.hand_in(f"s{i:02}", filled(double=f"def double(x): return x * 2  # {i}", **right))
    calm = tmp_path / "calm"
    shutil.copytree(course.root, calm)

    for done in (0, 5):  # killed when so many have been graded, wherever the next one stands
        grader = command(course, "nbgrader", "autograde", "tiny")
        deadline = time.monotonic() + 120
        while len(list(course.root.glob("autograded/*/tiny/tiny.ipynb"))) <= done:
            assert grader.poll() is None and time.monotonic() < deadline, grader.communicate()[0]
            time.sleep(0.005)
        grader.send_signal(signal.SIGKILL)
        grader.communicate()
    # What a kill in the middle of a write leaves: half a notebook, and a folder without one.
    half = course.root / "autograded/s00/tiny/tiny.ipynb"
    os.chmod(half, 0o644)
    half.write_text(half.read_text()[:100])
    course.grade()

    undisturbed = Course(calm)
    undisturbed.grade()
    assert course.dump() == undisturbed.dump()
    assert len(course.scores()) == students


def test_the_command_grades_and_explains(course, capsys, monkeypatch):
    course.hand_in("2026000001", filled(double="def double(x): return 2"))
    grader = command(course, "autograders", "grade", "tiny", "--student", "2026000001", "--jobs", "1")
    output, _ = grader.communicate(timeout=120)
    assert grader.returncode == 0, output
    assert set(course.scores()) == {"2026000001"}

    monkeypatch.chdir(course.root)
    assert main(["explain", "2026000001", "tiny"]) == 0
    said = capsys.readouterr().out
    assert "큰 수에서도 되는지 보십시오." in said and "3점 / 10점" in said
    assert main(["explain", "nobody", "tiny"]) == 1
    assert "nbgrader autograde tiny" in capsys.readouterr().err


def test_the_graded_notebook_carries_its_record(graded):
    record = graded.graded("dead-kernel").metadata["autograders"]
    assert record["stopped"] and record["key"]
