"""The kit's README tells the truth: its example is a demo that works."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from cnnbook import demos
from cnnbook.demos.kit import Demo
from tests.demo_harness import in_node


@pytest.fixture
def doubler(tmp_path, monkeypatch) -> type[Demo]:
    readme = (Path(demos.__file__).parent / "README.md").read_text(encoding="utf-8")
    for language, file in {"python": "doubler.py", "js": "doubler.js", "json": "doubler.ko.json"}.items():
        (code,) = re.findall(rf"^```{language}\n(.*?)^```", readme, re.M | re.S)
        (tmp_path / file).write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__("doubler").Doubler
    del sys.modules["doubler"]


def test_the_example_computes(doubler):
    assert in_node(doubler, "(m, c) => m.double(...c)", [[3, False], [4, True]]) == [6, -8]


def test_the_example_is_alive(doubler, demo_page, accessible):
    page = demo_page(doubler())
    accessible(page, ".cnn")
    answer = page.locator(".cnn-text")
    expect(answer).to_have_text("3을 두 배 하면 6입니다.")
    page.get_by_role("slider", name="수", exact=True).fill("4")
    page.get_by_label("부호 바꾸기").check()
    expect(answer).to_have_text("4를 두 배 하면 −8입니다.")
    expect(page.locator("code")).to_have_text("-2 * torch.tensor(4)")
    page.get_by_role("button", name="처음으로").click()
    expect(answer).to_have_text("3을 두 배 하면 6입니다.")


def test_a_link_with_values_out_of_range_changes_nothing(doubler, demo_page):
    (code,) = in_node(doubler, "(m, s) => m.encodeState(s)", [{"n": 99}])
    page = demo_page(doubler(link_key="doubler"), hash=f"#demo.doubler.{code}")
    expect(page.locator(".cnn-text")).to_have_text("3을 두 배 하면 6입니다.")


def test_a_state_given_in_python_is_what_the_page_shows(doubler, demo_page):
    page = demo_page(doubler(n=7, minus=True))
    expect(page.locator(".cnn-text")).to_have_text("7을 두 배 하면 −14입니다.")
