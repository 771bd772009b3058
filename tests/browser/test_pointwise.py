"""What a reader does with the Pointwise demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Pointwise


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(Pointwise(link_key="pointwise"))


def cells(page: Page, name: str):
    return page.get_by_role("grid", name=re.compile(f"^{name}")).get_by_role("gridcell")


def test_image_and_linear_show_the_same_numbers(page):
    one, two = (cells(page, f"출력 채널 {o}").all_inner_texts() for o in (1, 2))
    rows = cells(page, "nn.Linear의 출력").all_inner_texts()
    assert rows == [v for pair in zip(one, two, strict=True) for v in pair]


def test_editing_one_pixel_changes_only_that_pixel_in_every_output(page):
    before = [cells(page, f"출력 채널 {o}").all_inner_texts() for o in (1, 2)]
    field = cells(page, "입력 채널 1").nth(4).locator("input")
    field.fill("9")
    field.press("Enter")
    for o in (1, 2):
        now = cells(page, f"출력 채널 {o}").all_inner_texts()
        assert [i for i, (a, b) in enumerate(zip(before[o - 1], now, strict=True)) if a != b] == [4]


def test_pointing_at_a_row_finds_its_pixel_and_choosing_it_stays(page):
    cells(page, "nn.Linear의 입력").nth(3 * 7).hover()
    expect(page.locator(".cnn-sentence")).to_contain_text("8번째 줄은 3행 2열의 화소")
    cells(page, "nn.Linear의 입력").nth(3 * 7).click()
    assert page.get_by_role("slider", name="순서").get_attribute("aria-valuetext") == "8 / 9"
    page.mouse.move(0, 0)
    assert cells(page, "지금 화소의 채널").all_inner_texts() == ["2", "0", "1"]


def test_a_photograph_is_mixed_and_looked_into_by_keyboard(page, accessible):
    page.get_by_role("radio", name="컬러 사진").check(force=True)
    page.get_by_role("radio", name="빨강, 파랑 고르기").check(force=True)
    assert cells(page, "지금 화소의 채널").all_inner_texts() == ["200", "124", "87"]
    assert cells(page, "지금 화소의 출력").all_inner_texts() == ["200", "87"]
    page.get_by_role("group", name=re.compile("^출력 채널 1의 특징 지도")).focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowUp")
    sentence = page.locator(".cnn-sentence")
    expect(sentence).to_contain_text("50행 42열")
    expect(page.locator(".cnn [role=status]")).to_have_text(sentence.inner_text())
    accessible(page, ".cnn")
