"""A stored result says what was measured, by which command, on which machine and when; no less will do."""

import builtins
import json
import platform
import socket
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import torch

from cnnbook import results
from cnnbook.results import ResultError

ROOT = Path(__file__).parents[2]
GOOD = {
    "name": "speed",
    "command": "python -m bench.speed",
    "date": "2026-01-31",
    "machine": {"cpu": "A <fast> CPU", "cores": 2, "ram_gib": 7.5, "gpu": None},
    "versions": {"torch": "2.9.0"},
    "data": {"ms": [1.5, 2.5]},
}


@pytest.mark.parametrize("path", sorted(results.FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_stored_results_fit_the_format_and_their_command_exists(path):
    result = results.load(path.stem)
    python, dash, module, *_ = result.command.split()
    assert (python, dash) == ("python", "-m")
    assert (ROOT / Path(*module.split("."))).with_suffix(".py").is_file()


def test_save_then_load_gives_the_numbers_back(tmp_path):
    path = results.save("speed", {"ms": 1.5}, command="python -m bench.speed", folder=tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    result = results.load("speed", folder=tmp_path)
    assert result.data == {"ms": 1.5}
    assert result.versions["python"] == platform.python_version()
    assert set(result.versions) == {"python", "torch"}


def test_a_result_never_holds_the_name_of_the_host(tmp_path):
    path = results.save("speed", {"ms": 1}, command="python -m bench.speed", folder=tmp_path)
    assert socket.gethostname() not in path.read_text(encoding="utf-8")


def test_the_page_shows_command_machine_and_date():
    result = results.validate(GOOD)
    for part in ("python -m bench.speed", "A <fast> CPU", "2코어", "7.5 GiB", "2026-01-31", "torch 2.9.0"):
        assert part in result.caption()
    shown = result._repr_mimebundle_()["text/html"]
    assert "<code>python -m bench.speed</code>" in shown
    assert "A &lt;fast&gt; CPU" in shown


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"command": ""}, "'command'"),
        ({"date": "31.1.2026"}, "YYYY-MM-DD"),
        ({"name": "Speed Test"}, "'name'"),
        ({"machine": {"cpu": "x"}}, "'machine' must have exactly"),
        ({"machine": GOOD["machine"] | {"hostname": "pc"}}, "'machine' must have exactly"),
        ({"machine": GOOD["machine"] | {"cores": "two"}}, r"'machine\.cores' must be int"),
        ({"versions": {"torch": 2}}, "'versions'"),
        ({"data": {}}, "'data'"),
        ({"data": {"ms": [1.0, float("nan")]}}, r"'data\.ms\.1' is not a finite number"),
        ({"note": "x"}, "unknown fields note"),
    ],
)
def test_a_wrong_field_is_named(change, message):
    with pytest.raises(ResultError, match=message):
        results.validate(GOOD | change)


@pytest.mark.parametrize("field", GOOD)
def test_a_missing_field_is_named(field):
    with pytest.raises(ResultError, match=f"has no {field}"):
        results.validate({key: value for key, value in GOOD.items() if key != field})


def test_an_unknown_result_lists_those_there_are(tmp_path):
    (tmp_path / "speed.json").write_text(json.dumps(GOOD), encoding="utf-8")
    with pytest.raises(ResultError, match=r"'sped'; there are: speed"):
        results.load("sped", folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ("[]", "JSON object"), (json.dumps(GOOD | {"name": "other"}), "named as its file")],
)
def test_a_broken_file_is_named(tmp_path, text, message):
    (tmp_path / "speed.json").write_text(text, encoding="utf-8")
    with pytest.raises(ResultError, match=rf"speed\.json: .*{message}"):
        results.load("speed", folder=tmp_path)


def test_a_failed_measurement_leaves_the_old_result(tmp_path):
    path = results.save("speed", {"ms": 1.5}, command="python -m bench.speed", folder=tmp_path)
    before = path.read_bytes()
    with pytest.raises(ResultError):
        results.save("speed", {"ms": float("inf")}, command="python -m bench.speed", folder=tmp_path)
    assert path.read_bytes() == before


def test_glue_hands_the_formatted_value_to_the_book(monkeypatch):
    given = {}
    monkeypatch.setattr("myst_nb.glue", lambda name, value, display: given.update({name: (value, display)}))
    results.glue("weights", 1792, ",")
    assert given == {"weights": ("1,792", False)}


def test_glue_outside_the_book_does_nothing(monkeypatch, capsys):
    real = builtins.__import__

    def no_book(name, *args, **kwargs):
        if name == "myst_nb":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_book)
    results.glue("weights", 1792, ",")
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="format"):
        results.glue("weights", "many", ".2f")


@pytest.mark.parametrize("made", [torch.tensor, numpy.array, list])
def test_numbers_are_rounded_at_any_depth(made):
    assert results.rounded(made([[0.12346, -2.0], [3.00006, 1e-9]]), 4) == [[0.1235, -2.0], [3.0001, 0.0]]
    assert results.rounded(2 / 3, 3) == 0.667


def test_importing_results_is_light():
    code = (
        "import sys, cnnbook.results; print([m for m in ('torch', 'myst_nb', 'numpy') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_half_up_rounds_as_the_demos_do():
    """Every hundredth, and every one that a mean of floats has missed by a hair."""
    hundredths = [k / 100 for k in range(2001)]
    expected = [(k + 5) // 10 / 10 for k in range(2001)]
    assert [results.half_up(v) for v in hundredths] == expected
    assert [results.half_up(100 * (v / 100) - 1e-13) for v in hundredths] == expected
    assert results.half_up(-77.85) == -77.9
    assert results.half_up(2.5, 0) == 3
