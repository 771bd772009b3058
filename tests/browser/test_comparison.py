"""What a reader does with the Comparison, by mouse and by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Comparison
from tests.browser.conftest import overflow


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(Comparison(link_key="comparison"))


def line(page: Page, name: str) -> list[str]:
    return page.get_by_role("row", name=name).get_by_role("cell").all_inner_texts()


def field(page: Page, name: str):
    return page.get_by_role("spinbutton", name=name)


def test_all_ten_forms_stand_side_by_side(page):
    assert page.locator("tbody tr").count() == 10
    assert line(page, "깊이별 분할") == ["4,672", "4,784,128", "64×32×32", "3×3", "64"]
    assert line(page, "채널 섞기 집단")[0] == "9,216"


def test_the_readers_own_numbers_change_every_line(page):
    field(page, "입력 채널").fill("3")
    assert line(page, "다중 채널 2D")[0] == "1,728"
    page.get_by_label("편향도 세기").check()
    assert line(page, "다중 채널 2D")[0] == "1,792"  # the lecture's question
    page.get_by_role("slider", name="스트라이드").fill("2")
    assert line(page, "다중 채널 2D")[2] == "64×16×16"
    assert line(page, "전치(디컨볼루션)")[2] == "64×64×64"


def test_groups_that_do_not_divide_say_so(page):
    field(page, "입력 채널").fill("3")
    page.get_by_role("radio", name="집단", exact=True).check()
    assert line(page, "채널 섞기 집단") == ["–"] * 5
    expect(page.locator(".cnn-sentence")).to_have_text(
        "입력 채널과 출력 채널이 모두 4로 나누어떨어져야 합니다."
    )
    field(page, "집단의 수").fill("1")
    assert line(page, "채널 섞기 집단")[0] == "1,728"


def test_a_number_out_of_range_is_put_back_and_said(page):
    channels = field(page, "출력 채널")
    channels.fill("5000")
    channels.press("Tab")
    expect(channels).to_have_value("64")
    expect(page.locator(".cnn [role=status]")).to_have_text("1부터 1,024까지의 정수를 넣으십시오.")


def test_arrow_keys_choose_the_form_that_is_explained(page):
    page.get_by_role("radio", name="다중 채널 2D").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("code")).to_contain_text("nn.Conv3d(64, 64, 3, padding=1, bias=False)")
    formula = page.locator(".cnn-formula").first.inner_text().replace("\n", "")
    assert formula.endswith("= 110,592")


@pytest.mark.parametrize("state", [{"form": "spatial", "c_in": 1024, "c_out": 1024, "k": 7, "size": 512}])
def test_what_is_not_shown_first_is_accessible_and_fits_a_phone_too(state, demo_page, accessible):
    page = demo_page(Comparison(**state), theme="dark", width=390)
    accessible(page, ".cnn")
    assert overflow(page) == 0
