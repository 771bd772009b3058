"""Every demo by itself: keyboard, axe, phone, dark, silence, links. New demos are picked up by name."""

from __future__ import annotations

import pytest

from cnnbook import demos
from tests.browser.conftest import overflow
from tests.read.test_demos import NAMES, made

LOOKS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
SEEN = """() => {
  const e = document.activeElement, s = getComputedStyle(e), r = getComputedStyle(e.nextElementSibling ?? e);
  const shown = (x) => x.outlineStyle !== 'none' && parseFloat(x.outlineWidth) >= 2;
  const seen = shown(s) || (e.type === 'radio' && shown(r));
  return { inside: !!e.closest('.cnn'), shown: seen, what: e.outerHTML.slice(0, 120) };
}"""


@pytest.mark.parametrize(("theme", "width"), LOOKS)
@pytest.mark.parametrize("name", NAMES)
def test_is_accessible_and_fits_in_every_look(name, theme, width, demo_page, accessible):
    page = demo_page(made(name), theme=theme, width=width)
    accessible(page, ".cnn")
    assert overflow(page) == 0
    wide = page.evaluate("""() => {
      const right = (e) => e.getBoundingClientRect().right, edge = right(document.querySelector('.cnn'));
      return [...document.querySelectorAll('.cnn *')]
        .filter((e) => !e.closest('pre, .cnn-unseen, svg') && e.checkVisibility() && right(e) > edge)
        .map((e) => e.outerHTML.slice(0, 100));
    }""")
    assert not wide, "parts stick out of the demo"


@pytest.mark.parametrize("name", NAMES)
def test_tab_walks_through_every_control_and_out_again(name, demo_page):
    page = demo_page(made(name))
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<a id=after href=\"#\">after</a>')"
    )
    # One stop for a group of radio buttons; a grid gives one by its single tabindex=0.
    stops = page.evaluate("""() => {
      const groups = new Set();
      const all = document.querySelectorAll('.cnn :is(button, input, select, a[href], [tabindex="0"])');
      return [...all].filter((e) => {
        if (e.tabIndex < 0 || !e.checkVisibility()) return false;
        if (e.type !== 'radio') return true;
        return !groups.has(e.name) && groups.add(e.name);
      }).length;
    }""")
    assert stops > 0
    for _ in range(stops):
        page.keyboard.press("Tab")
        seen = page.evaluate(SEEN)
        assert seen["inside"], f"focus left the demo too early, at {seen['what']}"
        assert seen["shown"], f"focus cannot be seen on {seen['what']}"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "after"


@pytest.mark.parametrize("name", NAMES)
def test_arrow_keys_reach_every_corner_of_every_grid(name, demo_page):
    page = demo_page(made(name))
    for grid in page.get_by_role("grid").all():
        if not grid.is_visible():
            continue
        rows = grid.get_by_role("row").count()
        cols = grid.get_by_role("row").first.get_by_role("gridcell").count()
        grid.locator("[tabindex='0']").focus()
        page.keyboard.press("Control+End")
        here = "document.activeElement.closest('[data-r]').dataset"
        assert page.evaluate(f"[{here}.r, {here}.c]") == [str(rows - 1), str(cols - 1)]
        for _ in range(rows):
            page.keyboard.press("ArrowUp")
        for _ in range(cols):
            page.keyboard.press("ArrowLeft")
        assert page.evaluate(f"[{here}.r, {here}.c]") == ["0", "0"]
        assert grid.locator("[tabindex='0']").count() == 1


@pytest.mark.parametrize("name", NAMES)
def test_keys_pressed_in_a_demo_do_not_reach_the_notebook(name, demo_page):
    page = demo_page(made(name))
    page.evaluate("window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key))")
    page.locator(".cnn :is(button, input):visible").first.focus()
    for key in ("a", "x", "ArrowDown"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_without_scripts_shows_the_stand_in(name, demo_page):
    page = demo_page(made(name), scripts=False)
    assert page.locator("svg:visible, details:visible").count() > 0


@pytest.mark.parametrize("name", NAMES)
def test_draws_on_ipywidgets_7_as_on_8(name, demo_page, widgets7):
    now = demo_page(made(name)).locator(".cnn").inner_text()
    assert demo_page(made(name), page={"manager": widgets7}).locator(".cnn").inner_text() == now


@pytest.mark.parametrize("name", NAMES)
def test_no_slider_or_button_breaks_it(name, demo_page):
    page = demo_page(made(name))
    for bar in page.locator(".cnn input[type=range]:visible").all():
        bar.focus()
        for key in ("End", "Home", "ArrowRight"):
            page.keyboard.press(key)
    for button in page.locator(".cnn button:visible").all():
        if button.is_visible():
            button.click()
    for radio in page.locator(".cnn-choice input").all():
        if radio.is_visible():  # a choice may show other choices
            radio.check(force=True)
    assert page.locator(".cnn").is_visible()  # and the console stayed silent: `visit` checks


def shown(demo) -> str:
    """What a demo shows, without what it says to a screen reader a moment later."""
    return demo.evaluate("""e => {
      const status = e.querySelector('[role=status]');
      status.style.display = 'none';
      const text = e.innerText;
      status.style.display = '';
      return text;
    }""")


@pytest.mark.parametrize("name", [n for n in NAMES if n != "Quiz"])
def test_a_copied_link_brings_the_state_back_and_only_to_its_own_demo(name, demo_page):
    page = demo_page(made(name), made(name))
    first, second = page.locator(".cnn").all()
    untouched = shown(second)
    bar = first.locator("input[type=range]:visible").first
    if bar.count():
        bar.focus()
        page.keyboard.press("End")
    else:
        first.locator("input[type=radio]:visible:not(:checked)").last.check(force=True)
    moved = shown(first)
    first.get_by_role("button", name="링크 복사").click()
    page.wait_for_function("location.hash.startsWith('#demo.')")
    page.reload()
    page.locator(".cnn").nth(1).wait_for()
    again, other = page.locator(".cnn").all()
    assert shown(again) == moved
    assert shown(other) == untouched
    again.get_by_role("button", name="처음으로").click()
    assert shown(again) == untouched


@pytest.mark.parametrize(
    "hash", ["#demo.convolution_explorer.eyJ9", "#demo.convolution_explorer", "#demo..", "#%EA%B0%80"]
)
def test_a_damaged_link_opens_the_demo_as_it_was(hash, demo_page):
    page = demo_page(demos.ConvolutionExplorer(link_key="convolution_explorer"), hash=hash)
    assert "출력 1행 1열은" in page.locator(".cnn-sentence").inner_text()
