"""A trained network that travels in the notebook: read as numbers, scored, never worth more than it is."""

import base64
import hashlib
import json
import zlib

import nbformat
import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader.converters import GenerateAssignment
from PIL import Image

from autograders.grading import REPORT, grade_notebook
from autograders.inside import weights
from autograders.job import Limits
from autograders.mend import Template
from autograders.settings import Settings
from tests.grade.tiny import Course, cell, source

LEVELS = [20 * k + 10 for k in range(10)]  # grey of each class


def pack(table, values, **changed):
    """Write the text of a notebook's weights, with parts changed by those who mean no good."""
    head = changed.get("head", json.dumps(table).encode())
    raw = head + b"\n" + np.asarray(values, "<f2").tobytes()
    body = base64.b64encode(changed.get("compressed", zlib.compress(raw))).decode()
    length = changed.get("length", len(body))
    digest = changed.get("digest", hashlib.sha256(body.encode()).hexdigest())
    return f"WEIGHTS 1 {length} {digest}\n{body}\nEND\n"


def grey_weights(right=10):
    """Weights of a linear layer on the mean grey, in [0, 1]: the nearest class, of those it knows."""
    level = torch.tensor([k / 255 for k in LEVELS[:right]] + [9.0] * (10 - right))
    weight = 20 * torch.stack([level] * 3, 1) * 2 / 3
    return [["fc.weight", [10, 3]], ["fc.bias", [10]]], [
        *weight.flatten().tolist(),
        *(-20 * level**2).tolist(),
    ]


GOOD = pack(*grey_weights())

NETWORK = """
import torch
from torch import nn

class Grey(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 10)

    def forward(self, x):
        return self.fc(x.mean((2, 3)))
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Test pictures of ten classes, as an instructor's copy of CIFAR-10 holds them."""
    root = tmp_path_factory.mktemp("cifar10")
    for name, level in enumerate(LEVELS):
        (root / "test" / f"class{name}").mkdir(parents=True)
        for i in range(3):
            Image.new("RGB", (32, 32), (level,) * 3).save(root / "test" / f"class{name}" / f"{i}.png")
    for path in [root, *root.rglob("*")]:
        path.chmod(0o755)
    for parent in root.parents:
        if parent.stat().st_mode & 0o1 == 0:
            parent.chmod(0o711)
    return root


def carrying():
    """The tiny assignment with a network, a cell that prints its weights and the task that scores them."""
    nb = source()
    given = "import torch\n\ndef to_input(pictures):\n    return pictures / 255"
    nb.cells.insert(1, cell(new_code_cell, given, "given"))
    nb.cells.append(cell(new_code_cell, "### BEGIN SOLUTION\n### END SOLUTION", "network", solution=True))
    show = cell(new_code_cell, "print('weights')", "pack")
    plan = {"task": "trained", "network": "Grey", "inputs": "to_input", "dataset": "cifar10"}
    plan["marks"] = [[0.25, 1], [0.5, 2], [0.95, 4]]
    show.metadata["cnnbook"] = {"keep_output": 100_000, "weights": plan}
    nb.cells.append(show)
    task = cell(new_markdown_cell, "훈련한 신경망으로 채점합니다.", "trained", points=4)
    task.metadata.nbgrader.task = True
    nb.cells.append(task)
    return nb


TEMPLATE = Template.of(carrying())


def submission(text=GOOD, network=NETWORK):
    nb = carrying()
    for one in nb.cells:
        if one.id == "network":
            one.source = network
        elif one.id == "pack":
            one.outputs = [new_output("stream", name="stdout", text=text)] if text else []
    return nb


@pytest.fixture
def graded(engine, pictures):
    def grade(*arguments, datasets=None, **limits):
        settings = Settings(
            datasets={"cifar10": str(pictures)} if datasets is None else datasets,
            limits=Limits(**{"cell_seconds": 10, "notebook_seconds": 30, **limits}),
        )
        return grade_notebook(TEMPLATE, submission(*arguments), runner=engine, settings=settings)

    return grade


def outcome(result):
    (points,) = result.record["scored"].values()
    return points, " ".join(note["text"] for note in result.record["notes"] if note["grade_id"] == "trained")


def others(result):
    return {name: score for name, (score, _) in result.scores.items() if name.startswith("test_")}


# Reading


def test_what_was_packed_is_read_back():
    values = torch.arange(6.0)
    read = weights.unpack("noise\n" + pack([["a", [2, 2]], ["b.c", []], ["d", [1]]], values) + "more")
    assert {name: value.tolist() for name, value in read.items()} == {
        "a": [[0.0, 1.0], [2.0, 3.0]],
        "b.c": 4.0,
        "d": [5.0],
    }


BOMB = zlib.compress(bytes(300_000_000), 9)
HOSTILE = {
    "no text": "accuracy 0.8",
    "cut off": GOOD[:-40],
    "not base64": "WEIGHTS 1 4 " + hashlib.sha256(b"****").hexdigest() + "\n****\nEND",
    "base64 of nothing": pack([], [], compressed=b"nothing"),
    "bad padding": "WEIGHTS 1 5 " + hashlib.sha256(b"AAAAA").hexdigest() + "\nAAAAA\nEND",
    "a letter changed": GOOD.replace("\neJ", "\neK"),
    "another length": pack(*grey_weights(), length=3),
    "a bomb": pack([], [], compressed=BOMB),
    "a stream that does not end": pack([], [], compressed=zlib.compress(b"[]\n" + bytes(99))[:-6]),
    "a pickle": pack([], [], head=b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93."),
    "an object for a table": pack([], [], head=b'{"a": [1]}'),
    "a deep table": pack([], [], head=b"[" * 150_000),
    "a long table": pack([[f"n{i}", [0]] for i in range(3000)], []),
    "names twice": pack([["a", [1]], ["a", [1]]], [1, 2]),
    "a name that is no text": pack([[["a"], [1]]], [1]),
    "a huge shape": pack([["a", [1_000_000, 1_000_000]]], [1]),
    "many axes": pack([["a", [1] * 40]], [1]),
    "a negative shape": pack([["a", [-1]], ["b", [2]]], [1]),
    "a fractional shape": pack([["a", [1.0]]], [1]),
    "a true shape": pack([["a", [True]]], [1]),
    "fewer values than shapes": pack([["a", [3]]], [1]),
    "more values than shapes": pack([["a", [1]]], [1, 2]),
    "nan": pack([["a", [1]]], [np.nan]),
    "infinite": pack([["a", [1]]], [np.inf]),
    "too many values": pack([["a", [1_000_001]]], np.zeros(1_000_001)),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_whatever_is_no_weights_is_refused_with_a_sentence(text):
    with pytest.raises(weights.Unreadable, match=r"[가-힣].*[.?]$"):
        weights.unpack(text)


# Scoring


def test_a_trained_network_gets_the_points_of_its_accuracy(graded):
    points, said = outcome(graded())
    assert points == 4 and "30장 가운데 30장" in said


def test_a_half_trained_one_gets_a_part(graded):
    assert outcome(graded(pack(*grey_weights(right=6))))[0] == 2
    assert outcome(graded(pack(*grey_weights(right=1))))[0] == 0


@pytest.mark.parametrize("name", ["cut off", "not base64", "a bomb", "a pickle", "a huge shape", "nan"])
def test_what_is_damaged_costs_that_question_alone(graded, name):
    result = graded(HOSTILE[name])
    points, said = outcome(result)
    assert points == 0 and "0점" in said
    assert others(result) == {"test_double": 2, "test_seven": 3}


def test_too_long_a_text_costs_that_question_alone(graded):
    result = graded(GOOD + "A" * 100_000)
    assert outcome(result)[0] == 0 and "한도" in str(result.record["notes"])
    assert others(result) == {"test_double": 2, "test_seven": 3}


TABLE, VALUES = grey_weights()
MISFITS = {
    "another name": (pack([["fc.weights", [10, 3]], TABLE[1]], VALUES), NETWORK),
    "another shape": (pack([["fc.weight", [3, 10]], TABLE[1]], VALUES), NETWORK),
    "a layer too many": (pack([*TABLE, ["extra", [1]]], [*VALUES, 1.0]), NETWORK),
    "a layer missing": (pack(TABLE[:1], VALUES[:30]), NETWORK),
    "no network": (GOOD, ""),
    "a network that raises": (GOOD, NETWORK.replace("x.mean((2, 3))", "x.nothing")),
    "outputs of another shape": (GOOD, NETWORK.replace("x.mean((2, 3)))", "x.mean((2, 3)))[:, :9]")),
    "nan for an answer": (GOOD, NETWORK.replace("x.mean((2, 3))", "x.mean((2, 3)) / 0 * 0")),
}  # fmt: skip


@pytest.mark.parametrize("text, network", MISFITS.values(), ids=MISFITS)
def test_weights_and_network_that_do_not_work_together_score_nothing(graded, text, network):
    result = graded(text, network)
    assert outcome(result)[0] == 0
    assert others(result) == {"test_double": 2, "test_seven": 3}


def test_no_weights_score_nothing_and_are_told(graded):
    points, said = outcome(graded(""))
    assert points == 0 and "가중치가 노트북에 없어" in said


def test_without_the_data_set_a_person_marks(graded):
    points, said = outcome(graded(datasets={}))
    assert points is None and "손으로 채점" in said
    assert outcome(graded("", datasets={}))[0] == 0
    assert outcome(graded(HOSTILE["nan"], datasets={}))[0] == 0


def test_a_folder_that_holds_something_else_is_no_ground_for_a_mark(graded, tmp_path):
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.stat().st_mode & 0o1 == 0:
            parent.chmod(0o711)
    assert outcome(graded(datasets={"cifar10": str(tmp_path)}))[0] is None


def test_a_network_that_takes_too_long_waits_for_a_person(graded):
    slow = NETWORK.replace("return self", "import time; time.sleep(60)\n        return self")
    result = graded(GOOD, slow, cell_seconds=2)
    assert outcome(result)[0] is None
    assert others(result) == {"test_double": 2, "test_seven": 3}


def test_the_labels_are_out_of_the_students_reach(graded):
    cheat = NETWORK.replace("return self.fc(x.mean((2, 3)))", "return self.fc(x.mean((2, 3))) * bool(SEEN)")
    cheat += """
import os
SEEN = [p for f in ("data", "/datasets") for p, _, names in os.walk(f) if names]
try:
    import ctypes
    libc = ctypes.CDLL(None)
    libc.umount2(b"/datasets/0", 2)
    libc.unshare(0x10000000 | 0x20000)
    libc.umount2(b"/datasets/0", 2)
    SEEN += [p for p, _, names in os.walk("/datasets") if names]
except OSError:
    pass
"""
    assert outcome(graded(GOOD, cheat))[0] == 0
    assert outcome(graded(GOOD, cheat.replace("bool(SEEN)", "(not SEEN)")))[0] == 4


def test_a_network_that_lies_about_its_names_gains_nothing(graded):
    liar = (
        NETWORK
        + """
    def state_dict(self, *arguments, **named):
        return {"fc.weight": torch.zeros(10, 3), "fc.bias": torch.zeros(10)}
"""
    )
    assert outcome(graded(GOOD, liar))[0] == 0


def test_predictions_are_counted_by_the_checker(graded):
    liar = (
        NETWORK
        + """
class Liar(torch.Tensor):
    def argmax(self, *arguments): return torch.arange(10).repeat_interleave(3)
    def __eq__(self, other): return torch.ones(len(other), dtype=torch.bool)

class Grey(Grey):
    def forward(self, x): return torch.zeros(len(x), 10).as_subclass(Liar)
"""
    )
    assert outcome(graded(GOOD, liar))[0] == 0


def test_the_graded_notebook_does_not_carry_the_text(graded):
    nb = graded().notebook
    assert len(json.dumps(nb)) < 20_000 + len(json.dumps(carrying()))


# In the gradebook


def test_the_points_reach_the_gradebook_and_what_waits_is_said(tmp_path, pictures):
    course = Course(tmp_path / "course")
    nbformat.write(carrying(), course.root / "source/tiny/tiny.ipynb")
    release = GenerateAssignment(**course.parts())
    release.force = True
    release.start()
    released = nbformat.read(course.root / "release/tiny/tiny.ipynb", 4)
    course.hand_in("blank", released)
    course.hand_in("trained", submission())
    course.hand_in("broken", b"<html>")
    course.grade(datasets={"*": {"cifar10": str(pictures)}})
    assert {s: marks["trained"] for s, marks in course.scores().items()} == {
        "blank": 0,
        "trained": 4,
        "broken": 0,
    }
    with course.gradebook() as book:
        assert not book.find_grade("trained", "tiny", "tiny", "trained").needs_manual_grade
        assert "30장" in book.find_comment("trained", "tiny", "tiny", "trained").auto_comment
    course.grade(force=True)
    with course.gradebook() as book:
        grade = book.find_grade("trained", "tiny", "tiny", "trained")
        assert grade.needs_manual_grade and grade.auto_score is None
    assert REPORT in course.graded("trained").metadata
