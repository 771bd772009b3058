"""What every demo keeps, whatever it shows; and the kit's own words, numbers and links."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import traitlets

from cnnbook import demos
from cnnbook.demos import ConvolutionExplorer, Option, Question, Quiz
from cnnbook.demos.kit import Demo
from tests.demo_harness import in_node

NAMES = sorted(demos.names())
FOLDER = Path(demos.__file__).parent
QUESTION = Question(
    "몇 칸입니까?", [Option("둘", "하나 모자랍니다."), Option("셋", "맞게 셌습니다.", right=True)]
)


def made(name: str) -> Demo:
    """The demo as a page would first show it."""
    return Quiz(QUESTION) if name == "Quiz" else getattr(demos, name)()


def own_file(name: str, suffix: str) -> Path:
    folder = getattr(demos, name).name
    return FOLDER / folder / f"{folder}{suffix}"


# ------------------------------------------------------------------------------------------------- every demo


def test_importing_demos_stays_quick_and_needs_no_torch():
    script = (
        f"import sys; from cnnbook.demos import {', '.join(NAMES)};"
        "print([m for m in ('torch', 'torchvision', 'matplotlib.pyplot') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_module_loads_without_a_page_and_offers_a_render_function(name):
    assert in_node(getattr(demos, name), "(m) => typeof m.default.render", [0]) == ["function"]


@pytest.mark.parametrize("name", NAMES)
def test_own_script_is_at_most_30_kilobytes(name):
    assert own_file(name, ".js").stat().st_size <= 30 * 1024


@pytest.mark.parametrize("name", NAMES)
def test_every_label_is_used_and_every_used_label_exists(name):
    demo = getattr(demos, name)
    kit_table = json.loads((FOLDER / "kit" / "kit.ko.json").read_text(encoding="utf-8"))
    table = json.loads(own_file(name, ".ko.json").read_text(encoding="utf-8"))
    script = own_file(name, ".js").read_text(encoding="utf-8")
    spoken = set(re.findall(r'\bt\("(\w+)"', script))
    missing = spoken - set(demo.labels)
    assert not missing, f"{name} asks for labels its table does not hold"
    code = script + own_file(name, ".py").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", code)) | {"title"}  # a label may be named by a variable, as t(kind)
    assert not set(table) - words, f"{name} has labels that nothing uses"
    assert not set(table) & (set(kit_table) - {"title"}), f"{name} changes a label of the kit"


@pytest.mark.parametrize("name", NAMES)
def test_uses_only_what_ipywidgets_7_and_8_share(name):
    shared = {"get", "set", "save_changes", "on", "off"}
    assert set(re.findall(r"\bmodel\.(\w+)", str(getattr(demos, name)._esm))) <= shared


@pytest.mark.parametrize("name", NAMES)
def test_something_stands_in_where_scripts_are_off(name):
    page = made(name).static_html()
    assert page.startswith("<noscript>")
    assert "<svg" in page or "<details>" in page
    assert "<script" not in page


@pytest.mark.parametrize("name", NAMES)
def test_shows_the_widget_and_its_stand_in_as_two_outputs(name, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(set(data)))
    made(name)._ipython_display_()
    assert "application/vnd.jupyter.widget-view+json" in shown[0]
    assert "text/html" in shown[1]


@pytest.mark.parametrize("name", NAMES)
def test_colours_are_named_by_role(name):
    css = own_file(name, ".css")
    code = own_file(name, ".js").read_text("utf-8") + (css.read_text("utf-8") if css.exists() else "")
    grey = {"#fff", "#000", "#ffffff", "#000000"}
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", code)) <= grey, (
        "a colour of its own: use a role from colors.json"
    )


def test_an_unknown_demo_says_which_there_are():
    with pytest.raises(AttributeError, match="ConvolutionExplorer"):
        demos.Convolutionexplorer  # noqa: B018


def test_a_mistyped_setting_says_which_there_are():
    with pytest.raises(TypeError, match=r"strid; its state is .*stride"):
        ConvolutionExplorer(strid=2)


def test_a_demo_without_labels_says_what_is_missing(tmp_path, monkeypatch):
    (tmp_path / "mute.py").write_text("from cnnbook.demos.kit import Demo\nclass Mute(Demo): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"mute\.ko\.json is missing"):
        __import__("mute")


def test_demos_of_one_kind_get_links_of_their_own():
    keys = {ConvolutionExplorer().link_key for _ in range(3)}
    assert len(keys) == 3


# ---------------------------------------------------------------------------------------- words and numbers


@pytest.mark.parametrize(
    ("word", "pair", "fits"),
    [
        ("3", "은/는", "은"), ("2", "은/는", "는"), ("10", "이/가", "이"), ("−5", "을/를", "를"),
        ("9", "과/와", "와"), ("1/9", "과/와", "과"), ("0.5", "이/가", "가"), ("커널", "을/를", "을"),
        ("패딩", "은/는", "은"), ("스트라이드", "은/는", "는"), ("입력", "으로/로", "으로"),
        ("커널", "으로/로", "로"), ("1", "으로/로", "로"), ("6", "으로/로", "으로"),
    ],
)  # fmt: skip
def test_particles_follow_the_last_sound(word, pair, fits):
    assert in_node(ConvolutionExplorer, "(m, c) => m.particle(...c)", [[word, pair]]) == [fits]


def test_a_template_is_filled_with_numbers_and_particles():
    call = "(m) => m.fill('{n|을/를} 두 배 하면 {r}입니다. {w}', { n: 3, r: -0.5, w: '끝' })"
    assert in_node(ConvolutionExplorer, call, [0]) == ["3을 두 배 하면 −0.5입니다. 끝"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (-1, "−1"), (0.25, "0.25"), (1 / 9, "1/9"), (-2 / 3, "−2/3"), (-1e-9, "0"),
     (1.41421356, "1.414"), (12345, "12,345"), (1234, "1,234"), (29.333333, "29.333")],
)  # fmt: skip
def test_numbers_read_as_people_write_them(value, text):
    assert in_node(ConvolutionExplorer, "(m, v) => m.num(v)", [value]) == [text]


def test_numbers_in_cells_stay_short():
    values = [random.Random(0).uniform(-1, 1) * 10**k for k in range(-3, 9) for _ in range(50)]
    texts = in_node(ConvolutionExplorer, "(m, v) => m.short(v)", values)
    assert max(map(len, texts)) <= 7
    assert in_node(ConvolutionExplorer, "(m, v) => m.short(v)", [1234.5, -99999.4, 123456]) == [
        "1235",
        "−99999",
        "1.2e5",
    ]


def test_typed_numbers_are_understood_and_nonsense_is_not():
    good = {"3": 3, " −2 ": -2, "-0.5": -0.5, ".5": 0.5, "1/4": 0.25, "-1/8": -0.125, "1e2": 100}
    bad = ["", "셋", "1/0", "1,5", "1//2", "1/2/3", "0x10", "Infinity", "--1"]
    parsed = in_node(ConvolutionExplorer, "(m, v) => m.parseNumber(v)", [*good, *bad])
    assert parsed == [*good.values(), *[None] * len(bad)]  # JSON has no NaN


def test_python_literals_are_exact():
    values = [3, -2, 0.1, 1 / 9, -5 / 7, 0.125, 2.5e-7, 1e21, 2 / 3]
    texts = in_node(ConvolutionExplorer, "(m, v) => m.literal(v)", values)
    assert [float(Fraction(t) if "/" in t else t) for t in texts] == pytest.approx(values, rel=1e-15)


# -------------------------------------------------------------------------------------------- shared links


def random_state(r: random.Random) -> dict:
    word = "".join(r.choice("가나다abc +/=.~😀") for _ in range(r.randint(0, 12)))
    matrix = [[r.uniform(-9, 9) for _ in range(3)] for _ in range(r.randint(1, 5))]
    return {"kernel": matrix, "stride": r.randint(1, 3), "view": word, "on": r.random() < 0.5}


def test_a_state_survives_its_address():
    states = [random_state(random.Random(seed)) for seed in range(2000)]
    back = in_node(
        ConvolutionExplorer, "(m, s) => [m.encodeState(s), m.decodeState(m.encodeState(s))]", states
    )
    assert [b[1] for b in back] == states
    # Themes hand the hash to querySelector: every part must be a valid name there.
    assert all(re.fullmatch(r"[A-Za-z][\w-]*", b[0]) for b in back)


def test_demos_of_one_page_share_one_address():
    call = """(m) => {
      let hash = m.writeHash("", "one", m.encodeState({ n: 1 }));
      hash = m.writeHash(hash, "two-2", m.encodeState({ n: 2 }));
      hash = m.writeHash(hash, "one", m.encodeState({ n: 3 }));
      const both = m.readHash(hash);
      const emptied = m.writeHash(m.writeHash(hash, "one", null), "two-2", null);
      return [m.decodeState(both.get("one")).n, m.decodeState(both.get("two-2")).n, both.size, emptied];
    }"""
    assert in_node(ConvolutionExplorer, call, [0]) == [[3, 2, 2, ""]]


def test_a_damaged_address_is_no_state():
    damaged = ["", "!!", "eyJ", "WzFd", "bnVsbA", "가"]
    assert in_node(ConvolutionExplorer, "(m, v) => m.decodeState(v)", damaged) == [None] * len(damaged)


def test_an_address_of_a_section_is_left_alone():
    assert in_node(
        ConvolutionExplorer, "(m, v) => m.readHash(v).size", ["#padding", "#demo", "#id1.demo"]
    ) == [0, 0, 0]


@pytest.mark.parametrize(
    ("model", "value", "fits"),
    [
        ([[1, 2]], [[3, 4], [5, 6]], True), ([[1]], [["a"]], False), ([[1]], [[None]], False),
        ([[1]], [], False),
        ([[1]], 1, False), (1, "1", False), (True, False, True), (1, 2, True), ([[1]], [[0] * 65], False),
    ],
)  # fmt: skip
def test_only_values_of_the_same_kind_are_taken_from_an_address(model, value, fits):
    assert in_node(ConvolutionExplorer, "(m, c) => m.sameKind(...c)", [[model, value]]) == [fits]


def test_state_is_checked_in_python_too():
    with pytest.raises(traitlets.TraitError, match="stride"):
        ConvolutionExplorer(stride=9)
