"""What a reader does with the MultiChannel demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.demos import MultiChannel


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(MultiChannel(link_key="multi_channel"))


def cells(page: Page, name: str):
    return page.get_by_role("grid", name=re.compile(f"^{name}")).get_by_role("gridcell")


def test_channel_sums_and_the_bias_make_the_output(page):
    assert page.locator(".cnn-subtotal").all_inner_texts() == ["12", "−1", "3"]
    assert page.locator(".cnn-sum").inner_text() == "12 + (−1) + 3 + 1 = 15"
    assert cells(page, "출력 채널 1,").first.inner_text() == "15"


def test_an_input_channel_reaches_every_output_channel_a_kernel_only_its_own(page):
    one, two = (cells(page, f"출력 채널 {o},") for o in (1, 2))
    before = one.all_inner_texts(), two.all_inner_texts()
    field = cells(page, "입력 채널 초록").nth(12).locator("input")
    field.fill("5")
    field.press("Enter")
    changed = [
        sum(a != b for a, b in zip(x.all_inner_texts(), y, strict=True))
        for x, y in zip((one, two), before, strict=True)
    ]
    assert changed == [6, 1]
    before = one.all_inner_texts(), two.all_inner_texts()
    weight = cells(page, "출력 채널 1에 쓰는 초록").nth(4).locator("input")
    weight.fill("7")
    weight.press("Enter")
    assert one.all_inner_texts() != before[0]
    assert two.all_inner_texts() == before[1]


def test_choosing_a_cell_of_the_other_channel_takes_that_channel_apart(page):
    cells(page, "출력 채널 2,").nth(5).click()
    expect(page.locator(".cnn-sentence")).to_have_text(re.compile("출력 채널 2의 2행 3열"))
    assert page.get_by_role("slider", name="순서").get_attribute("aria-valuetext") == "6 / 9"
    assert page.get_by_role("radio", name="2", exact=True).is_checked()


def test_the_photograph_has_a_map_for_each_output_channel_to_look_into(page, accessible):
    page.get_by_role("radio", name="컬러 사진").check(force=True)
    page.get_by_role("radio", name="빨강 − 초록").check(force=True)
    maps = page.get_by_role("group", name=re.compile("^출력 채널 .의 특징 지도"))
    assert maps.count() == 2
    greys = maps.first.locator("canvas").evaluate(
        "(c) => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
    )
    assert greys > 50
    sentence = page.locator(".cnn-sentence")
    maps.first.focus()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("ArrowLeft")
    expect(sentence).to_contain_text("45행 33열")
    expect(page.locator(".cnn [role=status]")).to_have_text(sentence.inner_text())
    accessible(page, ".cnn")


def test_looking_around_on_the_photograph_paints_nothing_again(page):
    page.get_by_role("radio", name="컬러 사진").check(force=True)
    paints = page.evaluate("""() => {
      const map = document.querySelector('.cnn-picture.looks canvas'), { x, y } = map.getBoundingClientRect();
      const painter = CanvasRenderingContext2D.prototype, painted = painter.putImageData;
      let paints = 0;
      painter.putImageData = () => { paints++; };
      for (let i = 1; i < 20; i++) {
        map.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: x + i, clientY: y + i }));
      }
      painter.putImageData = painted;
      return paints;
    }""")
    assert paints == 0
