"""Mending takes every answer that can be found, and never raises."""

import copy
import json
import unicodedata

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograders.mend import Broken, mend, read
from autograders.submission import File, Submitted, choose, plain_name
from autograders.template import names_bound
from tests.grade.tiny import ANSWERS, as_bytes, cell, filled, find, released, source, template

TEMPLATE = template()


def mended(nb):
    return mend(TEMPLATE, read(nb if isinstance(nb, bytes) else as_bytes(nb)))


def answers(result):
    return {
        part.cell.metadata.nbgrader["grade_id"]: part.cell.source
        for part in result.cells
        if part.origin == "answer"
    }


def order(result):
    return [
        part.cell.metadata.get("nbgrader", {}).get("grade_id") or part.cell.source for part in result.cells
    ]


def text(result):
    return " / ".join(note.text for note in result.notes)


# Accidents after which every answer is found, each with a word of the note that tells of it


def as_colab_saves_it(nb):
    for i, one in enumerate(nb.cells):
        one.pop("id")
        one.metadata |= {"id": f"abcdefghij{i:02}", "outputId": "x", "executionInfo": {"status": "ok"}}
    nb.cells.insert(0, new_markdown_cell("badge", metadata={"id": "view-in-github", "colab_type": "text"}))
    nb.metadata = {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}, "widgets": {"x": {}}}
    nb.nbformat_minor = 0


def metadata_stripped(nb):
    for one in nb.cells:
        one.metadata, one.id = {}, "x"


def renamed(nb):
    find(nb, "double").metadata.nbgrader.grade_id = "double-copy"


def flags_flipped(nb):
    for one in nb.cells:
        if "nbgrader" in one.metadata:
            one.metadata.nbgrader |= {"grade": False, "solution": False, "locked": True}


def turned_to_markdown(nb):
    one = find(nb, "double")
    one.cell_type = "markdown"
    del one["outputs"], one["execution_count"]


def a_test_cell_deleted(nb):
    nb.cells.remove(find(nb, "test_double"))


def a_test_cell_edited(nb):
    find(nb, "test_double").source = "assert True"


def a_test_cell_duplicated(nb):
    nb.cells.append(copy.deepcopy(find(nb, "test_double")))


def reordered(nb):
    nb.cells.reverse()


def old_format(nb):
    converted = nbformat.convert(nbformat.from_dict(nb), 3)
    nb.clear()
    nb.update(converted)


def untouched_copy_below(nb):
    nb.cells.append(find(released(), "double"))


def tagged(nb):
    for one in nb.cells:
        one.metadata["tags"] = ["skip-execution", "raises-exception"]


ACCIDENTS = {
    as_colab_saves_it: "",
    metadata_stripped: "칸의 내용과 자리로 찾았습니다",
    renamed: "이 과제에 없는 문제 번호(double-copy)",
    flags_flipped: "",
    turned_to_markdown: "글 칸으로",
    a_test_cell_deleted: "지워져 있어",
    a_test_cell_edited: "배포한 것과 달라",
    a_test_cell_duplicated: "",
    reordered: "",
    old_format: "",
    untouched_copy_below: "",
    tagged: "",
}


@pytest.mark.parametrize("accident", ACCIDENTS, ids=lambda accident: accident.__name__)
def test_every_answer_is_found_after(accident):
    nb = filled()
    accident(nb)
    result = mended(nb)
    assert answers(result) == ANSWERS
    assert ACCIDENTS[accident] in text(result)
    assert bool(result.notes) == bool(ACCIDENTS[accident])


@pytest.mark.parametrize("accident", ACCIDENTS, ids=lambda accident: accident.__name__)
def test_tests_and_given_cells_come_from_the_source_after(accident):
    nb = filled()
    accident(nb)
    kept = [part.cell.source for part in mended(nb).cells if part.origin in ("test", "given")]
    assert kept == [
        one.source for one in TEMPLATE.cells if not one.metadata.get("nbgrader", {}).get("solution")
    ]


def test_the_metadata_of_a_submission_has_no_say():
    nb = filled()
    tagged(nb)
    find(nb, "test_double").metadata.nbgrader.points = 100
    points = [part.cell.metadata for part in mended(nb).cells if part.origin == "test"]
    assert [meta.nbgrader.points for meta in points] == [2, 3]
    assert not any("tags" in part.cell.metadata for part in mended(nb).cells)


# Several cells for one answer


def test_of_touched_copies_all_run_and_the_last_is_the_answer():
    nb = filled(double="def double(x): return 3 * x")
    again = copy.deepcopy(find(nb, "double"))
    again.source = "def double(x): return 2 * x"
    nb.cells.append(again)
    result = mended(nb)
    assert answers(result)["double"] == "def double(x): return 2 * x"
    names = order(result)
    assert names.index("def double(x): return 3 * x") == names.index("double") - 1
    assert "같은 답안 칸이 2개" in text(result)


def test_both_halves_of_a_split_cell_run_in_order():
    nb = filled(double="half = 2")
    second = copy.deepcopy(find(nb, "double"))
    second.source = "def double(x): return half * x"
    nb.cells.insert(nb.cells.index(find(nb, "double")) + 1, second)
    names = order(mended(nb))
    assert names[names.index("double") - 1 : names.index("double") + 2] == [
        "half = 2",
        "double",
        "test_double",
    ]


@pytest.mark.parametrize("first_half_keeps_the_id", [True, False])
def test_a_half_without_metadata_keeps_its_place(first_half_keeps_the_id):
    first, second = "half = 2", "def double(x): return half * x"
    nb = filled(double=first if first_half_keeps_the_id else second)
    place = nb.cells.index(find(nb, "double"))
    if first_half_keeps_the_id:
        nb.cells.insert(place + 1, new_code_cell(second))
    else:
        nb.cells.insert(place, new_code_cell(first))
    sources = [part.cell.source for part in mended(nb).cells]
    assert sources.index(first) + 1 == sources.index(second) < sources.index(TEMPLATE.cells[4].source)


def test_an_answer_with_another_answers_id_is_told_by_what_it_defines():
    nb = filled()
    find(nb, "seven").metadata.nbgrader.grade_id = "double"
    assert answers(mended(nb)) == ANSWERS


def test_an_answer_written_into_the_test_cell_is_run_as_the_students():
    nb = filled(double="")
    find(nb, "test_double").source = ANSWERS["double"] + "\n" + find(nb, "test_double").source
    result = mended(nb)
    place = order(result).index("test_double")
    assert ANSWERS["double"] in result.cells[place - 1].cell.source
    assert (result.cells[place - 1].origin, result.cells[place].origin) == ("extra", "test")
    assert "채점 칸에 쓴 코드" in text(result)


# Cells the student added


def test_extra_cells_keep_their_place():
    nb = filled()
    nb.cells.insert(0, new_code_cell("start = 1"))
    nb.cells.insert(nb.cells.index(find(nb, "double")), new_code_cell("def helper(): return 2"))
    nb.cells.append(new_code_cell("end = 1"))
    names = order(mended(nb))
    assert names[0] == "start = 1" and names[-1] == "end = 1"
    assert names.index("def helper(): return 2") == names.index("double") - 1


def test_an_edited_given_cell_runs_after_the_original():
    nb = filled()
    nb.cells[1].source = "import math\nscale = 2"
    names = order(mended(nb))
    assert names.index("import math\nscale = 1") + 1 == names.index("import math\nscale = 2")


def test_a_missing_answer_becomes_the_stub_and_is_told():
    nb = filled()
    nb.cells.remove(find(nb, "double"))
    result = mended(nb)
    assert answers(result)["double"] == TEMPLATE.released[3]
    assert [n.grade_id for n in result.notes if "답안 칸을 찾지 못했습니다" in n.text] == ["double"]


def test_an_older_release_is_graded_as_the_present_one_and_told():
    nb = filled()
    find(nb, "double").metadata.nbgrader.checksum = "0" * 32
    nb.cells.append(cell(new_code_cell, "gone = 1", "removed-question", solution=True))
    result = mended(nb)
    assert answers(result) == ANSWERS and order(result)[-1] == "gone = 1"
    assert "예전에 배포한 문제" in text(result) and "removed-question" in text(result)


# Saved output that travels


def keeping(limit=100, printed="1 2 3"):
    nb = source()
    show = cell(new_code_cell, "print(predictions)", "show")
    show.metadata["cnnbook"] = {"keep_output": limit}
    nb.cells.insert(4, show)
    kept_template = type(TEMPLATE).of(nb)
    submission = copy.deepcopy(nb)
    find(submission, "show").outputs = [
        {"output_type": "stream", "name": "stdout", "text": printed},
        {"output_type": "stream", "name": "stderr", "text": "warning"},
        {"output_type": "display_data", "data": {"text/html": "<script>"}, "metadata": {}},
    ]
    return mend(kept_template, read(as_bytes(submission)))


def saved(result):
    return next(p.saved_output for p in result.cells if p.saved_output is not None)


def test_what_a_declared_cell_printed_is_kept():
    assert saved(keeping()) == "1 2 3"


@pytest.mark.parametrize(
    ("limit", "printed", "word"), [(4, "1 2 3", "한도"), (100, "", "저장되어 있지 않습니다")]
)
def test_output_that_is_too_long_or_missing_is_told(limit, printed, word):
    result = keeping(limit, printed)
    assert saved(result) == "" and word in text(result)


# Files that are no notebook, or half of one

BROKEN = {
    b"": "빈 파일",
    b" \n": "빈 파일",
    b"<!DOCTYPE html><html></html>": "HTML",
    b"[1, 2]": "형식이 아닙니다",
    b"{}": "형식이 아닙니다",
    b'{"cells": []}': "칸이 하나도",
    b'{"cells": 3}': "형식이 아닙니다",
    b"PK\x03\x04rest": "압축",
    b"%PDF-1.7": "PDF",
    b"\x00\xff\xfe\x80" * 50: "읽을 수 없",
    b"[" * 100_000: "깊",
    b"print('hello')": "형식이 아닙니다",
}


@pytest.mark.parametrize("data", BROKEN, ids=lambda data: repr(data[:12]))
def test_a_file_without_cells_is_broken_with_a_reason(data):
    submission = read(data)
    assert isinstance(submission, Broken) and BROKEN[data] in submission.reason
    result = mend(TEMPLATE, submission)
    assert result.broken == submission.reason == result.notes[0].text


def test_a_truncated_file_gives_the_cells_before_the_cut():
    whole = as_bytes(filled())
    result = mended(whole[: whole.index(b"test_double")])
    assert answers(result)["double"] == ANSWERS["double"]
    assert answers(result)["seven"] == TEMPLATE.released[6]
    assert "손상되어" in text(result)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_other_encodings_are_read(encoding):
    data = json.dumps(filled(), ensure_ascii=False).encode(encoding)
    assert answers(mended(data)) == ANSWERS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
CELL = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw", "x"]) | JSON,
        "source": st.text(max_size=30) | JSON,
        "metadata": st.fixed_dictionaries(
            {
                "nbgrader": st.fixed_dictionaries(
                    {"grade_id": st.sampled_from(["double", "seven", "test_double"])}
                )
            }
        )
        | JSON,
        "outputs": JSON,
        "id": JSON,
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(CELL, max_size=8))
def test_no_notebook_makes_mending_fail(cells):
    result = mended(json.dumps({"cells": cells, "nbformat": 4}).encode())
    kept = [part.cell for part in result.cells if part.origin != "extra"]
    ids = [one.metadata.get("nbgrader", {}).get("grade_id") for one in kept]
    assert ids == [one.metadata.get("nbgrader", {}).get("grade_id") for one in TEMPLATE.cells]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.integers(0, 3000).map(lambda n: as_bytes(filled())[:n]))
def test_no_bytes_make_reading_fail(data):
    assert isinstance(read(data), Broken | Submitted)


# Which file is meant


@pytest.mark.parametrize(
    "name",
    [
        "tiny.ipynb",
        "tiny (1).ipynb",
        "Copy of tiny.ipynb",
        "tiny의 사본.ipynb",
        unicodedata.normalize("NFD", "tiny의 사본 (2).ipynb"),
        "tiny - 복사본.ipynb",
        "tiny-Copy1.ipynb",
        "tiny.ipynb.txt",
        "tiny.json",
    ],
)
def test_copy_marks_are_seen_through(name):
    assert plain_name(name) == "tiny"


IDS = ("double", "seven", "essay", "test_double", "test_seven")


def chosen(*files):
    return choose("tiny", files, IDS, TEMPLATE.released)


GOOD, BLANK = as_bytes(filled()), as_bytes(released())
CHOICES = {
    "only one": [File("a.ipynb", GOOD)],
    "readable": [File("a.ipynb", GOOD), File("tiny.ipynb", b"<html>", 9e9)],
    "of this assignment": [
        File("a.ipynb", GOOD),
        File("b.ipynb", as_bytes({"cells": [{"cell_type": "raw"}]}), 9e9),
    ],
    "answered": [File("a.ipynb", GOOD), File("tiny.ipynb", BLANK, 9e9)],
    "newest": [File("a.ipynb", GOOD, 100), File("tiny.ipynb", GOOD, 50)],
    "exact name": [File("tiny.ipynb", GOOD), File("tiny (3).ipynb", GOOD)],
    "highest copy": [File("tiny (2).ipynb", GOOD), File("tiny (1).ipynb", GOOD)],
}


@pytest.mark.parametrize("files", CHOICES.values(), ids=CHOICES)
def test_the_file_that_is_graded_is(files):
    best, remark = chosen(*reversed(files))
    assert best is files[0]
    assert (len(files) > 1) == ("노트북이 2개" in (remark or ""))


def test_names_bound_are_those_of_the_top_level():
    assert names_bound("import a\n%time x\nb: int = 1\nc, (d, e) = f\nclass G:\n  h = 1") == set("bcdeG")
    assert names_bound("def broken(") == frozenset()
