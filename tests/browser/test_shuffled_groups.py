"""What a reader does with the ShuffledGroups demo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import ShuffledGroups


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(ShuffledGroups(link_key="groups"))


def test_a_shuffle_lets_every_input_through(page, accessible):
    says = page.locator(".cnn-sentence")
    expect(says).to_contain_text("240채널 가운데 80채널")
    assert page.locator(".cnn-wire").count() == 3
    page.get_by_role("checkbox", name="채널 섞기").check()
    expect(says).to_contain_text("240채널 가운데 240채널")
    assert page.locator(".cnn-wire").count() == 9
    accessible(page, ".cnn")


def test_more_groups_are_wider_and_see_less(page):
    page.get_by_role("slider", name="집단 수").fill("4")
    expect(page.locator(".cnn-sentence")).to_contain_text("384채널 가운데 48채널(12.5%)")
    expect(page.locator(".cnn-bars > div:not(.faint)").last).to_contain_text("138.4백만")


def test_fewer_channels_hold_the_chosen_one_inside(page):
    page.get_by_role("slider", name="출력 채널").fill("239")
    page.get_by_role("slider", name="집단 수").fill("0")
    expect(page.locator(".cnn-sentence")).to_contain_text("출력 채널 143에는")
