"""What a reader does with the PresetTransform demo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import PresetTransform


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(PresetTransform(link_key="preset_transform"))


def test_a_photo_is_resized_and_cut(page, accessible):
    expect(page.locator(".cnn-sentence")).to_contain_text("383×256으로 바뀌고")
    page.get_by_role("radio", name="inception_v3").check(force=True)
    expect(page.locator(".cnn-sentence")).to_contain_text("299×299를")
    page.get_by_role("spinbutton", name="사진의 너비").fill("427")
    expect(page.locator(".cnn-crop")).to_have_attribute("y", "22")
    accessible(page, ".cnn")


def test_a_pixel_is_normalised(page):
    page.get_by_role("spinbutton", name="빨강").fill("0")
    shown = page.get_by_role("grid", name="신경망에 들어가는 값").get_by_role("gridcell")
    assert shown.first.inner_text() == "−2.118"
