"""What a reader does with the Overview demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Overview

USED = {  # the middle of a transposed output meets one input cell of each channel
    "단일 채널": 9, "다중 채널": 36, "3D": 27, "1×1": 4, "전치": 4, "팽창": 36,
    "공간 분할": 9, "깊이별 분할": 36, "집단": 18, "채널섞기 집단": 18,
}  # fmt: skip


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(Overview(link_key="overview"))


@pytest.mark.parametrize("form", USED)
def test_a_form_marks_the_inputs_of_one_output(form, page, accessible):
    page.get_by_role("radio", name=form, exact=True).check(force=True)
    assert page.locator(".cnn-tone-input .cnn-cell.window:visible").count() == USED[form]
    accessible(page, ".cnn")


def test_arrow_keys_walk_along_the_map(page):
    page.get_by_role("radio", name="다중 채널").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("출력에도 깊이가 남습니다")).to_be_visible()
    expect(page.locator("tr.picked")).to_contain_text("2,700")
    expect(page.locator(".cnn-code")).to_contain_text("F.conv3d")


def test_shuffling_moves_whole_output_channels(page):
    outputs = []
    for form in ("집단", "채널섞기 집단"):
        page.get_by_role("radio", name=form, exact=True).check(force=True)
        outputs.append([])
        for channel in range(4):
            page.get_by_role("slider", name="출력 채널").fill(str(channel))
            grid = page.get_by_role("grid", name=re.compile("^출력, 세로"))
            outputs[-1].append(grid.get_by_role("gridcell").all_inner_texts())
    assert outputs[1] == [outputs[0][c] for c in (0, 2, 1, 3)]


def test_padding_is_told_at_the_border(page):
    page.get_by_role("slider", name="순서").fill("1")
    expect(page.locator(".cnn-sentence")).to_contain_text("20칸은 패딩이라 0입니다")
