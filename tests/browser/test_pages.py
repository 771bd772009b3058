"""Every page of the built book: silent, accessible, fit for a phone, alive on a server and in a folder."""

from __future__ import annotations

import pytest

from tests.browser.conftest import overflow, pages

# Every page on a server, in daylight and at a desk; in the dark, on a phone; and from a folder.
LOOKS = [("http", "light", 1280), ("http", "dark", 390), ("file", "light", 390)]

# Every chapter page teaches with a demo, but for two that read stored measurements: what they compare takes
# minutes of training, and their tables and figures show all of it. Their quiz is their widget.
WITHOUT_DEMO = {"chapters/cifar10/better", "chapters/cifar10/fast"}


def address(page: str, scheme: str, site: str, book) -> str:
    return f"{site}/{page}.html" if scheme == "http" else (book / f"{page}.html").as_uri()


def wait_for_widgets(page) -> int:
    """Wait until every demo that the page announces is drawn; how many there are."""
    told = page.locator("script[type='application/vnd.jupyter.widget-view+json']").count()
    if told:
        page.locator(".cnn").nth(told - 1).wait_for()
    return told


@pytest.mark.parametrize(("scheme", "theme", "width"), LOOKS)
@pytest.mark.parametrize("name", pages())
def test_page_is_silent_accessible_and_fits(name, scheme, theme, width, site, book, visit, accessible):
    page = visit(address(name, scheme, site, book), theme=theme, width=width)
    wait_for_widgets(page)
    assert page.locator("html").get_attribute("data-theme") == theme
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.locator("h1:visible").count() == 1  # the theme keeps a second one for print
    accessible(page, "main")
    assert overflow(page) <= 0
    assert page.locator("mjx-merror, .MathJax_Error").count() == 0
    assert not page.evaluate(
        "[...document.images].filter((i) => !i.complete || !i.naturalWidth).map((i) => i.src)"
    )


@pytest.mark.parametrize("name", [p for p in pages() if p.startswith("chapters/") and "appendix" not in p])
def test_a_chapter_page_has_a_demo_and_a_quiz_and_both_without_scripts_too(name, site, visit):
    page = visit(f"{site}/{name}.html")
    assert wait_for_widgets(page) >= (1 if name in WITHOUT_DEMO else 2)
    assert page.locator(".cnn-quiz").count() == 1
    still = visit(f"{site}/{name}.html", scripts=False)
    assert still.locator("noscript details, details:visible").count() > 0
    assert still.locator(".cell_output svg:visible").count() > 0
