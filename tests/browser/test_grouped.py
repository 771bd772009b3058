"""What a reader does with the Grouped demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Grouped


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(Grouped(link_key="grouped"))


def cells(page: Page, name: str) -> list[str]:
    return page.get_by_role("grid", name=re.compile(f"^{name}")).get_by_role("gridcell").all_inner_texts()


def test_one_slider_goes_from_the_ordinary_convolution_to_the_depthwise_one(page):
    bar = page.get_by_role("slider", name="집단 수")
    for place, weights in enumerate((576, 288, 144, 72)):
        bar.fill(str(place))
        assert sum(text != "" for text in cells(page, "연결 행렬")) == weights // 9
        expect(page.get_by_text(f"= {weights}개")).to_be_visible()
    diagonal = [
        text for r in range(8) for c, text in enumerate(cells(page, "연결 행렬")[8 * r : 8 * r + 8]) if c == r
    ]
    assert diagonal == cells(page, "출력")  # the only share is the sum
    expect(page.get_by_text("깊이별 컨볼루션입니다")).to_be_visible()


def test_a_chosen_cell_is_taken_apart_and_its_kernel_can_be_changed(page):
    matrix = page.get_by_role("grid", name=re.compile("^연결 행렬"))
    matrix.get_by_role("gridcell").nth(0).click()
    kernel = page.get_by_role("grid", name=re.compile("^출력 채널 0과 입력 채널 0을 잇는 커널"))
    before = int(cells(page, "연결 행렬")[0].replace("−", "-"))
    value = int(
        page.get_by_role("grid", name=re.compile("^입력 채널 0의 창")).locator("input").last.input_value()
    )
    weight = kernel.locator("input").last
    old = int(weight.input_value().replace("−", "-"))
    weight.fill(str(old + 10))
    weight.press("Enter")
    assert int(cells(page, "연결 행렬")[0].replace("−", "-")) == before + 10 * value


def test_channels_of_different_groups_have_no_kernel_between_them(page, accessible):
    page.get_by_role("grid", name=re.compile("^연결 행렬")).get_by_role("gridcell").nth(7).click()
    expect(page.locator(".cnn-sentence")).to_contain_text("다른 집단에 있어 이어지지 않습니다")
    expect(page.get_by_role("grid", name=re.compile("잇는 커널"))).to_be_hidden()
    accessible(page, ".cnn")
