"""What a reader does with SpatiallySeparable."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import SpatiallySeparable
from tests.browser.conftest import overflow


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(SpatiallySeparable(link_key="separable"))


def cells(page: Page, name: str):
    return page.get_by_role("grid", name=re.compile(f"^{name}, ")).get_by_role("gridcell")


def view(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).check(force=True)


def test_it_opens_on_the_sobel_kernel_of_the_lecture(page):
    assert cells(page, "커널").all_inner_texts() == ["−1", "0", "1", "−2", "0", "2", "−1", "0", "1"]


def test_editing_the_column_changes_kernel_middle_and_output(page):
    last = cells(page, "열").nth(2).locator("input")
    last.fill("0")
    last.press("Enter")
    assert cells(page, "커널").all_inner_texts()[6:] == ["0", "0", "0"]
    assert cells(page, "열을 놓은 뒤").first.inner_text() == "3"
    assert "= 3" in page.locator(".cnn-sums:visible").inner_text()


def test_pointing_at_an_output_shows_its_sums(page):
    cells(page, "출력").nth(8).hover()
    sums = page.locator(".cnn-sums:visible").inner_text()
    assert sums.count("= 6") >= 2  # the row's sum and the nine products at once
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("출력 3행 3열")


def test_the_rank_meter_says_when_one_product_is_enough(page):
    view(page, "커널 나누기")
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("랭크가 2입니다. 열과 행 1쌍으로는")
    page.get_by_role("slider", name="더할 항의 수").fill("2")
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("나머지 없이 나뉩니다")
    assert set(cells(page, "나머지").all_inner_texts()) == {"0"}
    page.get_by_role("radio", name="소벨 x").check(force=True)
    expect(page.locator(".cnn-sums:visible")).to_contain_text("[1, 2, 1]T × [−1, 0, 1]")


def test_three_directions_give_the_volume_one_map_then_lines(page):
    view(page, "세 방향")
    assert [cells(page, name).count() for name in ("깊이 다음", "열 다음", "출력")] == [16, 8, 4]
    cells(page, "출력").nth(3).click()
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("출력 2행 2열")


@pytest.mark.parametrize("state", [{"view": "split"}, {"view": "flat"}])
def test_what_is_not_shown_first_is_accessible_and_fits_a_phone_too(state, demo_page, accessible):
    page = demo_page(SpatiallySeparable(**state), theme="dark", width=390)
    accessible(page, ".cnn")
    assert overflow(page) == 0
