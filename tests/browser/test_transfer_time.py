"""What a reader does with the TransferTime demo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import TransferTime


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(TransferTime(link_key="transfer_time"))


def test_a_target_out_of_reach_is_said_to_be(page):
    page.get_by_role("slider", name="목표 정확도").fill("95")
    expect(page.locator(".cnn-sentence")).to_contain_text("처음부터: 200걸음 안에 닿지 못합니다.")
    page.get_by_role("slider", name="목표 정확도").fill("30")
    expect(page.locator(".cnn-sentence")).not_to_contain_text("못합니다")


def test_more_tasks_share_the_pre_training(page, accessible):
    page.get_by_role("slider", name="목표 정확도").fill("50")
    share = page.locator(".cnn-bars > div", has_text="미세 조정").locator(".cnn-value")
    alone = float(share.inner_text().split("초")[0].replace(",", ""))
    page.get_by_role("slider", name="사전 학습을 함께 쓰는 문제").fill("3")
    shared = float(share.inner_text().split("초")[0].replace(",", ""))
    assert shared == pytest.approx(alone / 10, abs=0.5)
    accessible(page, ".cnn")
