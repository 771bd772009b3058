"""What a reader does with the ModelMap demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import ModelMap


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(ModelMap(link_key="map"))


def test_arrow_keys_walk_from_point_to_point(page, accessible):
    plot = page.get_by_role("group", name=re.compile("^점 "))
    plot.focus()
    plot.press("Home")
    expect(page.locator(".cnn-sentence")).to_contain_text("ShuffleNet v1")
    plot.press("ArrowRight")
    expect(page.locator(".cnn-sentence")).to_contain_text("ShuffleNet v2")
    accessible(page, ".cnn")


def test_pointing_at_a_dot_names_it_and_a_click_keeps_it(page):
    dot = page.locator(".cnn-dot").first
    dot.hover()
    expect(page.locator(".cnn-name")).to_have_text("AlexNet")
    dot.click()
    page.mouse.move(0, 0)
    expect(page.locator(".cnn-sentence")).to_contain_text("AlexNet")
    expect(page.get_by_role("button", name="AlexNet")).to_have_attribute("aria-pressed", "true")


def test_the_table_sorts_by_a_column_both_ways(page):
    head = page.get_by_role("columnheader", name="상위-1 정확도")
    first = page.locator("tbody tr").first
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(first).to_contain_text("SENet-154")
    head.get_by_role("button").click()
    expect(first).to_contain_text("AlexNet")


def test_a_hidden_family_leaves_plot_and_table(page):
    dots, lines = page.locator(".cnn-dot").count(), page.locator("tbody tr").count()
    page.get_by_role("checkbox", name="VGG").uncheck()
    expect(page.locator(".cnn-dot")).to_have_count(dots - 2)
    expect(page.locator("tbody tr")).to_have_count(lines - 2)
