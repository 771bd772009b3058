"""What a reader does with the TransposedMatrix demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from cnnbook.demos import TransposedMatrix


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(TransposedMatrix(link_key="matrix"))


def cells(page: Page, name: str) -> Locator:
    return page.get_by_role("grid", name=re.compile(f"^{name}")).get_by_role("gridcell")


def test_a_cell_of_the_matrix_is_seen_in_the_image_and_in_the_output(page):
    cells(page, "행렬 C,").nth(16 + 6).hover()  # second row, seventh column
    expect(page.locator(".cnn-sentence")).to_have_text(
        "C의 2행 7열에는 w11의 값 2가 있습니다. y1의 창에서 x6에 곱하는 값입니다."
    )
    assert cells(page, "x,").nth(6).get_attribute("class").split()[-1] == "used"
    expect(cells(page, "결과 y").nth(1)).to_have_attribute("aria-current", "true")


def test_the_t_key_transposes_but_not_while_typing(page):
    cells(page, "행렬 C,").first.focus()
    page.keyboard.press("t")
    expect(page.get_by_role("grid", name="행렬 Cᵀ, 16행 4열")).to_be_visible()
    expect(page.locator(".cnn [role=status]")).to_have_text("행렬을 전치했습니다. 지금은 Cᵀ입니다.")
    cells(page, "y,").first.locator("input").focus()
    page.keyboard.press("t")
    expect(page.get_by_role("grid", name="행렬 Cᵀ, 16행 4열")).to_be_visible()


def test_the_print_of_the_lecture_goes_wrong_where_it_is_marked(page, accessible):
    page.get_by_role("radio", name="강의 자료의 Cᵀ").check(force=True)
    right, wrong = (
        cells(page, "결과 x′").all_inner_texts(),
        cells(page, "인쇄된 행렬의 결과").all_inner_texts(),
    )
    assert right == ["0", "1", "4", "4", "2", "9", "11", "2", "6", "9", "6", "4", "0", "3", "7", "2"]
    assert wrong[14:] == ["0", "0"]
    marked = cells(page, "인쇄된 행렬의 결과").evaluate_all(
        "(all) => all.map((e) => e.classList.contains('astray'))"
    )
    assert marked == [a != b for a, b in zip(right, wrong, strict=True)]
    accessible(page, ".cnn")


def test_there_and_back_is_not_where_one_started(page, accessible):
    page.get_by_role("radio", name="Cᵀ C x").check(force=True)
    back = [int(text) for text in cells(page, "결과 x′").all_inner_texts()]
    start = [int(e.input_value()) for e in cells(page, "x,").locator("input").all()]
    assert back == [0, 12, 36, 24, 24, 58, 61, 34, 20, 66, 70, 24, 0, 10, 37, 34]
    assert back != start
    cells(page, "행렬 CᵀC").nth(5 * 16 + 6).hover()
    expect(page.locator(".cnn-sentence")).to_contain_text("섞입니다")
    accessible(page, ".cnn")


def test_symbols_give_way_to_numbers(page):
    expect(cells(page, "행렬 C,").first).to_have_text("w00")
    page.get_by_label("기호로 보기").uncheck()
    expect(cells(page, "행렬 C,").nth(1)).to_have_text("1")
