"""What a reader does with the CifarPictures demo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cnnbook.data import CLASSES
from cnnbook.demos import CifarPictures

INK = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(data).size;
}"""


@pytest.fixture
def page(demo_page) -> Page:
    return demo_page(CifarPictures(link_key="cifar_pictures"))


def painted(page: Page) -> int:
    page.wait_for_function(f"({INK})(document.querySelector('.cnn-large')) > 20")
    return sum(canvas.evaluate(INK) > 20 for canvas in page.locator(".cnn-cell canvas").all())


def test_twenty_pictures_are_painted_and_the_wrong_ones_say_what_was_said(page):
    assert painted(page) == 20
    said = [CLASSES[c] for c in CifarPictures().answers["lecture"]["said"][60:80]]
    wrong = [CifarPictures.labels[name] for name in said if name != "cat"]
    assert page.locator(".cnn-said").all_inner_texts() == wrong
    expect(page.locator(".cnn-sentence")).to_contain_text(f"맞힌 것은 {20 - len(wrong)}장")


def test_a_class_a_network_and_an_order_are_chosen(page):
    page.get_by_role("radio", name="배", exact=True).check(force=True)
    page.get_by_role("radio", name="고친 신경망").check(force=True)
    right = sum(c == 8 for c in CifarPictures().answers["ours"]["said"][160:180])
    told = page.locator(".cnn-sentence")
    expect(told).to_contain_text(f"배 사진 20장 가운데 고친 신경망이 맞힌 것은 {right}장")
    page.get_by_role("radio", name="모두").check(force=True)
    page.get_by_role("radio", name="틀린 것부터").check(force=True)
    assert page.locator(".cnn-cell.missed").count() == 20
    assert painted(page) == 20
    answer = CifarPictures().answers["ours"]
    surest = max(p for k, p in enumerate(answer["confidence"]) if answer["said"][k] != k // 20)
    first = re.compile(f"고친 신경망은 {100 * surest:.1f}%의 확신으로")
    expect(page.get_by_role("gridcell").first).to_have_attribute("aria-label", first)


def test_keys_choose_a_picture_and_its_answers_are_read_out(page, accessible):
    first = page.get_by_role("gridcell").first
    first.focus()
    first.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="고양이 2번 사진")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="강의의 신경망은")).to_contain_text("고친 신경망은")
    assert page.locator(".cnn-cell.picked").count() == 1
    accessible(page, ".cnn")
