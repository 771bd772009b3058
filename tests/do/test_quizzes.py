"""The three quizzes: balanced, every misconception explained, the right option told on demand."""

import re
from collections import Counter

import pytest
from nbformat import writes
from nbgrader.utils import is_solution

from autograders import sample
from autograders.banks import load
from autograders.class_generator import Submission
from autograders.feedback import right_options
from tools import gate

QUIZZES = {"quiz_convolution": 12, "quiz_models": 16, "quiz_transfer": 8}
OPTION = re.compile(r"^- ([①-④]) (.+)$", re.MULTILINE)


@pytest.fixture(params=QUIZZES)
def quiz(request):
    """Each quiz by name."""
    return request.param


@pytest.fixture
def source(quiz, source_of):
    """Its instructor's notebook."""
    return source_of(quiz)


def options_of(source, cell):
    """The options that the text above a solution cell offers."""
    return dict(OPTION.findall(next(c.source for c in source.cells if c.id == f"{cell}-text")))


def test_right_positions_are_balanced(quiz, source):
    positions = Counter(right_options(source).values())
    assert positions == dict.fromkeys("①②③④", QUIZZES[quiz] // 4)


def test_every_option_is_offered_and_every_wrong_one_is_a_misconception(quiz, source):
    right = right_options(source)
    for question in load(quiz):
        if question.test not in right:
            continue  # the bonus question asks for numbers
        options = options_of(source, question.cell)
        chosen = {re.search(r'"([①-④])"', text)[1] for text in question.wrong.values()}
        assert list(options) == list("①②③④")
        assert len(set(options.values())) == 4
        assert chosen == set(options) - {right[question.test]}


def test_explanations_fit_the_option_and_never_name_the_right_one(quiz, source, run_answers):
    right = right_options(source)
    cells = {c.metadata.nbgrader["grade_id"]: c for c in source.cells if is_solution(c)}
    said = []
    for question in load(quiz):
        if question.test not in right:
            continue
        own = cells[question.cell].source
        answer = options_of(source, question.cell)[right[question.test]]
        for text in question.wrong.values():
            cells[question.cell].source = text
            message = str(run_answers(source, source)[question.test])
            chosen = re.search(r'"([①-④])"', text)[1]
            assert message.startswith(f"고른 답은 {chosen}입니다. ")
            explanation = message.split("입니다. ", 1)[1]
            assert right[question.test] not in message
            assert answer not in explanation
            said.append(explanation)
        cells[question.cell].source = own
    assert len(set(said)) == len(said)


@pytest.fixture
def course(tmp_path, release_of):
    """A graded course: one student who is right but for the first question of ``quiz_transfer``."""
    handed_in = gate._filled(
        release_of("quiz_transfer"),
        {q.cell: next(iter(q.right.values())) for q in load("quiz_transfer")}
        | {"definition": 'definition = "①"'},
    )
    student = Submission(
        "20261234", "김", "하늘", "one wrong", {"quiz_transfer.ipynb": writes(handed_in).encode()}, {}
    )
    sample._lay_out("quiz_transfer", [student], tmp_path)
    for command in ("generate_assignment", "autograde", "generate_feedback"):
        sample._nbgrader(tmp_path, command, "quiz_transfer")
    return tmp_path


def test_right_option_is_told_only_when_the_instructor_says_so(course):
    (page,) = course.glob("feedback/*/quiz_transfer/quiz_transfer.html")
    before = page.read_text("utf-8")
    assert "고른 답은 ①입니다. 그것은 데이터 증강입니다." in before
    assert "정답: " not in before
    with (course / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write('c.StudentView.reveal = ["quiz_transfer"]\n')
    sample._nbgrader(course, "generate_feedback", "quiz_transfer", "--force")
    assert re.findall("정답: [①-④]", page.read_text("utf-8")) == ["정답: ②"]
