"""What a reader does with the Transposed demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Transposed
from tests.browser.conftest import overflow


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(Transposed(link_key="transposed"))


def cells(page: Page, name: str) -> list[str]:
    return page.get_by_role("grid", name=re.compile(f"^{name}")).get_by_role("gridcell").all_inner_texts()


def test_the_last_stamp_and_the_convolution_with_zeros_give_one_output(page):
    page.get_by_role("slider", name="순서").fill("9")
    stamped = cells(page, "출력")
    page.get_by_role("radio", name="0 끼우기").check(force=True)
    assert cells(page, "출력") == stamped
    assert len(stamped) == 49


def test_pointing_at_an_output_names_its_products_and_its_inputs(page):
    page.get_by_role("grid", name=re.compile("^출력")).get_by_role("gridcell").nth(2 * 7 + 2).hover()
    sentence = page.locator(".cnn-sentence")
    expect(sentence).to_have_text(re.compile("입력 4칸이 찍은 값을 더한 1×2 .* = 8입니다."))
    assert page.locator(".cnn-tone-input .cnn-cell.used").count() == 4


def test_padding_cuts_a_ring_that_is_still_told(page, accessible):
    page.get_by_label("패딩").fill("1")
    page.get_by_role("slider", name="순서").fill("9")
    assert page.locator(".cnn-cell.cut:visible").count() == 49 - 25
    page.get_by_role("grid", name=re.compile("^패딩을 잘라")).get_by_role("gridcell").first.hover()
    expect(page.locator(".cnn-sentence")).to_contain_text("잘려 나갑니다")
    accessible(page, ".cnn")
    page.get_by_role("radio", name="0 끼우기").check(force=True)
    assert len(cells(page, "출력")) == 25
    accessible(page, ".cnn")


def test_one_press_takes_the_checkerboard_away(page, accessible):
    page.get_by_role("radio", name="겹친 횟수").check(force=True)
    sentence = page.locator(".cnn-sentence")
    expect(sentence).to_contain_text("1, 2, 4번으로 갈립니다")
    accessible(page, ".cnn")
    page.get_by_role("radio", name="커널 4, 스트라이드 2").check(force=True)
    expect(sentence).to_contain_text("어느 칸이나 4번 찍힙니다")
    assert set(cells(page, "겹친")) == {"1", "2", "4"}  # the border remains


@pytest.mark.parametrize("view", ["stamp", "zeros", "overlap"])
def test_the_largest_output_fits_on_a_phone(view, demo_page):
    page = demo_page(Transposed(view=view, kernel_size=4, stride=3), width=390)
    assert overflow(page) == 0
    edge = page.locator(".cnn").bounding_box()
    for grid in page.get_by_role("grid").all():
        last = grid.get_by_role("gridcell").last.bounding_box()
        assert last["x"] + last["width"] <= edge["x"] + edge["width"]
