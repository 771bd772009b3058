"""Archives of LMSs come in, whoever made them, and nobody is lost."""

import io
import os
import tarfile
import unicodedata
import zipfile
from datetime import UTC, datetime

import pytest
from nbgrader.apps import ZipCollectApp

from autograders import archives
from autograders.collect import collect, identify
from tests.grade.tiny import Course, as_bytes, filled, released

NOTEBOOK, OTHER = as_bytes(filled()), as_bytes(released())


def zipped(files, time=(2026, 3, 1, 12, 0, 0)):
    """Return a zip of name -> content, or of name -> (content, time)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            content, when = content if isinstance(content, tuple) else (content, time)
            archive.writestr(zipfile.ZipInfo(name, when), content)
    return buffer.getvalue()


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path / "course")


@pytest.fixture
def take(course, tmp_path):
    """Collect archives given as name -> bytes; return the exit status and what lies in submitted/."""

    def take(**files):
        paths = []
        for name, data in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_bytes(data)
            paths.append(path)
        status = collect(course.parts()["coursedir"], "tiny", paths)
        root = course.root / "submitted"
        found = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        return status, found

    return take


NAMES = {
    "홍길동_12345_assignsubmission_file_/tiny.ipynb": "홍길동_12345",
    "홍길동_12345_assignsubmission_file_tiny.ipynb": "홍길동_12345",
    "2026123456 홍길동_12345_assignsubmission_file_/tiny.ipynb": "2026123456",
    "honggildong_1234_567890_tiny-1.ipynb": "1234",
    "honggildong_LATE_1234_567890_tiny.ipynb": "1234",
    "hw1_2026123456_attempt_2026-03-01-15-00-00_tiny.ipynb": "2026123456",
    "2026123456_홍길동/tiny.ipynb": "2026123456",
    "홍길동(2026123456)_tiny (1).ipynb": "2026123456",
    "tiny_2026123456.ipynb": "2026123456",
    "홍길동/tiny.ipynb": "홍길동",
    "홍길동/work/tiny.ipynb": "홍길동",
    unicodedata.normalize("NFD", "홍길동/tiny.ipynb"): "홍길동",
    "tiny.ipynb": None,
}


@pytest.mark.parametrize("path", NAMES)
def test_the_student_is_read_from(path):
    hand = identify(path)
    assert (hand and hand.student_id) == NAMES[path]


def test_the_time_of_an_attempt_is_read_from_its_name():
    hand = identify("hw1_2026123456_attempt_2026-03-01-15-00-00_tiny.ipynb")
    assert hand.time == datetime(2026, 3, 1, 15).astimezone(UTC)


def test_a_pattern_of_ones_own_comes_first():
    assert identify("a-7-tiny.ipynb", r"\w+-(?P<student_id>\d)-(?P<file_id>.+)").student_id == "7"


@pytest.mark.parametrize("student", ["../../etc", "a/..", "*", "[a-z]", ".."])
def test_no_student_name_leads_out_of_submitted(student):
    hand = identify(f"{student}|x", r"(?P<student_id>[^|]+)\|(?P<file_id>.*)")
    assert hand is None or (not set(hand.student_id) & set("/\\*?[]") and ".." not in hand.student_id[:2])


def test_a_class_is_collected_under_the_notebooks_own_name(take):
    status, found = take(
        moodle__zip=zipped(
            {
                "가_1_assignsubmission_file_/tiny.ipynb": NOTEBOOK,
                "나_2_assignsubmission_file_/Copy of tiny.ipynb": NOTEBOOK,
                "다_3_assignsubmission_file_/" + unicodedata.normalize("NFD", "tiny의 사본.ipynb"): NOTEBOOK,
                "라_4_assignsubmission_file_/homework.ipynb.txt": NOTEBOOK,
                "__MACOSX/._tiny.ipynb": b"x",
            }
        )
    )
    assert status == 0
    assert found == {f"{name}/tiny/tiny.ipynb": NOTEBOOK for name in ("가_1", "나_2", "다_3", "라_4")}


def test_archives_in_archives_are_opened(take):
    inner = zipped({"work/tiny.ipynb": NOTEBOOK})
    _, found = take(all__zip=zipped({"2026000001 홍길동.zip": inner, "2026000002.zip": inner}))
    assert set(found) == {"2026000001/tiny/tiny.ipynb", "2026000002/tiny/tiny.ipynb"}


def test_a_folder_that_holds_the_class_is_no_student(take):
    _, found = take(all__zip=zipped({"class1/kim/tiny.ipynb": NOTEBOOK, "class1/lee/tiny.ipynb": NOTEBOOK}))
    assert set(found) == {"kim/tiny/tiny.ipynb", "lee/tiny/tiny.ipynb"}


def test_a_tar_is_collected(take):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("kim/tiny.ipynb")
        info.size = len(NOTEBOOK)
        archive.addfile(info, io.BytesIO(NOTEBOOK))
        link = tarfile.TarInfo("lee/tiny.ipynb")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    status, found = take(class__tar__gz=buffer.getvalue())
    assert status == 1 and set(found) == {"kim/tiny/tiny.ipynb"}


def test_of_two_attempts_the_newest_is_taken_and_told(take, capsys):
    newer, older = (NOTEBOOK, (2026, 3, 1, 10, 0, 0)), (OTHER, (2026, 3, 1, 9, 0, 0))
    _, found = take(a__zip=zipped({"kim/tiny (1).ipynb": newer, "kim/tiny.ipynb": older}))
    assert found["kim/tiny/tiny.ipynb"] == NOTEBOOK
    assert "kim: 2 attempts" in capsys.readouterr().out


def test_a_newer_submission_stays_when_an_older_archive_comes(take):
    take(new__zip=zipped({"kim/tiny.ipynb": NOTEBOOK}, (2026, 3, 2, 0, 0, 0)))
    _, found = take(old__zip=zipped({"kim/tiny.ipynb": OTHER}, (2026, 3, 1, 0, 0, 0)))
    assert found["kim/tiny/tiny.ipynb"] == NOTEBOOK


def test_lateness_comes_from_the_lms_only(take):
    told = "hw_2026000001_attempt_2026-03-01-15-00-00_tiny.ipynb"
    _, found = take(a__zip=zipped({told: NOTEBOOK, "2026000002/tiny.ipynb": NOTEBOOK}))
    assert "2026000001/tiny/timestamp.txt" in found and "2026000002/tiny/timestamp.txt" not in found


def test_a_corrupt_archive_is_named_and_the_others_collected(take, capsys):
    good = zipped({"kim/tiny.ipynb": NOTEBOOK})
    status, found = take(bad__zip=good[: len(good) // 2], good__zip=good)
    assert status == 1 and "kim/tiny/tiny.ipynb" in found
    assert "bad.zip" in capsys.readouterr().err


def test_a_student_whose_archive_is_corrupt_is_not_lost(take):
    status, found = take(
        all__zip=zipped({"2026000001.zip": b"PK\x03\x04 no zip", "kim/tiny.ipynb": NOTEBOOK})
    )
    assert status == 1
    assert set(found) == {"2026000001/tiny/2026000001.zip", "kim/tiny/tiny.ipynb"}


def test_a_student_without_a_notebook_is_not_lost(take):
    _, found = take(
        all__zip=zipped({"kim/report.pdf": b"%PDF", "lee/tiny.ipynb": NOTEBOOK, "lee/notes.txt": b"-"})
    )
    assert set(found) == {"kim/tiny/report.pdf", "lee/tiny/tiny.ipynb"}


@pytest.mark.parametrize(
    "path", ["../../../evil.ipynb", "/etc/evil.ipynb", "..\\evil.ipynb", "C:\\evil.ipynb"]
)
def test_a_path_out_of_the_archive_is_refused(take, course, path):
    status, found = take(a__zip=zipped({path: NOTEBOOK, "kim/tiny.ipynb": NOTEBOOK}))
    assert status == 1 and set(found) == {"kim/tiny/tiny.ipynb"}
    assert not list(course.root.parent.rglob("evil*"))


def test_a_bomb_is_refused(take, monkeypatch, capsys):
    monkeypatch.setattr(archives, "MAX_BYTES", 1000)
    status, found = take(
        a__zip=zipped({"kim/tiny.ipynb": b"0" * 100_000, "lee/tiny.ipynb": b'{"cells": []}'})
    )
    assert status == 1 and "lee/tiny/tiny.ipynb" in found and "kim/tiny/tiny.ipynb" not in found
    assert "kim/tiny.ipynb" in capsys.readouterr().err


def test_an_unknown_assignment_is_said(course, capsys):
    assert collect(course.parts()["coursedir"], "tinny", []) == 1
    assert "tinny" in capsys.readouterr().err


def test_zip_collect_of_nbgrader_does_the_same(course, monkeypatch):
    folder = course.root / "downloaded/tiny/archive"
    folder.mkdir(parents=True)
    (folder / "class.zip").write_bytes(zipped({"2026000001_홍길동/tiny (2).ipynb": NOTEBOOK}))
    (folder / "bad.zip").write_bytes(b"PK no zip")
    monkeypatch.chdir(course.root)
    app = ZipCollectApp()
    app.initialize(["tiny"])
    app.start()
    assert (course.root / "submitted/2026000001/tiny/tiny.ipynb").read_bytes() == NOTEBOOK
    assert os.path.exists(course.root / "submitted/2026000001/tiny/timestamp.txt")
