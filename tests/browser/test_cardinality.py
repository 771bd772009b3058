"""What a reader does with the Cardinality demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Cardinality


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(Cardinality(link_key="cardinality"))


def test_more_paths_are_thinner_and_the_price_stays(page):
    bar = page.get_by_role("slider", name="카디널리티")
    for place, (paths, width) in enumerate(((1, 64), (2, 40), (4, 24), (8, 14))):
        bar.fill(str(place))
        assert page.locator(".cnn-joined").count() == paths
        expect(page.locator(".cnn-sentence:visible")).to_contain_text(f"저마다 {width}채널")
    expect(page.locator(".cnn-bars > div:not(.faint)")).to_contain_text("8 × 14d")


def test_one_path_is_said_to_be_resnets_block(page):
    page.get_by_role("slider", name="카디널리티").fill("0")
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("병목 블록입니다")


def test_a_weight_of_one_path_changes_that_paths_share_alone(page, accessible):
    page.get_by_role("radio", name="한 자리의 숫자").check(force=True)
    output = page.get_by_role("grid", name="출력", exact=True).get_by_role("gridcell")
    assert output.all_inner_texts() == ["1", "13", "9", "0"]
    field = page.get_by_role("grid", name=re.compile("^경로 1: 늘리기")).locator("input").first
    field.fill("2")
    field.press("Enter")
    assert output.all_inner_texts() == ["3", "13", "9", "0"]
    page.get_by_role("radio", name="3", exact=True).check(force=True)
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("경로 3은")
    accessible(page, ".cnn")
