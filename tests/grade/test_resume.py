"""Killed in the worst moments of a submission and started again, grading ends as if nothing had happened.

`test_plugin.py` kills at moments of the clock; here each kill hits one point between two writes.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograders.forkserver import ForkServer
from tests.grade.tiny import ROOT, Course, filled

POINTS = {
    "registered, not run": "after(plugin.EngineAutograde, 'init_assignment')",
    "run, not marked": "before(plugin.SaveGrades, 'preprocess')",
    "marked, not committed": "uncommitted(plugin.SaveGrades, 'preprocess')",
    "marks committed, penalties not looked at": "before(plugin.AssignLatePenalties, 'preprocess')",
    "marks committed, notebook not written": "before(plugin.EngineAutograde, 'write_single_notebook')",
    "half a notebook written": "halve(plugin.EngineAutograde, 'write_single_notebook')",
}
DRIVER = """
import os, signal, sys
from nbgrader.apps import NbGraderApp
from sqlalchemy.orm import Session
from autograders import plugin

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def second(owner, name, deed):
    inner, calls = getattr(owner, name), []
    def method(*arguments, **words):
        calls.append(1)
        return deed(inner, *arguments, **words) if len(calls) == 2 else inner(*arguments, **words)
    setattr(owner, name, method)

def before(owner, name):
    second(owner, name, lambda inner, *arguments, **words: die())

def after(owner, name):
    second(owner, name, lambda inner, *arguments, **words: (inner(*arguments, **words), die()))

def uncommitted(owner, name):
    def deed(inner, *arguments, **words):
        def flush_and_die(session):
            if session.dirty:
                session.flush()
                die()
            commit(session)
        commit, Session.commit = Session.commit, flush_and_die
        inner(*arguments, **words)
    second(owner, name, deed)

def halve(owner, name):
    second(owner, name, lambda inner, self, text, more: (inner(self, text[:len(text) // 2], more), die()))

{point}
NbGraderApp.launch_instance(["autograde", "tiny"])
"""


@pytest.fixture(scope="module")
def regraded(tmp_path_factory):
    """A graded class with a mark by hand, of which everybody has handed in again."""
    course = Course(tmp_path_factory.mktemp("class") / "course")
    for student in "abc":
        path = course.hand_in(student, filled(seven="seven = 0"))
        path.with_name("timestamp.txt").write_text("2026-03-02 00:00:00 UTC")
    with course.gradebook() as book:
        book.update_or_create_assignment("tiny", duedate="2026-03-01 00:00:00 UTC")
    course.grade()
    with course.gradebook() as book:
        book.find_grade("essay", "tiny", "tiny", "b").manual_score = 4
        book.find_grade("test_seven", "tiny", "tiny", "b").manual_score = 1
        book.db.commit()
    for student in "abc":
        course.hand_in(student, filled(double="def double(x): return 2"))
    return course


@pytest.fixture(scope="module")
def calm(regraded, tmp_path_factory):
    """The gradebook of an undisturbed run."""
    course = copied(regraded, tmp_path_factory.mktemp("calm"))
    course.grade()
    return course.dump()


def copied(course, folder):
    shutil.copytree(course.root, folder / "course")
    return Course(folder / "course")


def run(course, point, **environment):
    return subprocess.run(
        [sys.executable, "-c", DRIVER.format(point=point)],
        cwd=course.root,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_and_started_again_the_gradebook_is_the_same(regraded, calm, tmp_path, point):
    course = copied(regraded, tmp_path)
    old = course.dump()
    killed = run(course, POINTS[point])
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert course.dump() not in (old, calm)  # it was in the middle of the class

    first = course.root / "autograded/a/tiny/tiny.ipynb"
    before = first.stat().st_mtime_ns
    course.grade()
    assert course.dump() == calm
    assert first.stat().st_mtime_ns == before  # who was done is not run again


def test_a_killed_grader_leaves_nothing_running_and_the_next_start_cleans_up(regraded, tmp_path, monkeypatch):
    course = copied(regraded, tmp_path)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    run(course, POINTS["run, not marked"], TMPDIR=str(scratch))
    (left,) = scratch.glob("grader-*")
    end = time.monotonic() + 30  # a process that has been killed takes a moment to end
    while running := [p for p in Path("/proc").glob("[0-9]*/fd/2") if links_to(p, left / "stderr")]:
        assert time.monotonic() < end, running
        time.sleep(0.1)

    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    os.utime(left, (0, 0))
    with ForkServer() as server:
        server.start()
        (own,) = scratch.glob("grader-*")
        os.utime(own, (0, 0))
        assert own != left
        with ForkServer() as other:
            other.start()
            assert own.exists()  # a living grader's folder stays
    assert not list(scratch.glob("grader-*"))


def links_to(link, path):
    try:
        return os.readlink(link) == str(path)
    except OSError:
        return False
