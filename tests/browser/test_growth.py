"""What a reader does with the Growth demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Growth


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(Growth(link_key="growth"))


def test_a_strip_is_seen_by_every_later_layer(page):
    said = page.locator(".cnn-sentence:visible")
    expect(said).to_contain_text("1층의 32채널은 그 뒤의 층 5개가")
    page.get_by_role("slider", name="따라갈 띠").fill("6")
    expect(said).to_contain_text("블록의 출력에만")
    page.get_by_role("slider", name="층", exact=True).fill("3")
    expect(said).to_contain_text("3층의 32채널은 마지막이라")
    assert page.locator(".cnn-bars").first.locator("> div").count() == 4


def test_the_bottleneck_changes_the_weights(page):
    total = page.get_by_text("블록의 가중치는")
    expect(total).to_contain_text("331,776개")
    page.get_by_role("checkbox", name=re.compile("병목")).uncheck()
    expect(total).to_contain_text("248,832개")


def test_adding_forgets_what_joining_keeps(page, accessible):
    page.get_by_role("radio", name="한 자리의 숫자").check(force=True)
    after = page.get_by_role("grid", name="3층 뒤").get_by_role("gridcell")
    joined = after.all_inner_texts()
    assert (len(joined), joined[:2]) == (8, ["2", "1"])
    page.get_by_role("radio", name="더하기").check(force=True)
    assert after.count() == 2
    expect(page.locator(".cnn-sentence:visible")).to_contain_text("알 수 없습니다")
    accessible(page, ".cnn")
