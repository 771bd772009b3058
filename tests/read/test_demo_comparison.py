"""Comparison's counts are those of real layers, and the layer it prints is the layer it counts."""

from __future__ import annotations

import random

import pytest
import torch
import traitlets
from torch import nn

from cnnbook.counting import count_macs, count_parameters, output_shapes, receptive_field
from cnnbook.demos import Comparison
from cnnbook.demos.comparison.comparison import FORMS
from tests.demo_harness import in_node

CASES = 200  # of each form
MEASURE = """(m, s) => {
  const f = m.measure(s.form, s), terms = f.weights?.map(m.valueOf);
  return f.problem ? null : [f.parameters, f.total, f.output, f.field, f.sees, terms, f.biases];
}"""


def random_state(r: random.Random, form: str) -> dict:
    groups = r.choice([1, 2, 3, 4, 8])
    mine = groups if r.random() < 0.7 else 1  # most channels fit the groups, some do not
    return {
        "form": form,
        "c_in": mine * r.randint(1, 5),
        "c_out": mine * r.randint(1, 5),
        "k": r.choice([1, 3, 5, 7]),
        "size": r.randint(1, 40),
        "stride": r.randint(1, 3),
        "dilation": r.randint(1, 4),
        "groups": groups,
        "depth": r.randint(1, 12),
        "bias": r.random() < 0.5,
    }


@pytest.fixture(scope="module")
def states() -> list[dict]:
    r = random.Random(0)
    return [random_state(r, form) for form in FORMS for _ in range(CASES)]


@pytest.fixture(scope="module")
def made(states) -> list[tuple[nn.Module | None, tuple[int, ...]]]:
    """The layer of each state, or None where torch refuses to make it, and the shape of its input."""
    demo = Comparison()

    def layer(form: str) -> nn.Module | None:
        try:
            return demo.layer(form)
        except ValueError as error:
            assert "divisible by groups" in str(error)
            return None

    found = []
    for state in states:
        for name, value in state.items():
            setattr(demo, name, value)
        found.append((layer(demo.form), demo.input_shape(demo.form)))
    demo.close()
    return found


def test_the_forms_are_ten_and_the_same_in_both_languages():
    assert in_node(Comparison, "(m) => m.FORMS", [0]) == [list(FORMS)]
    assert len(FORMS) == 10


def test_parameters_macs_output_and_field_are_those_of_the_layer(states, made):
    refused = 0
    for state, (layer, shape), told in zip(states, made, in_node(Comparison, MEASURE, states), strict=True):
        assert (told is None) == (layer is None), state
        if layer is None:
            refused += 1
            continue
        parameters, macs, output, field, _, terms, biases = told
        assert parameters == count_parameters(layer) == sum(terms) + biases, state
        assert macs == count_macs(layer, shape), state
        assert tuple(output) == list(output_shapes(layer, shape).values())[-1][1:], state
        assert tuple(field) == tuple(receptive_field(layer, shape)), state
    assert 50 < refused < 2 * CASES  # both kinds are really among the cases


def test_an_output_sees_as_many_channels_as_have_a_gradient(states, made):
    lines = list(zip(states, made, in_node(Comparison, MEASURE, states), strict=True))
    for state, (layer, shape), line in random.Random(1).sample(lines, 300):
        if layer is None:
            continue
        x = torch.rand(shape, requires_grad=True)
        for weight in layer.parameters():
            nn.init.ones_(weight)
        layer(x)[0, 0].sum().backward()
        assert line[4] == int((x.grad[0].flatten(1).abs().sum(dim=1) > 0).sum()), state


def test_the_printed_layer_is_the_layer(states, made):
    lines = in_node(Comparison, "(m, s) => m.torchLayer(s.form, s)", states)
    for state, (layer, _), line in zip(states, made, lines, strict=True):
        if layer is not None:
            assert repr(eval(line, {"nn": nn})) == repr(layer), state


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (294_912, "294,912"), (9_999_999, "9,999,999"), (57_802_752, "57.80 M"),
     (1_849_688_064, "1.85 G"), (2.5e12, "2.50 T")],
)  # fmt: skip
def test_large_counts_are_short(count, text):
    assert in_node(Comparison, "(m, n) => m.compact(n)", [count]) == [text]


@pytest.mark.parametrize(("name", "value"), [("c_in", 0), ("k", 4), ("form", "ordinary"), ("size", 513)])
def test_a_state_that_does_not_fit_is_refused_by_name(name, value):
    with pytest.raises(traitlets.TraitError, match=name):
        Comparison(**{name: value})


def test_an_unknown_form_says_which_there_are():
    with pytest.raises(ValueError, match="single, multi, volume"):
        Comparison().layer("ordinary")
