"""The appendix that maps the lecture to the book: every page has its row, every question its number."""

import re

import nbformat
import pytest
import yaml

from tools.pages import ROOT

TEXT = (ROOT / "chapters" / "appendix" / "deck.md").read_text("utf-8")
ASSIGNMENTS = {
    "컨볼루션의 형태 퀴즈": "quiz_convolution",
    "CNN 모델 퀴즈": "quiz_models",
    "전이 학습 퀴즈": "quiz_transfer",
    "세어 보는 컨볼루션": "counting",
}
ROW = re.compile(rf"^\| (.+?) \| ({'|'.join(ASSIGNMENTS)}) \| (\d.+?) \|$", re.MULTILINE)


def pages():
    """Pages of the three parts, and of the lab between them, by their names in the table of contents."""
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))["parts"]
    names = [chapter["file"] for part in parts for chapter in part["chapters"]]
    return [name.removeprefix("chapters/") for name in names if "/appendix/" not in name]


def test_the_fifteen_questions_of_the_lecture_have_a_row():
    assert len({asked for asked, _, _ in ROW.findall(TEXT)}) == 15


@pytest.mark.parametrize(("asked", "assignment", "heading"), ROW.findall(TEXT))
def test_a_question_stands_where_its_row_says(asked, assignment, heading):
    name = ASSIGNMENTS[assignment]
    notebook = nbformat.read(ROOT / "release" / name / f"{name}.ipynb", 4)
    headings = [cell.source.splitlines()[0].split("(")[0] for cell in notebook.cells if cell.source]
    assert f"### {heading}" in headings


def test_every_page_has_a_row():
    linked = set(re.findall(r"\{doc\}`\.\./([\w/]+)`", TEXT))
    extra = {"models/comparison", "models/inside"}  # the book's own
    assert set(pages()) - extra == linked
