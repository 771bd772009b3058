"""The assignment ``convolutions``: its answers against PyTorch, its broken functions as they are told."""

import itertools
import re

import pytest
import torch
import torch.nn.functional as F
from nbgrader.utils import is_grade, is_solution
from torch import nn

DOUBLE = torch.float64


@pytest.fixture
def cells(source_of):
    """The instructor's cells by their id."""
    return {cell.id: cell for cell in source_of("convolutions").cells}


@pytest.fixture
def solved(cells):
    """The names that the given cell and the instructor's solution bind."""
    namespace = {}
    exec(cells["helpers"].source, namespace)
    for cell in cells.values():
        if is_solution(cell):
            exec(cell.source, namespace)
    return namespace


@pytest.fixture
def broken(cells):
    """The three broken functions, as students get them."""
    namespace = {"torch": torch, "F": F}
    for name in ("bias", "upsample", "flip"):
        exec(cells[name].source.split("### BEGIN SOLUTION")[0], namespace)
    return namespace


@pytest.mark.parametrize(
    ("stride", "padding", "dilation"), list(itertools.product((1, 2, 3), (0, 2), (1, 2)))
)
def test_convolutions_are_those_of_torch(solved, stride, padding, dilation):
    torch.manual_seed(0)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    x, weight, bias = torch.randn(3, 9, 8), torch.randn(4, 3, 3, 2), torch.randn(4)
    torch.testing.assert_close(
        solved["conv2d"](x, weight, bias, **options), F.conv2d(x[None], weight, bias, **options)[0]
    )
    one = F.conv2d(x[None, :1], weight[:1, :1], **options)[0, 0]
    torch.testing.assert_close(solved["conv2d_single"](x[0], weight[0, 0], **options), one)


def test_pointwise_is_a_1x1_convolution_with_and_without_loops(solved):
    torch.manual_seed(1)
    x, weight, bias = torch.randn(2, 3, 4, 5), torch.randn(6, 3), torch.randn(6)
    expected = F.conv2d(x, weight[..., None, None], bias)
    torch.testing.assert_close(solved["pointwise"](x, weight, bias), expected)
    kernel = torch.randn(6, 3, 2, 3)
    torch.testing.assert_close(solved["conv2d_matmul"](x, kernel), F.conv2d(x, kernel))


def test_matrix_convolves_and_its_transpose_is_no_inverse(solved):
    torch.manual_seed(2)
    x, w = torch.randn(5, 6, dtype=DOUBLE), torch.randn(2, 3, dtype=DOUBLE)
    C = solved["conv_matrix"](w, 5, 6)
    y = F.conv2d(x[None, None], w[None, None])[0, 0]
    torch.testing.assert_close(C @ x.flatten(), y.flatten())
    back = solved["transpose_through"](C, y, 5, 6)
    torch.testing.assert_close(back, F.conv_transpose2d(y[None, None], w[None, None])[0, 0])
    assert not torch.allclose(back, x)


@pytest.mark.parametrize(("stride", "padding", "extra"), [(1, 0, 0), (2, 1, 1), (3, 2, 2), (4, 0, 3)])
def test_transposed_convolutions_are_those_of_torch(solved, stride, padding, extra):
    torch.manual_seed(3)
    y, w = torch.randn(4, 3), torch.randn(5, 6)
    options = {"stride": stride, "padding": padding, "output_padding": extra}
    expected = F.conv_transpose2d(y[None, None], w[None, None], **options)
    torch.testing.assert_close(solved["conv_transpose2d"](y, w, **options), expected[0, 0])
    torch.testing.assert_close(solved["upsample"](y[None, None], w[None, None], **options), expected)


@pytest.mark.parametrize("seed", range(20))
def test_no_other_split_comes_closer_to_a_kernel(solved, seed):
    torch.manual_seed(seed)
    kernel = torch.randn(4, 3, dtype=DOUBLE)
    column, row, error = solved["best_rank1"](kernel)
    assert error == pytest.approx((kernel - torch.outer(column, row)).norm().item())
    for _ in range(50):
        other = torch.outer(
            column + 0.1 * torch.randn(4, dtype=DOUBLE), row + 0.1 * torch.randn(3, dtype=DOUBLE)
        )
        assert (kernel - other).norm() > error


def test_separable_has_as_many_weights_as_the_book_says(solved):
    net = solved["DepthwiseSeparable"](128, 256, 3, stride=2)
    assert sum(p.numel() for p in net.parameters()) == 33_920
    assert net(torch.zeros(1, 128, 8, 8)).shape == (1, 256, 4, 4)


def test_groups_and_shuffle_are_those_of_torch(solved):
    torch.manual_seed(4)
    x = torch.randn(2, 6, 5, 4)
    for groups in (1, 2, 3, 6):
        weight = torch.randn(12, 6 // groups, 3, 2)
        expected = F.conv2d(x, weight, groups=groups)
        torch.testing.assert_close(solved["grouped_conv"](x, weight, groups), expected)
        assert torch.equal(solved["channel_shuffle"](x, groups), nn.ChannelShuffle(groups)(x))


def cells_that_count(layers, length, position):
    """Cells of the input that move one cell of the output, by autograd."""
    x = torch.zeros(1, 1, length, requires_grad=True)
    out = x
    for kernel, stride, padding, dilation in layers:
        out = F.conv1d(out, torch.ones(1, 1, kernel), None, stride, padding, dilation)
    out[0, 0, position].backward()
    return x.grad[0, 0].nonzero().flatten().tolist()


@pytest.mark.parametrize(
    "layers",
    [[(3, 2, 1, 1), (3, 1, 1, 2)], [(7, 2, 3, 1), (3, 2, 1, 1), (3, 1, 1, 1)], [(4, 3, 0, 2), (2, 2, 1, 1)]],
)
def test_range_is_where_gradients_go(solved, layers):
    touched = cells_that_count(layers, 80, 5)
    assert solved["receptive_range"](layers, 5) == (touched[0], touched[-1])


def test_rates_leave_no_gap(solved):
    rates = solved["rates"]
    assert len(cells_that_count([(3, 1, 0, rate) for rate in rates], 31, 0)) == 31


def test_broken_functions_are_right_and_wrong_where_the_text_says_so(broken):
    torch.manual_seed(5)
    x, weight, bias = torch.randn(3, 5, 5), torch.randn(2, 3, 3, 3), torch.randn(2)
    assert torch.allclose(
        broken["conv_with_bias"](x[:1], weight[:, :1], bias),
        F.conv2d(x[None, :1], weight[:, :1], bias)[0],
        atol=1e-5,
    )
    got = broken["conv_with_bias"](x, weight, bias)
    assert torch.allclose(got - 2 * bias[:, None, None], F.conv2d(x[None], weight, bias)[0], atol=1e-5)

    y, filters = torch.randn(1, 2, 3, 4), torch.randn(2, 3, 3, 3)
    assert torch.allclose(
        broken["upsample"](y, filters, 2, 0, 1), F.conv_transpose2d(y, filters, None, 2, 0, 1), atol=1e-5
    )
    got, expected = broken["upsample"](y, filters, 2, 1, 1), F.conv_transpose2d(y, filters, None, 2, 1, 1)
    assert torch.allclose(got[..., :-1, :-1], expected[..., :-1, :-1], atol=1e-5)
    assert not torch.allclose(got[..., -1, :], expected[..., -1, :], atol=1e-2)
    assert not torch.allclose(got[..., :, -1], expected[..., :, -1], atol=1e-2)

    one = broken["convolve"](x[:1], weight[:, :1])  # up and down only
    assert torch.allclose(one, F.conv2d(x[None, :1], weight[:, :1].flip(2))[0], atol=1e-5)
    assert broken["convolve"](x, weight).shape == (2, 3, 3)


def test_true_convolution_is_that_of_the_definition(solved):
    torch.manual_seed(6)
    x, weight = torch.randn(2, 5, 6, dtype=DOUBLE), torch.randn(3, 2, 3, 2, dtype=DOUBLE)
    got = solved["convolve"](x, weight)
    full = F.conv_transpose2d(x[None], weight.transpose(0, 1))[0]
    torch.testing.assert_close(got, full[:, 2:-2, 1:-1])


@pytest.mark.parametrize("name", ["bias", "upsample", "flip"])
def test_text_shows_the_code_that_the_cell_holds(cells, name):
    (shown,) = re.findall(r"```python\n(.*?)```", cells[f"{name}-text"].source, re.DOTALL)
    assert cells[name].source.split("### BEGIN SOLUTION")[0] == shown


def test_every_road_to_torchs_convolution_is_seen(cells):
    test = cells["test-single"].source
    namespace = {}
    exec(test[: test.index("\nx = torch.tensor")], namespace)
    calls = namespace["probe_calls"]
    x, w = torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2)
    layer = nn.Conv2d(1, 1, 2)
    for road in (F.conv2d, torch.conv2d, F.conv_transpose2d, lambda x, w: layer(x)):
        assert any(name.startswith("conv") for name in calls(road, x, w))
    assert not any(name.startswith("conv") for name in calls(lambda x, w: F.unfold(x.contiguous(), 2), x, w))


def test_points_are_fifty_and_a_bonus(cells):
    points = {name: c.metadata.nbgrader["points"] for name, c in cells.items() if is_grade(c)}
    assert sum(points.values()) == 53
    assert points["test-im2col"] == 3
    parts = re.findall(r"\| (\d+)점 \|", cells["title"].source)
    assert sum(map(int, parts)) == 53
