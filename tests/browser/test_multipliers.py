"""What a reader does with the Multipliers demo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Multipliers


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(Multipliers(link_key="multipliers"))


def test_half_the_width_leaves_little_more_than_a_quarter(page):
    page.get_by_role("slider", name="폭 배수").fill("2")
    expect(page.locator(".cnn-sentence")).to_contain_text("149.5백만 번(폭 배수 1, 해상도 224의 26.3%)")


def test_resolution_changes_no_parameter(page):
    page.get_by_role("slider", name="해상도").fill("0")
    expect(page.locator(".cnn-sentence")).to_contain_text("4.2백만 개(폭 배수 1의 100%)")


def test_a_cell_of_the_map_sets_both_knobs_by_keyboard(page, accessible):
    page.get_by_role("radio", name="MobileNet v2").check(force=True)
    cell = page.get_by_role("gridcell").nth(5 * 2 + 1)
    cell.focus()
    cell.press("Enter")
    expect(page.get_by_role("slider", name="폭 배수")).to_have_value("2")
    expect(page.get_by_role("slider", name="해상도")).to_have_value("1")
    expect(cell).to_have_attribute("aria-current", "true")
    accessible(page, ".cnn")
