"""What a reader does with the FreezeBoundary demo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import FreezeBoundary


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(FreezeBoundary(link_key="freeze_boundary"))


def test_moving_the_boundary_freezes_stages_and_changes_what_learns(page):
    bar = page.get_by_role("slider", name="동결한 묶음")
    for frozen, learning in ((0, "98,196"), (1, "97,732"), (2, "93,060"), (3, "74,500"), (4, "516")):
        bar.fill(str(frozen))
        assert page.locator(".cnn-net .held").count() == frozen
        expect(page.locator(".cnn-sentence")).to_contain_text(learning)


def test_accuracies_follow_boundary_amount_and_source(page, accessible):
    demo = FreezeBoundary()
    page.get_by_role("slider", name="동결한 묶음").fill("2")
    page.get_by_role("slider", name="부류마다 사진").fill("3")
    for name, source in (("CIFAR-10의 다른 부류", "classes"), ("손글씨 숫자", "digits")):
        page.get_by_role("radio", name=name).check(force=True)
        percent = f"{demo.mean(source, 2, 1000):.1f}".removesuffix(".0")
        expect(page.locator(".cnn-sentence")).to_contain_text(f"정확도는 {percent}%")
        now = page.get_by_role("list", name="동결의 경계에 따른 정확도").locator(".now")
        expect(now).to_contain_text("묶음 2까지 동결")
    accessible(page, ".cnn")
