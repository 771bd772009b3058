"""The assignment ``counting``: its answers against PyTorch."""

import itertools

import pytest
import torch
from nbgrader.utils import is_grade, is_solution
from torch import nn


@pytest.fixture
def solved(counting):
    """The names that the instructor's solution binds."""
    namespace = {}
    for cell in counting.cells:
        if is_solution(cell):
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
