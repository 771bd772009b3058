"""What a reader does with LenetSteps."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import LenetSteps


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(LenetSteps(link_key="lenet"))


def layer(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).check(force=True)


def test_arrow_keys_move_the_cell_and_the_sentence_follows(page):
    said = page.locator(".cnn-sentence")
    expect(said).to_contain_text("C1 지도 0의 9행 11열")
    page.get_by_role("group", name=re.compile("^C1 지도 0")).focus()
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("C1 지도 0의 10행 11열")


def test_the_table_of_c3_chooses_a_connection(page):
    layer(page, "C3")
    table = page.get_by_role("grid", name=re.compile("^C3의 연결표"))
    assert sum(text == "×" for text in table.get_by_role("gridcell").all_inner_texts()) == 60
    table.get_by_role("gridcell").nth(4 * 16 + 3).click()  # S2 map 4, C3 map 3
    expect(page.locator(".cnn-sentence")).to_contain_text("C3 지도 3은 S2 지도 4를 봅니다.")
    page.get_by_role("slider", name="지도").focus()
    page.mouse.move(0, 0)
    expect(page.locator(".cnn-sentence")).to_contain_text("3장(3, 4, 5)")


def test_every_digit_ends_in_ten_distances(page):
    layer(page, "출력")
    for digit in range(10):
        page.get_by_role("radio", name=str(digit), exact=True).check(force=True)
        assert page.locator(".cnn-bars .cnn-value").count() == 10
    expect(page.locator(".cnn")).to_contain_text("가장 가까운 숫자는")
