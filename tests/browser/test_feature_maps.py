"""What a reader does with the FeatureMaps demo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import FeatureMaps


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(FeatureMaps(link_key="feature_maps"))


def test_a_deeper_layer_has_more_channels_and_sees_more(page):
    for layer, size, channels in ((1, 5, 16), (2, 10, 24), (3, 20, 32), (4, 28, 48)):
        page.get_by_role("radio", name=f"{layer}층", exact=True).check(force=True)
        expect(page.locator(".cnn-sentence")).to_contain_text(f"세로 {size}화소")
        assert page.get_by_role("slider", name="채널").get_attribute("max") == str(channels - 1)


def test_a_click_on_the_sheet_chooses_that_channel_and_the_arrows_a_cell(page):
    page.get_by_role("radio", name="3층", exact=True).check(force=True)
    sheet = page.locator(".cnn-sheet")
    box = sheet.bounding_box()
    sheet.click(position={"x": box["width"] * 2.5 / 8, "y": box["height"] * 1.5 / 4})
    expect(page.locator(".cnn-sentence")).to_contain_text("3층 채널 10")
    shown = page.get_by_role("group", name="3층 채널 10")
    shown.focus()
    for _ in range(8):
        shown.press("ArrowUp")
        shown.press("ArrowLeft")
    expect(page.locator(".cnn-sentence")).to_contain_text("0행 0열")


def test_a_class_is_taken_apart_into_channels(page, accessible):
    page.get_by_role("radio", name="배", exact=True).first.check(force=True)
    page.get_by_role("radio", name="부류 활성화 지도").check(force=True)
    page.get_by_role("radio", name="배", exact=True).nth(1).check(force=True)
    expect(page.get_by_text("칸 64개의 평균")).to_contain_text("점수가 가장 높은 부류는 배입니다")
    assert page.locator(".cnn-bars:visible").last.locator("> div").count() == 5
    accessible(page, ".cnn")
