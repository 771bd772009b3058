"""What a reader does with the ResidualDepth demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import ResidualDepth


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(ResidualDepth(link_key="residual_depth"))


def points(page: Page) -> list[str]:
    """Where the line of the chosen network runs."""
    return page.locator("polyline:not(.faint)").get_attribute("points").split()


def test_deeper_networks_have_longer_lines_and_switching_the_shortcut_swaps_them(page):
    bar = page.get_by_role("slider", name="블록 안의 컨볼루션")
    for place, blocks in enumerate((2, 4, 8, 16, 32)):
        bar.fill(str(place))
        assert len(points(page)) == blocks + 1
    plain = points(page)
    page.get_by_role("radio", name="있음").check(force=True)
    assert points(page) != plain
    assert page.locator("polyline.faint").get_attribute("points").split() == plain


def test_stepping_back_multiplies_one_more_factor(page):
    product = page.locator(".cnn-label", has_text="거슬러 오며 곱한 수").locator("xpath=following-sibling::p")
    assert product.inner_text().count("×") == 0
    for factors in (1, 2, 3):
        page.get_by_role("button", name="다음 칸").click()
        assert product.inner_text().count("×") == factors
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("3블록을 거슬러")


def test_without_shortcuts_the_deepest_network_does_not_learn(page):
    page.get_by_role("slider", name="블록 안의 컨볼루션").fill("4")
    page.get_by_role("checkbox", name="배치 정규화").uncheck()
    expect(page.get_by_text("배우지 못했습니다")).to_be_visible()
    page.get_by_role("radio", name="있음").check(force=True)
    expect(page.get_by_text("배우지 못했습니다")).to_be_hidden()


def test_the_chain_can_be_edited_and_its_product_follows(page, accessible):
    page.get_by_role("radio", name="여섯 수의 사슬").check(force=True)
    page.get_by_role("radio", name="있음").check(force=True)
    weights = page.get_by_role("grid", name=re.compile("^단계마다 곱하는")).locator("input")
    for i in range(6):
        weights.nth(i).fill("0.5")
        weights.nth(i).press("Enter")
    first = page.get_by_role("grid", name=re.compile("미분한 것")).get_by_role("gridcell").first
    assert first.inner_text() == "11.39"  # 1.5 to the sixth
    page.get_by_role("radio", name="없음").check(force=True)
    assert first.inner_text() == "0.02"
    accessible(page, ".cnn")
