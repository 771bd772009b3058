"""What a reader does with a quiz."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Option, Question, Quiz


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(
        Quiz(
            Question(
                "출력의 한 변은 몇 칸입니까?",
                [Option("2칸", "하나 모자랍니다."), Option("3칸", "맞게 셌습니다.", right=True)],
            ),
            Question(
                "`w`는 어떤 모양입니까?",
                [
                    Option("3×3", "커널입니다.", right=True),
                    Option("9", "펼쳤습니다."),
                    Option("1", "합입니다."),
                ],
            ),
            link_key="quiz",
        )
    )


def score(page: Page) -> str:
    return page.locator(".cnn-score").inner_text()


def test_a_wrong_answer_is_explained_and_can_be_mended(page):
    page.get_by_label("2칸").check()
    expect(page.get_by_text("하나 모자랍니다.")).to_be_hidden()  # choosing is not yet answering
    page.get_by_role("button", name="확인").first.click()
    expect(page.locator(".cnn-why", has_text="하나 모자랍니다.")).to_contain_text("아닙니다.")
    expect(page.locator(".cnn-why", has_text="맞게 셌습니다.")).to_be_hidden()
    assert score(page) == "2문제 가운데 0문제를 맞혔습니다."
    page.get_by_label("3칸").check()
    page.get_by_role("button", name="확인").first.click()
    assert score(page) == "2문제 가운데 1문제를 맞혔습니다."


def test_by_keyboard_alone_arrows_choose_and_enter_answers(page):
    page.get_by_label("3×3").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("펼쳤습니다.")).to_be_hidden()  # passing over an option reveals nothing
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator(".cnn [role=status]")).to_have_text(
        "맞습니다. 커널입니다. 2문제 가운데 1문제를 맞혔습니다."
    )


def test_every_explanation_can_be_read_once_the_answer_is_right(page):
    page.get_by_label("3×3").check()
    page.get_by_role("button", name="확인").nth(1).click()
    page.get_by_role("button", name="모든 보기의 설명").click()
    for words in ("커널입니다.", "펼쳤습니다.", "합입니다."):
        expect(page.locator(".cnn-why", has_text=words)).to_be_visible()


def test_checking_without_a_choice_says_what_to_do(page):
    page.get_by_role("button", name="확인").first.click()
    expect(page.locator(".cnn [role=status]")).to_have_text("보기를 하나 고르십시오.")
    expect(page.get_by_label("2칸")).to_be_focused()
    assert score(page).startswith("보기를 고르고")


def test_answers_are_remembered_in_this_browser_until_started_again(page):
    page.get_by_label("3칸").check()
    page.get_by_role("button", name="확인").first.click()
    page.reload()
    expect(page.get_by_label("3칸")).to_be_checked()
    assert score(page) == "2문제 가운데 1문제를 맞혔습니다."
    page.get_by_role("button", name="다시 풀기").click()
    expect(page.get_by_label("3칸")).not_to_be_checked()
    page.reload()
    page.locator(".cnn").wait_for()
    assert score(page).startswith("보기를 고르고")


def test_a_question_is_read_with_its_options(page):
    expect(page.get_by_role("group", name="1번 문제 출력의 한 변은 몇 칸입니까?")).to_have_count(1)
    assert page.locator(".cnn legend code").inner_text() == "w"


MATHJAX = Path(__file__).parents[2] / "vendor" / "mathjax" / "tex-chtml.js"
# As Sphinx sets it up: only what is marked is typeset.
SPHINX = (
    "<script>MathJax = { options: { ignoreHtmlClass: '.*', processHtmlClass: 'mathjax_process' } }</script>"
)
NOW = f'<script src="{MATHJAX.as_uri()}"></script>'


@pytest.mark.parametrize("first", ["MathJax", "quiz"])
def test_formulas_are_set_whichever_is_ready_first(first, demo_page):
    options = [Option("$x^2$", "맞습니다.", right=True), Option("2", "아닙니다.")]
    page = demo_page(
        Quiz(Question("$3 \\times 3$ 커널?", options)), page={"head": SPHINX + NOW * (first == "MathJax")}
    )
    if first == "quiz":
        page.add_script_tag(url=MATHJAX.as_uri())
    expect(page.locator(".cnn-quiz mjx-container")).to_have_count(2)
    assert page.locator(".cnn-quiz mjx-merror").count() == 0
