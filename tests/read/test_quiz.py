"""The quiz: what an author may write, what it computes, and that the course's quizzes are fair."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
import traitlets

from cnnbook.demos import Option, Question, Quiz
from cnnbook.demos.quiz.quiz import _markup
from tests.demo_harness import in_node

ROOT = Path(__file__).parents[2]
RIGHT, WRONG, OTHER = (
    Option("3", "맞게 셌습니다.", right=True),
    Option("2", "하나 모자랍니다."),
    Option("5", "다 셌습니다."),
)


def quiz() -> Quiz:
    return Quiz(Question("가?", [RIGHT, WRONG]), Question("나?", [WRONG, OTHER, RIGHT], code="x = 1"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([RIGHT], "2 to 6 options; it has 1"),
        ([WRONG, OTHER], "exactly one option with right=True; it has 0"),
        ([RIGHT, Option("4", "왜냐하면", right=True)], "it has 2"),
        ([RIGHT, WRONG, Option("2 ", "또")], "two options that read the same"),
    ],
)
def test_a_question_needs_options_that_make_sense(options, message):
    with pytest.raises(ValueError, match=message):
        Question("몇입니까?", options)


@pytest.mark.parametrize("words", [("", "까닭"), ("답", " "), ("답", None)])
def test_every_option_needs_a_text_and_an_explanation(words):
    with pytest.raises(ValueError, match="must be text that says something"):
        Option(*words)


def test_options_and_questions_are_told_from_other_things():
    with pytest.raises(TypeError, match="must be Option"):
        Question("몇입니까?", ["하나", "둘"])
    with pytest.raises(TypeError, match="takes Question objects; got str"):
        Quiz("몇입니까?")
    with pytest.raises(ValueError, match="at least one Question"):
        Quiz()


def test_answers_are_checked_and_scored():
    asked = quiz()
    assert (asked.right_positions, asked.score) == ([0, 2], 0)
    asked.answers = [0, 1]
    assert asked.score == 1
    with pytest.raises(traitlets.TraitError, match="answers"):
        asked.answers = [0, 3]
    with pytest.raises(traitlets.TraitError, match="answers"):
        asked.answers = [0]


def test_score_in_the_page_is_pythons():
    asked = quiz()
    cases = [[a, b] for a in (-1, 0, 1) for b in (-1, 0, 1, 2)]
    scores = in_node(Quiz, "(m, c) => m.score(c.q, c.a)", [{"q": asked.questions, "a": a} for a in cases])
    assert scores == [(a == 0) + (b == 2) for a, b in cases]


TEXTS = [
    "보통 글입니다.", "`H_out`은 3입니다.", "H~out~과 x^2^", "3 ~ 5칸, 2^10", "`a~b~`", "a < b & c > d",
    "$x^2$와 `<b>`", "5^2^개의 `w`",
]  # fmt: skip


def test_both_sides_read_the_markup_alike():
    tags = {"code": "code", "sub": "sub", "sup": "sup"}

    def html(kind: str, text: str) -> str:
        safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return (
            f"${safe}$"
            if kind == "formula"
            else f"<{tags[kind]}>{safe}</{tags[kind]}>"
            if kind in tags
            else safe
        )

    in_page = ["".join(html(*p) for p in pieces) for pieces in in_node(Quiz, "(m, s) => m.pieces(s)", TEXTS)]
    assert in_page == [_markup(text) for text in TEXTS]


def test_kept_answers_belong_to_their_questions():
    one, two = quiz().questions, Quiz(Question("다?", [RIGHT, WRONG])).questions
    names = in_node(Quiz, "(m, q) => m.fingerprint(q)", [one, two, one])
    assert names[0] == names[2] != names[1]


def test_without_scripts_the_answers_are_folded():
    page = quiz().static_html()
    assert page.count("<details>") == 2
    assert page.count("하나 모자랍니다.") == 2


# ------------------------------------------------------------------------------- the course's own quizzes


def quizzes_of(page: Path) -> list[Quiz]:
    """Every quiz that a page shows: its ``Quiz(...)`` calls, taken out of the page's code and run."""
    found = []
    for cell in re.findall(r"^```\{code-cell\}.*?\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
        source = "\n".join(line for line in cell.splitlines() if not re.match(r":\w|---$|[%!]", line))
        if "Quiz(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Quiz":
                names = {"Quiz": Quiz, "Question": Question, "Option": Option}
                found.append(eval(compile(ast.Expression(node), str(page), "eval"), names))
    return found


PAGES = sorted(p for p in (ROOT / "chapters").rglob("*.md") if "appendix" not in p.parts)
IDS = [str(p.relative_to(ROOT)) for p in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_a_page_ends_with_a_quiz_of_three_to_five_questions(page):
    (asked,) = quizzes_of(page)
    assert 3 <= len(asked.questions) <= 5


def all_questions() -> list[dict]:
    return [q for page in PAGES for asked in quizzes_of(page) for q in asked.questions]


def test_right_answers_stand_at_every_position():
    places = Counter(q["right"] for q in all_questions())
    total = sum(places.values())
    if total >= 3:
        assert max(places.values()) <= max(2, 0.45 * total), (
            f"a reader could guess by position: {dict(places)}"
        )


def test_right_answers_are_not_given_away_by_their_length():
    asked = all_questions()
    longest = [
        q
        for q in asked
        if all(
            len(q["options"][q["right"]]["text"]) > len(o["text"])
            for i, o in enumerate(q["options"])
            if i != q["right"]
        )
    ]
    assert len(longest) <= max(2, 0.5 * len(asked)), [q["text"] for q in longest]
