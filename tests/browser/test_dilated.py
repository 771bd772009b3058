"""What a reader does with the Dilated demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from cnnbook.demos import Dilated


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(Dilated(link_key="dilated"))


def cells(page: Page, name: str) -> Locator:
    return page.get_by_role("grid", name=re.compile(f"^{name}")).get_by_role("gridcell")


def test_the_field_grows_with_every_layer(page):
    sentence = page.locator(".cnn-sentence")
    for depth, size in ((1, "3×3"), (2, "7×7"), (3, "15×15")):
        page.get_by_role("slider", name="쌓은 층").fill(str(depth))
        expect(sentence).to_contain_text(f"출력 한 칸이 {size}칸을 보고")
        assert page.locator(".cnn-cell.tap").count() == 9


def test_equal_rates_leave_holes_that_are_marked_and_told(page, accessible):
    page.get_by_role("radio", name="2, 2, 2").check(force=True)
    expect(page.locator(".cnn-sentence")).to_contain_text("169칸 가운데 49칸만 씁니다")
    assert page.locator(".cnn-cell.hole").count() == 120
    cells(page, "길의 수").nth(1).hover()
    expect(page.locator(".cnn-sentence")).to_contain_text("구멍입니다")
    cells(page, "길의 수").nth(6 * 13 + 6).hover()
    expect(page.locator(".cnn-sentence")).to_contain_text("7 × 7 = 49가지 길로")
    accessible(page, ".cnn")


def test_the_rates_stay_within_what_can_be_shown(page):
    first = page.get_by_role("slider", name="1층 팽창률")
    first.focus()
    page.keyboard.press("End")
    assert first.input_value() == "3"  # 3 + 2 + 4
    assert cells(page, "길의 수").count() == 19 * 19


def test_an_input_in_a_hole_changes_nothing_and_any_other_changes_the_output(page, accessible):
    page.get_by_role("radio", name="2, 2, 2").check(force=True)
    page.get_by_role("radio", name="한 줄").check(force=True)
    accessible(page, ".cnn")
    output, inputs = cells(page, "3층"), cells(page, "입력")
    before = output.inner_text()
    inputs.nth(1).locator("input").fill("9")
    inputs.nth(1).locator("input").press("Enter")
    expect(output).to_have_text(before)
    expect(page.locator(".cnn-sentence")).to_contain_text("출력은 그대로입니다")
    inputs.nth(2).locator("input").fill("9")
    inputs.nth(2).locator("input").press("Enter")
    expect(output).not_to_have_text(before)


def test_pointing_at_a_node_lights_its_three_wires(page):
    page.get_by_role("radio", name="한 줄").check(force=True)
    expect(page.locator(".cnn-wires line.lit")).to_have_count(3)
    assert page.locator(".cnn-sum").inner_text() == "21 × 1 + 17 × 2 + 24 × 1 = 79"
    cells(page, "1층").nth(0).hover()
    assert page.locator(".cnn-sum").inner_text() == "1 × 1 + 0 × 2 + 2 × 1 = 3"
    assert page.locator(".cnn-wires line.lit").count() == 3
