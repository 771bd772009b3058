"""PostgreSQL as the gradebook: a real server, in a folder of its own, as an ordinary user runs it."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory

from tests.grade.tiny import Course, filled

WHERE_DEBIAN_HAS_IT = "/usr/lib/postgresql"


def programs():
    """The folder of the server's programs."""
    found = [shutil.which("initdb"), *sorted(Path(WHERE_DEBIAN_HAS_IT).glob("*/bin/initdb"))]
    found = [path for path in found if path]
    assert found, "PostgreSQL is not installed: apt install postgresql"
    return Path(found[0]).resolve().parent


@pytest.fixture(scope="module")
def database():
    """The `db_url` of an empty database; the server refuses to be root, so root runs it as nobody."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    user = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(name, *words):
        with open(os.devnull) as nothing, open(folder / "said", "a+") as said:
            command = [programs() / name, "-D", folder / "data", *words]
            done = subprocess.run(command, cwd=folder, stdin=nothing, stdout=said, stderr=said, **user)
        assert done.returncode == 0, (folder / "said").read_text()

    try:
        run("initdb", "-U", "grader", "-A", "trust", "-E", "UTF8", "--no-sync")
        run("pg_ctl", "-w", "-o", f"-h 127.0.0.1 -p {port} -k {folder} -F", "start")
        try:
            yield f"postgresql+psycopg://grader@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class PostgresCourse(Course):
    """The tiny course with its gradebook in PostgreSQL, as an instructor configures it."""

    def __init__(self, root, database):
        super().__init__(root)
        (self.root / "gradebook.db").unlink()
        self.database = database
        with (self.root / "nbgrader_config.py").open("a") as config:
            config.write(f"c.CourseDirectory.db_url = {database!r}\n")

    def gradebook(self):
        return Gradebook(self.database, "cnnbook")


def test_a_class_is_released_graded_marked_by_hand_and_told_with_postgresql(database, tmp_path):
    course = PostgresCourse(tmp_path / "course", database)
    release = GenerateAssignment(**course.parts())
    release.force = True
    release.start()
    course.hand_in("right", filled())
    course.hand_in("wrong", filled(double="def double(x): return 2"))
    course.hand_in("html", b"<html>")
    course.grade()
    assert course.scores() == {
        "right": {"test_double": 2, "test_seven": 3, "essay": None},
        "wrong": {"test_double": 0, "test_seven": 3, "essay": None},
        "html": {"test_double": 0, "test_seven": 0, "essay": 0},
    }

    with course.gradebook() as book:
        book.find_grade("essay", "tiny", "tiny", "right").manual_score = 4
        book.db.commit()
    course.grade(force=True)
    parts = course.parts()
    api = NbGraderAPI(CourseDirectory(config=parts["config"]), config=parts["config"])
    right = next(s for s in api.get_submissions("tiny") if s["student"] == "right")
    assert right["score"] == 9

    GenerateFeedback(**course.parts()).start()
    assert (course.root / "feedback/right/tiny/tiny.html").exists()
    assert not (course.root / "gradebook.db").exists()
