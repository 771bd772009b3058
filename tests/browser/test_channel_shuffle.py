"""What a reader does with the ChannelShuffle demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import ChannelShuffle


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(ChannelShuffle(link_key="channel_shuffle"))


def column(page: Page, name: str):
    return page.get_by_role("grid", name=re.compile(f"^{name}, 채널")).get_by_role("gridcell")


def test_without_the_shuffle_an_output_sees_its_own_group_alone(page, accessible):
    expect(page.get_by_text("9개 가운데 9개입니다")).to_be_visible()
    page.get_by_label("채널 섞기").uncheck()
    expect(page.get_by_text("9개 가운데 3개입니다: 3, 4, 5.")).to_be_visible()
    assert page.locator(".cnn-tone-input .cnn-cell.on:visible").count() == 3
    accessible(page, ".cnn")


def test_wires_that_are_lit_lead_to_the_chosen_channel(page):
    column(page, "둘째 층").nth(0).click()
    assert page.locator(".cnn-wires").nth(2).locator("path.on").count() == 3
    assert page.locator(".cnn-wires").nth(1).locator("path.on").count() == 3
    assert page.locator(".cnn-wires").nth(0).locator("path.on").count() == 9
    column(page, "첫째 층").nth(8).click()
    assert page.locator(".cnn-wires path.on").count() == 3


def test_two_channels_a_group_reach_two_groups_of_four(page):
    page.get_by_label("집단 수").fill("4")
    page.get_by_label("집단의 채널 수").fill("2")
    expect(page.get_by_text("4집단 가운데 2집단에서만")).to_be_visible()


def test_an_input_that_is_changed_changes_every_output_it_reaches(page):
    # A whole number other than 0 on every wire: no change can get lost.
    before = column(page, "둘째 층").all_inner_texts()
    page.get_by_label("채널 섞기").uncheck()
    unshuffled = column(page, "둘째 층").all_inner_texts()
    field = column(page, "입력").first.locator("input")
    field.fill("50")
    field.press("Enter")
    changed = [a != b for a, b in zip(unshuffled, column(page, "둘째 층").all_inner_texts(), strict=True)]
    assert changed[3:] == [False] * 6
    assert any(changed[:3])
    page.get_by_label("채널 섞기").check()
    changed = [a != b for a, b in zip(before, column(page, "둘째 층").all_inner_texts(), strict=True)]
    assert changed == [True] * 9
