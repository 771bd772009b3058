"""What a reader does with the contest's chart and with the top-k error."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Ilsvrc, TopK


@pytest.fixture
def chart(demo_page) -> Page:
    return demo_page(Ilsvrc(link_key="ilsvrc"))


def test_two_years_are_compared_in_points_and_in_shares(chart):
    expect(chart.locator(".cnn")).to_contain_text("10.5%포인트 낮습니다. 틀리던 것 가운데 41%")
    chart.get_by_label("대회가 준 데이터만").check()
    expect(chart.locator(".cnn")).to_contain_text("9.4%포인트")
    chart.get_by_role("slider", name="연도", exact=True).fill("2015")
    expect(chart.locator(".cnn")).to_contain_text("2015년 우승팀은 MSRA입니다.")


def test_rivals_come_and_go_and_sources_are_links(chart):
    assert "(2등)" not in chart.locator(".cnn-bars").inner_text()
    chart.get_by_label("2등도 보기").check()
    assert chart.locator(".cnn-bars").inner_text().count("(2등)") == 2
    assert chart.get_by_role("link").first.get_attribute("href").startswith("https://")


def test_more_answers_lower_the_error_and_a_better_score_does_too(demo_page):
    page = demo_page(TopK(link_key="topk"))
    said = page.locator(".cnn-sentence")
    expect(said).to_contain_text("상위-1 오류율은 80%")
    page.get_by_role("slider").fill("5")
    expect(said).to_contain_text("상위-5 오류율은 20%")
    last = page.get_by_role("grid", name="점수").get_by_role("gridcell").nth(39).locator("input")
    last.fill("10")
    last.press("Enter")
    page.get_by_role("slider").focus()
    expect(said).to_contain_text("상위-5 오류율은 0%")
