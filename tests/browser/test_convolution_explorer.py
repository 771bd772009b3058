"""What a reader does with the ConvolutionExplorer, by mouse and by keyboard alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import ConvolutionExplorer


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(ConvolutionExplorer(link_key="explorer"))


def cells(page: Page, name: str):
    return page.get_by_role("grid", name=re.compile(f"^{name}")).get_by_role("gridcell")


def output(page: Page) -> list[str]:
    return cells(page, "출력").all_inner_texts()


def spoken(page: Page):
    return page.locator(".cnn [role=status]")


def test_it_opens_on_the_lectures_numbers(page):
    assert output(page) == ["12", "12", "17", "10", "17", "19", "9", "6", "14"]
    assert page.locator(".cnn-sum").inner_text() == "0 + 3 + 4 + 0 + 0 + 0 + 0 + 1 + 4 = 12"


def test_editing_a_kernel_value_changes_every_output_that_uses_it(page):
    middle = cells(page, "커널").nth(4).locator("input")
    middle.fill("3")
    middle.press("Enter")
    # The middle of the kernel meets the inner 3×3 of the input: each output grows by one of its values.
    inner = [0, 1, 3, 1, 2, 2, 0, 0, 2]
    assert output(page) == [
        str(v + d) for v, d in zip([12, 12, 17, 10, 17, 19, 9, 6, 14], inner, strict=True)
    ]
    expect(cells(page, "커널").nth(7).locator("input")).to_be_focused()  # Enter goes one row down


def test_what_is_not_a_number_is_put_back_and_said(page):
    first = cells(page, "입력").first.locator("input")
    first.fill("셋")
    first.press("ArrowRight")
    expect(first).to_have_value("3")
    expect(spoken(page)).to_contain_text("숫자를 넣으십시오")
    assert output(page)[0] == "12"


def test_escape_takes_an_edit_back(page):
    first = cells(page, "입력").first.locator("input")
    first.press_sequentially("77")
    first.press("Escape")
    expect(first).to_have_value("3")


def test_by_keyboard_alone_one_can_pad_step_and_copy(page):
    page.get_by_label("패딩").focus()
    page.keyboard.press("ArrowRight")
    assert len(output(page)) == 25
    expect(spoken(page)).to_have_text("출력, 세로 5칸 가로 5칸")
    page.get_by_role("button", name="다음 칸").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect(spoken(page)).to_have_text(re.compile("^출력 1행 3열은"))
    bar = page.get_by_role("slider", name="순서")
    bar.focus()
    page.keyboard.press("End")
    assert bar.get_attribute("aria-valuetext") == "25 / 25"


def test_padding_is_a_picture_not_a_walk(page):
    page.get_by_label("패딩").fill("2")
    assert page.locator(".cnn-pad").count() == 9 * 9 - 25
    assert page.locator(".cnn-pad").first.evaluate("e => !!e.closest('[aria-hidden=true]')")
    assert cells(page, "입력").count() == 25
    assert "둘레에 0을 2겹 둘렀습니다" in page.get_by_role("grid", name=re.compile("^입력")).get_attribute(
        "aria-label"
    )


def test_no_output_is_said_and_shown_and_undone(page):
    page.get_by_label("팽창").fill("3")
    expect(spoken(page)).to_contain_text("출력이 없습니다")
    expect(page.get_by_text("출력이 없습니다").first).to_be_visible()
    assert page.get_by_role("grid", name=re.compile("^출력")).count() == 0
    expect(page.get_by_role("group", name="한 칸씩 보기")).to_be_hidden()
    page.get_by_role("slider", name="패딩").fill("1")
    assert len(output(page)) == 1
    page.get_by_label("팽창").fill("1")
    assert len(output(page)) == 25


def test_play_goes_through_every_window_and_stops(page):
    page.clock.install()
    page.get_by_role("button", name="재생").click()
    page.clock.run_for(3 * 1350 + 50)
    assert page.get_by_role("slider", name="순서").get_attribute("aria-valuetext") == "4 / 9"
    page.get_by_role("button", name="멈춤").click()
    page.clock.run_for(5000)
    assert page.get_by_role("slider", name="순서").get_attribute("aria-valuetext") == "4 / 9"
    page.get_by_role("button", name="재생").click()
    page.clock.run_for(20_000)
    assert page.get_by_role("slider", name="순서").get_attribute("aria-valuetext") == "9 / 9"
    expect(page.get_by_role("button", name="재생")).to_be_visible()


def test_pointing_at_an_output_shows_its_window_and_leaving_brings_back_the_step(page):
    sentence = page.locator(".cnn-sentence")
    cells(page, "출력").nth(8).hover()
    assert page.locator(".cnn-sum").inner_text().endswith("= 14")
    page.mouse.move(0, 0)
    expect(sentence).to_contain_text("출력 1행 1열은")
    cells(page, "출력").nth(5).click()
    assert page.get_by_role("slider", name="순서").get_attribute("aria-valuetext") == "6 / 9"


def test_pointing_at_an_input_marks_the_outputs_that_use_it(page):
    cells(page, "입력").nth(12).hover()  # the middle is under every window
    assert page.locator(".cnn-cell.used").count() == 9
    expect(page.locator(".cnn-sentence")).to_contain_text("출력 9칸에 쓰입니다")
    cells(page, "입력").first.hover()
    assert page.locator(".cnn-cell.used").count() == 1


def test_the_photograph_shows_edges_and_can_be_looked_at_by_keyboard(page):
    page.get_by_role("radio", name="사진").check(force=True)
    page.get_by_role("radio", name="소벨 x").check(force=True)
    picture = page.get_by_role("group", name=re.compile("^출력 사진"))
    expect(picture).to_be_visible()
    width, height, alpha, greys = picture.evaluate("""(e) => {
      const c = e.querySelector('canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
      return [c.width, c.height, d[3], new Set(d).size];
    }""")
    assert (width, height, alpha) == (94, 94, 255)
    assert greys > 50
    before = page.locator(".cnn-sentence").inner_text()
    picture.focus()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("ArrowRight")
    after = page.locator(".cnn-sentence").inner_text()
    assert before != after
    expect(spoken(page)).to_have_text(after)


def test_the_torch_line_is_copied_whole(page):
    shown = page.locator(".cnn-code code").inner_text()
    page.evaluate("""Object.defineProperty(navigator, 'clipboard', {
      value: { writeText: async (t) => { window.taken = t; } },
    })""")
    page.locator(".cnn-code").get_by_role("button", name="복사").click()
    assert page.evaluate("taken").strip() == shown.strip()
    assert "F.conv2d(x, w, stride=1, padding=0, dilation=1)" in shown


def test_copying_says_so_even_without_a_clipboard(page):
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.locator(".cnn-code").get_by_role("button", name="복사").click()
    expect(spoken(page)).to_have_text(re.compile("^복사"))


@pytest.mark.parametrize("width", [1280, 390])
def test_fractions_fit_their_cells_however_many_there_are(demo_page, width):
    page = demo_page(ConvolutionExplorer(padding=2, kernel=[[1 / 9] * 3] * 3), width=width)
    assert "10/9" in output(page)
    assert not page.locator(".cnn-cell").evaluate_all(
        "cells => cells.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"
    )
