"""What a reader does with the Embedding demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Embedding


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(Embedding(link_key="embedding"))


def test_arrow_keys_walk_over_the_points(page, accessible):
    plot = page.get_by_role("group", name=re.compile("^그림 200장"))
    plot.focus()
    here = page.locator(".cnn-here")
    x = float(here.get_attribute("x"))
    plot.press("ArrowRight")
    first = float(here.get_attribute("x"))
    assert first > x
    for _ in range(60):
        plot.press("ArrowRight")
    assert float(here.get_attribute("x")) > first
    accessible(page, ".cnn")


def test_pointing_shows_a_pictures_neighbours_and_a_click_keeps_it(page):
    told = page.locator(".cnn-sentence")
    before = told.inner_text()
    eight = page.locator(".cnn-plot text.fresh").nth(30)
    eight.hover()
    expect(told).to_contain_text("배우지 않은 숫자")
    page.mouse.move(0, 0)
    expect(told).to_have_text(before)
    eight.click()
    page.mouse.move(0, 0)
    expect(told).to_contain_text("배우지 않은 숫자")


def test_a_neighbour_can_be_chosen_and_asks_in_its_turn(page):
    nearest = Embedding().nearest()[0]
    page.locator(".cnn-near button").first.click()
    expect(page.get_by_role("slider", name="고른 그림")).to_have_value(str(nearest))
    assert page.locator(".cnn-near li:visible").count() == 5
    page.get_by_role("slider", name="이웃의 수").fill("10")
    assert page.locator(".cnn-near li:visible").count() == 10


def test_a_moved_picture_is_lost_among_pixels_and_found_among_features(page):
    bars = page.locator(".cnn-bars .cnn-value")

    def shares():
        return [int(text.removesuffix("%")) for text in bars.all_inner_texts()]

    still = shares()
    page.get_by_role("checkbox", name="고른 그림을").check()
    assert page.locator(".cnn-spot").count() == 1
    pixels, untrained, features = (a - b for a, b in zip(still, shares(), strict=True))
    assert pixels > 30 and untrained > 20 and features < 5
