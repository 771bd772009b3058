"""What a reader does with the Conv3d demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import Conv3d


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(Conv3d(link_key="conv3d"))


def kernels(page: Page) -> list[bool]:
    """On which slices the kernel lies."""
    return [
        bool(s.locator(".cnn-tone-kernel:visible").count()) for s in page.locator(".cnn-slice:visible").all()
    ]


def cells(page: Page, name: str) -> list[str]:
    return page.get_by_role("grid", name=re.compile(f"^{name}")).get_by_role("gridcell").all_inner_texts()


def test_stepping_moves_the_kernel_in_depth(page):
    assert kernels(page) == [True, True, False, False]
    page.get_by_role("slider", name="순서").fill("10")
    assert kernels(page) == [False, True, True, False]
    expect(page.locator(".cnn-sentence")).to_have_text(
        re.compile("3D 출력의 깊이 2, 1행 1열: 입력의 깊이 2–3")
    )
    page.get_by_role("slider", name="순서").fill("27")
    assert kernels(page) == [False, False, True, True]


def test_the_2d_kernel_reaches_through_all_slices_and_leaves_one(page):
    page.get_by_role("radio", name="2D 컨볼루션").check(force=True)
    assert kernels(page) == [True] * 4
    assert page.get_by_role("slider", name="순서").get_attribute("aria-valuetext") == "1 / 9"
    expect(page.locator(".cnn-sentence")).to_contain_text("깊이를 모두 덮고")


def test_a_3d_kernel_as_deep_as_the_input_is_the_2d_one(page):
    flat = cells(page, "2D 출력")
    page.get_by_label("커널의 깊이").fill("4")
    assert cells(page, "3D 출력") == flat
    expect(page.get_by_text("3D 출력과 2D 출력이 같습니다.")).to_be_visible()


def test_a_difference_over_depth_finds_what_moves(page):
    page.get_by_role("radio", name="움직이는 점").check(force=True)
    # The dot is at column 1, 2, 3, 2: a minus where it left, a plus where it came.
    assert cells(page, "3D 출력의 깊이 1")[3:6] == ["−5", "5", "0"]
    assert cells(page, "3D 출력의 깊이 2")[3:6] == ["0", "−5", "5"]
    assert cells(page, "3D 출력의 깊이 3")[3:6] == ["0", "5", "−5"]


def test_two_channels_have_kernels_of_their_own_and_one_sum(page, accessible):
    page.get_by_role("radio", name="2", exact=True).check(force=True)
    assert page.locator(".cnn-slice:visible").count() == 8
    assert page.locator(".cnn-sums p").count() == 4 + 1
    assert "conv3d" in page.locator(".cnn-code").inner_text()
    accessible(page, ".cnn")
