"""Honest submissions to which something happened: lost metadata, odd files, other formats."""

import copy
import json
import os
import unicodedata

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.grade.suite.assignment import ANSWERS
from tests.grade.suite.case import FILE, Case, changed
from tests.grade.tiny import as_bytes, find


def edit(kind, lost="", note=""):
    """Make a case of a function that edits the notebook."""

    def make(function):
        name = function.__name__.replace("_", "-")
        CASES.append(Case(name, kind, lost=lost, note=note, edit=function))
        return function

    return make


def file(name, kind, data, lost="all", note=""):
    """Make a case of a file that is no notebook, or half of one."""
    make = data if callable(data) else lambda nb: data
    CASES.append(Case(name, kind, files=lambda nb: {FILE: make(nb)}, lost=lost, note=note))


def named(name, kind, filename, note="보고 채점했습니다"):
    """Make a case of a right notebook under another name."""
    CASES.append(Case(name, kind, files=lambda nb: {filename: as_bytes(nb)}, note=note))


CASES: list[Case] = []


# Cells that were copied, split, joined or lost


@edit("copied cells", note="같은 답안 칸이 2개")
def answer_copied_and_mended(nb):
    second = copy.deepcopy(find(nb, "conv2d"))
    find(nb, "conv2d").source = "def conv2d(x, w): return x"
    nb.cells.append(second)


@edit("copied cells")
def test_copied(nb):
    nb.cells += [copy.deepcopy(find(nb, "test_conv2d")), copy.deepcopy(find(nb, "test_size"))]


@edit("copied cells", note="같은 답안 칸이 2개")
def answer_split(nb):
    first = find(nb, "net")
    second = copy.deepcopy(first)
    head, tail = ANSWERS["net"].split("\n\n")
    first.source = "class Block(nn.Module):\n    pass\n\n" + head
    second.source = (
        "def forward(self, x):\n"
        + tail.split("\n", 1)[1].replace("        ", "    ")
        + "\nNet.forward = forward"
    )
    nb.cells.insert(nb.cells.index(first) + 1, second)


@edit("answers in odd places")
def two_answers_in_one_cell(nb):
    find(nb, "size").source += "\n\n" + find(nb, "conv2d").source
    find(nb, "conv2d").source = ""


@edit("answers in odd places", note="채점 칸에 쓴 코드")
def answer_in_the_test_cell(nb):
    find(nb, "test_size").source = find(nb, "size").source + "\n" + find(nb, "test_size").source
    find(nb, "size").source = ""


@edit("answers in odd places", note="칸의 내용과 자리로")
def answer_in_a_new_cell(nb):
    nb.cells.remove(find(nb, "size"))
    nb.cells.insert(2, new_code_cell(ANSWERS["size"]))


@edit("deleted cells", note="지워져 있어")
def tests_deleted(nb):
    nb.cells = [
        c for c in nb.cells if not c.metadata.get("nbgrader", {}).get("grade_id", "").startswith("test_")
    ]


@edit("deleted cells", note="지워져 있어")
def imports_deleted(nb):
    nb.cells.remove(find(nb, "imports"))


@edit("deleted cells", lost="net", note="답안 칸을 찾지 못했습니다")
def answer_deleted(nb):
    nb.cells.remove(find(nb, "net"))


@edit("cells of another kind", note="글 칸으로")
def code_became_markdown(nb):
    one = find(nb, "conv2d")
    one.cell_type = "markdown"
    del one["outputs"], one["execution_count"]


@edit("cells of another kind")
def essay_became_code(nb):
    one = find(nb, "essay")
    one.cell_type = "code"
    one |= {"outputs": [], "execution_count": None}


@edit("order")
def cells_reversed(nb):
    nb.cells.reverse()


@edit("order")
def tests_before_answers(nb):
    nb.cells.sort(key=lambda c: not c.metadata.get("nbgrader", {}).get("grade_id", "").startswith("test_"))


@edit("texts with pictures")
def picture_in_a_written_answer(nb):
    find(nb, "essay").source = "![그림](attachment:image.png)"
    find(nb, "essay").attachments = {"image.png": {"image/png": "iVBORw0KGgo="}}


@edit("texts with pictures")
def scripts_in_a_written_answer(nb):
    find(nb, "essay").source = "<script>alert(1)</script> ![그림](attachment:image.png)"
    find(nb, "essay").attachments = {"image.png": {"image/png": '"><script>alert(1)</script>'}, "x": []}


# Metadata


@edit("metadata", note="칸의 내용과 자리로")
def metadata_stripped(nb):
    for one in nb.cells:
        one.metadata = {}
        one.pop("id", None)


@edit("metadata", note="이 과제에 없는 문제 번호(conv2d-1)")
def grade_id_renamed(nb):
    find(nb, "conv2d").metadata.nbgrader.grade_id = "conv2d-1"


@edit("metadata")
def flags_flipped(nb):
    for one in nb.cells:
        if "nbgrader" in one.metadata:
            one.metadata.nbgrader |= {"grade": False, "solution": False, "locked": True, "task": True}


@edit("strange metadata")
def metadata_of_other_types(nb):
    for one in nb.cells:
        if one.id.startswith("about"):
            one.metadata = {"nbgrader": ["grade_id"], "tags": 3, "colab": None}
    nb.metadata = {"kernelspec": [], "autograders": "x", "language_info": 7}


@edit("strange metadata", note="이 과제에 없는 문제 번호")
def markup_in_a_grade_id(nb):
    nb.cells.append(new_code_cell("1", metadata={"nbgrader": {"grade_id": "<img src=x onerror=alert(1)>"}}))


@edit("strange metadata", note="이 과제에 없는 문제 번호")
def surrogates_and_nul_in_a_grade_id(nb):
    nb.cells.append(new_code_cell("1", metadata={"nbgrader": {"grade_id": "\ud800\x00" + "x" * 10_000}}))


@edit("another release", note="예전에 배포한 문제")
def older_release(nb):
    find(nb, "conv2d").metadata.nbgrader.checksum = "0" * 32
    find(nb, "test_conv2d").source = "assert conv2d is not None"
    nb.cells.append(new_code_cell("gone = 1", metadata={"nbgrader": {"grade_id": "gone", "solution": True}}))


@edit("another release", lost="all")
def another_assignment(nb):
    nb.cells = [
        new_markdown_cell("# 다른 과제"),
        new_code_cell("def pool(x): return x"),
        new_code_cell("pool(1)"),
    ]


# Notebooks as other programs save them


@edit("Colab")
def saved_by_colab(nb):
    for i, one in enumerate(nb.cells):
        one.pop("id")
        one.metadata |= {"id": f"abcdefghij{i:02}", "outputId": "x", "executionInfo": {"status": "ok"}}
    badge = {"id": "view-in-github", "colab_type": "text"}
    nb.cells.insert(0, {"cell_type": "markdown", "source": "[badge]", "metadata": badge})
    nb.metadata = {"colab": {"provenance": [], "gpuType": "T4"}, "accelerator": "GPU", "widgets": {"x": {}}}
    nb.metadata["kernelspec"] = {"name": "julia-1.9", "display_name": "Julia"}
    nb.nbformat_minor = 0


CASES.append(
    Case(
        "colab-imports",
        "Colab",
        before="""
    from google.colab import drive, files
    drive.mount('/content/drive')
    %cd /content/drive/MyDrive/과제
    !pip install -q torchinfo
    !nvidia-smi
    from google.colab.patches import cv2_imshow
""",
    )
)
CASES.append(Case("gpu-only", "Colab", {"train": ANSWERS["train"] + "\nnet = nn.Linear(2, 1).cuda()"}))


def in_nbformat_3(nb):
    return {FILE: json.dumps(nbformat.convert(nbformat.from_dict(nb), 3)).encode()}


CASES.append(Case("nbformat-3", "formats", files=in_nbformat_3))


@edit("formats")
def cells_of_lines(nb):
    for one in nb.cells:
        one.source = one.source.splitlines(keepends=True)
    nb.nbformat, nb.nbformat_minor = 5, 99


@edit("formats")
def fields_missing(nb):
    for one in nb.cells:
        for key in ("id", "outputs", "execution_count"):
            one.pop(key, None)
    nb.cells += [{"cell_type": "code"}, {"source": "x"}, None, 3]
    nb.pop("metadata")


file("byte-order-mark", "encodings", lambda nb: b"\xef\xbb\xbf" + as_bytes(nb), lost="")
file("utf-16", "encodings", lambda nb: as_bytes(nb).decode().encode("utf-16"), lost="")
file("cp949", "encodings", lambda nb: as_bytes(nb).decode().encode("cp949"), lost="")
CASES.append(Case("crlf", "line ends", {name: text.replace("\n", "\r\n") for name, text in ANSWERS.items()}))
CASES.append(Case("cr", "line ends", {"size": ANSWERS["size"].replace("\n", "\r")}))
CASES.append(
    Case(
        "lone-surrogates",
        "line ends",
        edit=lambda nb: nb.cells.append(new_code_cell("# \ud83d\nx = '\udfff'")),
    )
)


# Files


file("empty", "no notebook", b"", note="빈 파일")
file("html", "no notebook", b"<!DOCTYPE html><title>Colab</title>", note="HTML")
file("json-list", "no notebook", b"[1, 2, 3]", note="형식이 아닙니다")
file("zip", "another file", b"PK\x03\x04" + bytes(100), note="압축")
file("python-script", "another file", ANSWERS["conv2d"].encode(), note="형식이 아닙니다")
file("no-cells", "another file", b'{"cells": [], "nbformat": 4}', note="칸이 하나도")
file(
    "truncated",
    "damaged",
    lambda nb: as_bytes(nb)[: as_bytes(nb).index(b"test_gradient")],
    lost="train choice",
    note="손상되어",
)
file("two-glued", "damaged", lambda nb: as_bytes(nb) + as_bytes(nb), lost="", note="손상되어")
file("deep-json", "damaged", b'{"cells": ' + b"[" * 100_000, note="깊")
file("wide-json", "a size that fills memory", b'{"cells": [' + b"[]," * 4_000_000 + b"[]]}", note="너무")
CASES.append(Case("huge-outputs", "a size that fills memory", edit=lambda nb: find(nb, "net").update(
    outputs=[{"output_type": "stream", "name": "stdout", "text": "가" * 5_000_000}])))  # fmt: skip
CASES.append(Case("many-cells", "a size that fills memory", edit=lambda nb: nb.cells.extend(
    new_code_cell(f"extra_{i} = {i}") for i in range(800))))  # fmt: skip
named("copy-of-colab", "file names", "suite의 사본 (1).ipynb")
named("decomposed-korean", "file names", unicodedata.normalize("NFD", "내 과제/suite의 사본.ipynb"))
named("no-utf-8-name", "file names", os.fsdecode("제출.ipynb".encode("cp949")))
named("disguised", "odd suffixes", "suite.ipynb.txt")
named("markup-in-the-name", "odd suffixes", "<img src=x onerror=alert(1)>.ipynb")
CASES.append(
    Case(
        "no-notebook",
        "odd suffixes",
        files=lambda nb: {"report.pdf": b"%PDF"},
        lost="all",
        note="노트북(.ipynb)이 없습니다",
    )
)
CASES.append(Case("two-attempts", "several files", files=lambda nb: {
    "suite.ipynb": as_bytes(nb), "suite (1).ipynb": b"{", "__MACOSX/._suite.ipynb": b"\x00\x05"}, note="노트북이 2개"))  # fmt: skip
CASES.append(Case("names-of-the-grader", "several files", files=lambda nb: {
    FILE: as_bytes(nb), "data": b"", "timestamp.txt": b"yesterday", "\n\t'\".csv": b"1", "__init__.py": b"1/0"}))  # fmt: skip
CASES.append(Case("unzipped-images", "several files", files=lambda nb: {
    FILE: as_bytes(nb), **{f"images/{i}.png": b"" for i in range(6000)}}))  # fmt: skip


# Answers that are wrong, or right with noise


CASES += [
    Case("untouched", "nothing answered", {name: "" for name in ANSWERS if name != "choice"}, "all",
         edit=changed("choice", 'answer = "선택"  # @param ["선택", "①", "②", "③"]')),
    Case("half", "nothing answered", {"conv2d": "", "net": "pass"}, "conv2d net", note="conv2d"),
    Case("syntax-error", "mistakes", {"conv2d": "def conv2d(x, w)\n    retrun x"}, "conv2d", note="conv2d"),
    Case("without-stride", "answers in part", {"size": ANSWERS["size"].replace("// stride", "// 1")}, scores={"size": 1}),
    Case("without-padding", "answers in part", {"size": ANSWERS["size"].replace("+ 2 * padding ", "")}, scores={"size": 1}),
    Case("bfloat16", "mistakes", {"conv2d": "def conv2d(x, w): return F.conv2d(x.bfloat16(), w.bfloat16())"}, "conv2d"),
    Case("warnings", "noise", {"conv2d": ANSWERS["conv2d"] + """
import sys, warnings
quiet = conv2d
def conv2d(x, w):
    warnings.warn("deprecated")
    print("UserWarning: something", file=sys.stderr)
    return quiet(x, w)
"""}),
    Case("error-in-an-extra-cell", "noise", before="1 / 0\nraise SystemExit"),
    Case("own-tests", "noise", edit=lambda nb: nb.cells.append(new_code_cell("assert conv2d is None, '내 검사'\ndel Net"))),
]  # fmt: skip

ACCIDENTS = CASES
