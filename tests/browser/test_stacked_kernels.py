"""What a reader does with StackedKernels."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import StackedKernels


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(StackedKernels(link_key="stack"))


def cells(page: Page, name: str):
    return page.get_by_role("grid", name=re.compile(f"^{name}")).get_by_role("gridcell")


def test_three_kernels_see_seven_cells_and_cost_27_instead_of_49(page):
    page.get_by_role("slider", name="쌓은 3×3의 수").fill("3")
    page.get_by_role("slider", name="채널 수").fill("0")  # the first of the list: one channel
    expect(page.locator(".cnn-sentence")).to_contain_text(
        "7×7칸을 봅니다. 가중치는 27개이고, 7×7 커널 하나라면 49개"
    )
    assert [cells(page, name).count() for name in ("입력", "1층", "2층", "3층")] == [49, 25, 9, 1]


def test_relu_parts_the_stack_from_the_large_kernel(page):
    side = page.locator(".cnn-side")
    expect(side).to_contain_text("한 번에 놓아도 3으로 같습니다")
    page.get_by_label("컨볼루션마다 ReLU").check()
    expect(side).to_contain_text("같은 값이 나오지 않습니다")


def test_pointing_at_a_cell_frames_what_it_sees(page):
    cells(page, "2층").first.hover()
    expect(page.locator(".cnn-sentence")).to_contain_text("입력의 5×5칸을 봅니다")
    frame = page.locator(".cnn-tone-input .cnn-frame")
    expect(frame).to_be_visible()
    assert frame.evaluate("e => e.style.getPropertyValue('--rows')") == "5"


def test_an_edited_kernel_changes_the_large_one(page):
    field = cells(page, "1번째 커널").nth(4).locator("input")
    field.fill("0")
    field.press("Enter")
    before = cells(page, "합친 커널").all_inner_texts()
    field.fill("5")
    field.press("Enter")
    assert cells(page, "합친 커널").all_inner_texts() != before
