"""What a reader does with the TransferStep demo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import TransferStep


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(TransferStep(link_key="transfer_step"))


def cells(page: Page, name: str) -> list[str]:
    return page.get_by_role("grid", name=name, exact=True).get_by_role("gridcell").all_inner_texts()


def test_only_the_head_moves_where_all_else_is_frozen(page):
    assert cells(page, "기울기") == ["–", "–", "–", "−1.5"]
    assert cells(page, "다음 가중치") == ["1", "1", "1", "0.65"]


def test_thawed_layers_get_gradients_and_rates_that_fall_towards_the_input(page, accessible):
    page.get_by_role("slider", name="동결할 층의 수").fill("0")
    page.get_by_role("slider", name="앞 층의 감소율").fill("3")
    assert cells(page, "기울기") == ["−0.75", "−0.75", "−0.75", "−1.5"]
    assert cells(page, "학습률") == ["0.0125", "0.025", "0.05", "0.1"]
    accessible(page, ".cnn")


def test_steps_lower_the_loss(page):
    expect(page.locator(".cnn-sentence")).to_contain_text("손실 1.125")
    page.get_by_role("button", name="다음").click()
    expect(page.locator(".cnn-sentence")).to_contain_text("출력 0.65")
    expect(page.locator(".cnn-bars > .faint")).to_have_count(3)
