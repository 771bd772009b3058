"""The assignment ``counting``: its answers against PyTorch."""

import copy
import itertools

import pytest
import torch
from nbgrader.utils import is_grade, is_solution
from torch import nn

from tools import gate


@pytest.fixture
def solved(counting):
    """The names that the instructor's solution binds."""
    namespace = {}
    for cell in counting.cells:
        if is_solution(cell) or cell.id == "numbers":
            exec(cell.source, namespace)
    return namespace


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"), list(itertools.product((1, 3, 4), (1, 2, 3), (0, 2), (1, 2)))
)
def test_sizes_are_those_of_torch(solved, kernel, stride, padding, dilation):
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    for n in (8, 11):
        forward = nn.Conv1d(1, 1, kernel, **options)(torch.zeros(1, 1, n))
        assert solved["conv_output_size"](n, kernel, **options) == forward.shape[-1]
        for extra in range(min(stride, 2)):
            back = nn.ConvTranspose1d(1, 1, kernel, output_padding=extra, **options)(torch.zeros(1, 1, n))
            assert (
                solved["transposed_output_size"](n, kernel, **options, output_padding=extra) == back.shape[-1]
            )


def test_parameters_are_those_of_torch(solved):
    for kernel, layer in [(3, nn.Conv2d), ((3, 5), nn.Conv2d), ((1, 2, 3), nn.Conv3d)]:
        for groups, bias in itertools.product((1, 2, 4), (True, False)):
            weights = layer(8, 12, kernel, groups=groups, bias=bias).parameters()
            expected = sum(w.numel() for w in weights)
            assert solved["conv_params"](8, 12, kernel, bias=bias, groups=groups) == expected


def test_depthwise_separable_is_two_layers_of_torch(solved):
    layers = nn.Sequential(nn.Conv2d(128, 128, 3, groups=128), nn.Conv2d(128, 256, 1))
    assert solved["separable_params"](128, 256, 3) == sum(p.numel() for p in layers.parameters())


def test_shuffle_is_that_of_torch(solved):
    for channels, groups in [(9, 3), (8, 2), (12, 4)]:
        numbers = torch.arange(float(channels)).reshape(1, channels, 1, 1)
        shuffled = nn.ChannelShuffle(groups)(numbers).flatten().tolist()
        assert solved["shuffle_order"](channels, groups) == shuffled


def test_network_is_that_of_the_lecture(solved):
    layers = {
        "conv1": nn.Conv2d(3, 6, 5),
        "pool1": nn.MaxPool2d(2, 2),
        "conv2": nn.Conv2d(6, 16, 5),
        "pool2": nn.MaxPool2d(2, 2),
        "flat": nn.Flatten(),
        "fc1": nn.Linear(400, 120),
        "fc2": nn.Linear(120, 84),
        "fc3": nn.Linear(84, 10),
    }
    x = torch.zeros(1, 3, 32, 32)
    for name, layer in layers.items():
        x = layer(x)
        if name in solved["network_shapes"]:
            assert solved["network_shapes"][name] == tuple(x.shape[1:])
        if name in solved["network_params"]:
            assert solved["network_params"][name] == sum(p.numel() for p in layer.parameters())
    assert solved["network_total"] == 62_006


def test_design_of_the_solution_holds_in_torch(solved):
    channels, layers = 3, []
    for c_out, kernel, stride, padding, groups in solved["design"]:
        layers.append(nn.Conv2d(channels, c_out, kernel, stride, padding, groups=groups))
        channels = c_out
    network = nn.Sequential(*layers)
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 64, 8, 8)
    assert sum(p.numel() for p in network.parameters()) <= 15_000


def test_points_are_fifty_and_a_bonus(counting):
    points = {c.id: c.metadata.nbgrader["points"] for c in counting.cells if is_grade(c)}
    assert sum(points.values()) == 52
    assert points["test-same-padding"] == 2


PERSONAL = {"test-single", "test-volume", "test-matrix", "test-spatial", "test-grouped"}


@pytest.fixture
def personal(counting):
    """The assignment with the one setting that gives each student numbers of their own."""
    cell = next(c for c in counting.cells if c.id == "numbers")
    cell.source = cell.source.replace("PERSONAL_NUMBERS = False", "PERSONAL_NUMBERS = True")
    return counting


def numbers_of(source, student):
    namespace = {}
    exec(next(c.source for c in source.cells if c.id == "numbers"), namespace)
    return namespace["my_numbers"](student)


def answered(source, student, numbers_from=None):
    """The instructor's answers under a student's id, computed from the numbers of another if one is named."""
    source = copy.deepcopy(source)
    for cell in source.cells:
        if cell.id == "student-id":
            cell.source = f"student_id = {student!r}"
        elif is_solution(cell) and numbers_from is not None:
            cell.source = cell.source.replace("my_numbers(student_id)", f"my_numbers({numbers_from!r})")
    return source


def lost(source, submission, grader):
    scores = grader(source)(submission)
    tests = [c.metadata.nbgrader for c in source.cells if is_grade(c)]
    return {test["grade_id"] for test in tests if scores[test["grade_id"]] != test["points"]}


def test_an_id_changes_nothing_unless_the_instructor_says_so(counting):
    assert numbers_of(counting, "20261234") == numbers_of(counting, "")


def test_each_student_has_numbers_of_their_own(personal):
    assert numbers_of(personal, "") == numbers_of(personal, "  ")
    assert numbers_of(personal, "20261234") == numbers_of(personal, 20261234)
    ids = [str(number) for number in range(20261000, 20261200)]
    numbers = [tuple(numbers_of(personal, student).values()) for student in ids]
    assert len(set(numbers)) > 195
    lecture = tuple(numbers_of(personal, "").values())
    assert lecture not in numbers


@pytest.mark.parametrize("grader", [gate.stock, gate.engine], ids=["plain nbgrader", "engine"])
def test_own_numbers_score_and_those_of_another_do_not(personal, grader):
    for student in ("20261234", "2026-0007", ""):
        assert lost(personal, answered(personal, student), grader) == set()
    assert lost(personal, answered(personal, "20261234", numbers_from=""), grader) == PERSONAL
    assert lost(personal, answered(personal, "20261234", numbers_from="20265678"), grader) == PERSONAL


def test_a_student_who_rewrites_the_numbers_gains_nothing(personal):
    cheat = answered(personal, "20261234", numbers_from="")
    cell = next(c for c in cheat.cells if c.id == "student-id")
    cell.source += "\nold = my_numbers\ndef my_numbers(student):\n    return old('')\n"
    assert lost(personal, cheat, gate.engine) == PERSONAL
