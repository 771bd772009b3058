"""What a reader does with the SqueezeExcite demo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import SqueezeExcite


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(SqueezeExcite(link_key="squeeze_excite"))


def gates(page: Page) -> list[str]:
    return page.get_by_role("grid", name="여기: 게이트").get_by_role("gridcell").all_inner_texts()


def test_each_digit_has_gates_of_its_own(page):
    for digit in (3, 7):
        page.get_by_role("radio", name=str(digit), exact=True).check(force=True)
        expected = SqueezeExcite(digit=digit).gates.tolist()
        assert [float(g) for g in gates(page)] == pytest.approx(expected, abs=0.0051)


def test_one_channel_moves_the_gates_of_others(page, accessible):
    before = gates(page)
    page.get_by_role("grid", name="압축: 지도의 평균").get_by_role("gridcell").nth(5).click()
    page.mouse.move(
        0, 0
    )  # the sentence is about the cell under the pointer or the focus, else about the whole
    page.get_by_role("slider", name="이 채널의 세기").fill("4")
    page.get_by_role("slider", name="이 채널의 세기").focus()
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("채널 6의 지도를 4배로")
    assert sum(a != b for a, b in zip(before, gates(page), strict=True)) > 1
    accessible(page, ".cnn")


def test_the_ratio_sets_the_price(page):
    page.get_by_role("radio", name="비율 r의 값").check(force=True)
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("2,530,992개가 더해집니다")
    page.get_by_role("slider", name="비율 r").fill("0")
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("20,142,208개가 더해집니다")
