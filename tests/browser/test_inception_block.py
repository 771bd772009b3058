"""What a reader does with the InceptionBlock demo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import InceptionBlock


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(InceptionBlock(link_key="inception_block"))


def test_it_opens_with_the_saving_of_the_5_by_5_branch(page):
    formulas = page.locator(".cnn-formula").all_inner_texts()
    assert "12,443,648" in formulas[0]
    assert "120,422,400" in formulas[1]
    expect(page.locator(".cnn-sentence")).to_contain_text("10%만 남습니다")


def test_without_1_by_1_the_pooling_branch_passes_every_channel_on(page):
    page.get_by_role("radio", name="풀링").check(force=True)
    expect(page.locator(".cnn-sentence")).to_contain_text("입력의 192채널이 모두")
    assert page.locator(".cnn-bars").last.locator(".cnn-value").all_inner_texts() == ["256", "416"]


def test_a_preset_sets_all_widths_and_a_moved_width_leaves_it(page, accessible):
    page.get_by_role("radio", name="5b", exact=True).check(force=True)
    assert page.locator(".cnn-bars").last.locator(".cnn-value").first.inner_text() == "1,024"
    bar = page.get_by_role("slider", name="5×5 앞의 1×1")
    assert bar.input_value() == "48"
    bar.focus()
    page.keyboard.press("End")
    assert not page.get_by_role("radio", name="5b", exact=True).is_checked()
    accessible(page, ".cnn")


def test_a_reduction_that_is_too_wide_costs_more_and_the_sentence_says_so(page):
    bar = page.get_by_role("slider", name="5×5 앞의 1×1")
    bar.fill("512")
    expect(page.locator(".cnn-sentence")).to_contain_text("오히려 늘어")
