"""A student opens the release in JupyterLab, types answers, and reads what the public tests say."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest
from playwright.sync_api import expect

from autograders.banks import load
from tests.browser.conftest import ROOT

STARTS_WITHIN = 90  # seconds that a busy machine may need for a server or a kernel
OPENS_WITHIN = 1000 * STARTS_WITHIN


@pytest.fixture
def lab(tmp_path):
    """A JupyterLab server on this machine, in a folder that holds the release and nothing else."""
    home = tmp_path / "home"
    work = tmp_path / "work"
    work.mkdir()
    shutil.copy(ROOT / "release" / "counting" / "counting.ipynb", work)
    runtime = home / "runtime"
    places = {"HOME": home, "JUPYTER_RUNTIME_DIR": runtime, "JUPYTERLAB_SETTINGS_DIR": home / "settings"}
    options = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root", "--LabApp.news_url=None"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={work}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        env=os.environ | {name: str(place) for name, place in places.items()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _address(server, runtime)
    finally:
        server.terminate()
        server.wait(timeout=STARTS_WITHIN)


def _address(server, runtime):
    """Wait until the server has written where it listens, and answers there."""
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end:
        assert server.poll() is None, "JupyterLab ended while it started"
        for file in runtime.glob("jpserver-*.json"):
            try:
                address = json.loads(file.read_text())["url"]
                urllib.request.urlopen(f"{address}api/status").close()
                return address
            except (json.JSONDecodeError, urllib.error.URLError):
                pass  # half written, or not listening yet
        time.sleep(0.2)
    pytest.fail("JupyterLab did not start")


class Lab:
    """The release, open in JupyterLab."""

    def __init__(self, page):
        self.page = page
        self.runs = 0

    def run(self, place, source=None):
        """Type `source` into a cell if it is given, and run the cell, by keyboard; return what it printed."""
        cell = self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{place}"]')
        editor = cell.locator(".cm-content")
        editor.click()
        expect(editor).to_be_focused()
        if source is not None:
            self.page.keyboard.press("Control+a")
            self.page.keyboard.insert_text(source)
        editor.press("Control+Enter")
        self.runs += 1
        expect(cell.locator(".jp-InputPrompt")).to_have_text(f"[{self.runs}]:", timeout=OPENS_WITHIN)
        return "\n".join(cell.locator(".jp-OutputArea-output").all_inner_texts())


@pytest.fixture
def notebook(browser, lab):
    """The release, open and with its kernel ready."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(OPENS_WITHIN)
    page.goto(f"{lab}lab/tree/counting.ipynb")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    page.wait_for_load_state("networkidle")  # extensions that come late take the focus
    yield Lab(page)
    page.close()


def test_public_tests_answer_question_by_question(notebook):
    cells = nbformat.read(ROOT / "release" / "counting" / "counting.ipynb", 4).cells
    graded = {c.metadata.nbgrader["grade_id"]: i for i, c in enumerate(cells) if "nbgrader" in c.metadata}
    notebook.run(next(i for i, c in enumerate(cells) if c.id == "setup"))
    points, typed = 0, set()
    for question in load("counting")[:7]:
        answer, test = graded[question.cell], graded[question.test]
        if answer not in typed:
            notebook.run(answer)
            assert "AssertionError" in notebook.run(test), "a blank answer is told so"
            notebook.run(answer, next(iter(question.right.values())))
            typed.add(answer)
        points += cells[test].metadata.nbgrader["points"]
        assert f"52점 가운데 {points}점" in notebook.run(test)
