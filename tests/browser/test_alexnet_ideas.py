"""What a reader does with AlexnetIdeas."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import AlexnetIdeas


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(AlexnetIdeas(link_key="alexnet"))


def view(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).check(force=True)


def cells(page: Page, name: str):
    return page.get_by_role("grid", name=re.compile(f"^{name}")).get_by_role("gridcell")


def test_relu_keeps_the_gradient_and_a_negative_input_stops_it(page):
    assert set(cells(page, "ReLU의 기울기").all_inner_texts()) == {"1"}
    assert "e−" in cells(page, "시그모이드의 기울기").first.inner_text()
    page.get_by_role("slider", name="입력").fill("-1")
    assert set(cells(page, "ReLU의 기울기").all_inner_texts()) == {"0"}


def test_a_weight_of_the_chain_can_be_changed(page):
    field = cells(page, "가중치").nth(3).locator("input")
    field.fill("2")
    field.press("Enter")
    assert cells(page, "ReLU의 기울기").all_inner_texts() == ["2"] * 4 + ["1"] * 4


def test_two_groups_halve_conv2_and_conv3_joins_the_two_gpus(page):
    view(page, "두 GPU")
    said = page.locator(".cnn-sentence")
    expect(said).to_contain_text("614,400개에서 307,200개로")
    assert cells(page, "GPU 사이의 연결").all_inner_texts() == ["×", "", "", "×"]
    page.get_by_role("radio", name="conv3").check(force=True)
    assert cells(page, "GPU 사이의 연결").all_inner_texts() == ["×"] * 4
    expect(said).to_contain_text("conv3은 두 GPU의 지도를 모두 봅니다.")


def test_dropout_draws_anew_and_does_nothing_in_use(page):
    view(page, "드롭아웃")
    drawn = set()
    for _ in range(6):
        drawn.add(tuple(cells(page, "지난 뒤의 값").all_inner_texts()))
        page.get_by_role("button", name="다시 뽑기").click()
    assert len(drawn) > 3
    page.get_by_label("학습 중").uncheck()
    before = [field.input_value() for field in cells(page, "지나기 전의 값").locator("input").all()]
    assert cells(page, "지난 뒤의 값").all_inner_texts() == before
