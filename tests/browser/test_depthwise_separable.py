"""What a reader does with DepthwiseSeparable."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import DepthwiseSeparable
from tests.browser.conftest import overflow


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(DepthwiseSeparable(link_key="separable"))


def cells(page: Page, name: str):
    return page.get_by_role("grid", name=re.compile(f"^{name}, ")).get_by_role("gridcell")


def test_choosing_an_output_channel_shows_its_sum_and_its_ordinary_kernel(page):
    page.get_by_role("radio", name="3", exact=True).check(force=True)
    expect(page.locator(".cnn-sentence:visible")).to_contain_text(
        "출력 채널 3, 1행 1열: 채널마다 따로 구한 5, 10, −2에 0, 1, −1을 차례로 곱해 더하면 12입니다."
    )
    last = cells(page, "채널 3의 커널 × −1").all_inner_texts()
    assert last == ["0", "−1", "0", "−1", "4", "−1", "0", "−1", "0"]


def test_editing_one_kernel_changes_its_own_channel_between_and_no_other(page):
    before = [cells(page, f"가운데 채널 {c}").all_inner_texts() for c in (1, 2, 3)]
    middle = cells(page, "채널 2의 커널").nth(4).locator("input")
    middle.fill("5")
    middle.press("Enter")
    after = [cells(page, f"가운데 채널 {c}").all_inner_texts() for c in (1, 2, 3)]
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] != before[1]


def test_clicking_an_output_cell_keeps_it(page):
    cells(page, "출력 채널 4").nth(3).click()
    page.mouse.move(0, 0)
    page.get_by_role("button", name="처음으로").focus()
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("출력 채널 4, 2행 2열")


def test_the_costs_follow_the_sliders(page):
    page.get_by_role("radio", name="가중치와 MAC").check(force=True)
    told = page.locator(".cnn-bars .cnn-value:visible").all_inner_texts()
    assert told == ["294,912", "33,920", "57,802,752", "6,648,320"]
    kernel = page.get_by_role("slider", name="커널")
    kernel.focus()
    page.keyboard.press("ArrowRight")
    assert kernel.get_attribute("aria-valuetext") == "5×5"
    assert page.locator(".cnn-bars .cnn-value:visible").first.inner_text() == f"{128 * 256 * 25:,}"
    page.get_by_role("slider", name="출력 채널").fill("0")
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("오히려")


@pytest.mark.parametrize("state", [{"view": "cost"}])
def test_what_is_not_shown_first_is_accessible_and_fits_a_phone_too(state, demo_page, accessible):
    page = demo_page(DepthwiseSeparable(**state), theme="dark", width=390)
    accessible(page, ".cnn")
    assert overflow(page) == 0
