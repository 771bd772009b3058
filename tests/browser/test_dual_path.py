"""What a reader does with the DualPath demo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import DualPath


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(DualPath(link_key="dual_path"))


def test_blocks_grow_by_what_is_appended(page):
    said = page.locator(".cnn-sentence:visible")
    expect(said).to_contain_text("304채널을 받아 272채널을 만듭니다")
    page.get_by_role("radio", name="conv4").check(force=True)
    assert page.locator(".cnn-bars > div").count() == 20
    page.get_by_role("slider", name="볼 블록").fill("19")
    expect(said).to_contain_text("1,552채널이 나옵니다")
    page.get_by_role("radio", name="DPN-68").check(force=True)
    assert page.locator(".cnn-bars > div").count() == 12


def test_a_block_makes_adds_and_appends(page, accessible):
    page.get_by_role("radio", name="한 자리의 숫자").check(force=True)
    cells = page.get_by_role("grid", name="블록 1을 나오는 것").get_by_role("gridcell")
    assert cells.all_inner_texts() == ["·"] * 5
    following = page.get_by_role("button", name="다음")
    following.click()
    assert cells.all_inner_texts() == ["1", "5", "·", "·", "·"]
    following.click()
    assert cells.all_inner_texts() == ["1", "5", "3", "0", "3"]
    following.click()
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("블록 2는 5채널을 모두 보고")
    accessible(page, ".cnn")
