"""The small network to look into: what is stored is whole, and what is said of it can be measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnbook import inside, results
from cnnbook.counting import count_parameters


def test_the_stored_file_is_small_and_holds_no_objects():
    with np.load(inside.FILE, allow_pickle=False) as archive:
        kinds = {archive[name].dtype.str for name in archive.files}
    assert kinds == {"<f2", "|i1", "|u1"}
    assert inside.FILE.stat().st_size == results.load("inside").data["bytes"] < 150 * 1024


def test_its_weights_are_those_that_were_measured():
    net, data = inside.small_net(), results.load("inside").data
    assert count_parameters(net) == data["parameters"]
    with torch.no_grad():
        scores = net(inside.to_input(inside.stored()["pictures"]))
    right = (scores.argmax(dim=1) == torch.arange(10)).sum().item()
    assert right >= 6  # ten pictures of ten classes; three in four are right on average


def test_rounding_to_eight_bits_moves_no_weight_by_more_than_half_a_step():
    torch.manual_seed(0)
    net = inside.build()
    rounded = inside.restore(inside.quantize(net))
    for name in inside.LAYERS:
        before, after = (n.get_submodule(name).weight.detach().flatten(1) for n in (net, rounded))
        step = before.abs().amax(dim=1, keepdim=True) / 127
        assert ((before - after).abs() <= 0.6 * step).all()  # the scale is itself rounded, to half precision
    data = results.load("inside").data
    assert abs(data["accuracy"] - data["accuracy_before_rounding"]) < 0.01


def test_the_book_holds_at_most_100_pictures_of_the_test_set():
    data = results.load("inside").data
    shown = [n for told in data["patches"].values() for n in told["test"]] + data["test_pictures"]
    assert len(set(shown)) <= 100
    assert all(0 <= n < 10_000 for n in shown)


@pytest.mark.parametrize("layer", [1, 2, 3, 4])
def test_a_cell_sees_what_receptive_field_says(layer):
    torch.manual_seed(layer)
    net = inside.build().double()
    for p in net.parameters():  # no weight that hides a pixel, no ReLU that shuts
        p.data.abs_().add_(0.1)
    x = torch.rand(1, 3, 32, 32, dtype=torch.float64) + 0.1
    size, step, start = inside.receptive_field(layer)
    side = 32 // step
    reached = torch.zeros(3, 32, 32, dtype=torch.bool)
    row = col = side // 2
    for _ in range(60):  # the maximum passes one pixel of four on: which one differs from picture to picture
        x = torch.rand_like(x).add_(0.1).requires_grad_()
        cell = inside.feature_maps(net, x)[layer - 1][0, 0, row, col]
        reached |= torch.autograd.grad(cell, x)[0][0] != 0
    rows, cols = reached.any(dim=0).nonzero().unbind(1)
    low, high = start + step * row, start + step * row + size - 1
    assert (rows.min().item(), rows.max().item()) == (max(0, low), min(31, high))
    assert (cols.min().item(), cols.max().item()) == (max(0, low), min(31, high))


def test_a_layer_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="1 to 4, not 5"):
        inside.receptive_field(5)


def test_folding_batch_norm_changes_no_answer():
    torch.manual_seed(0)
    net = inside.build(norm=True)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                tensor.data.uniform_(0.5, 2)
    x = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(inside.fold(net.eval())(x), net(x), rtol=1e-4, atol=1e-4)


def test_a_window_is_cut_from_the_picture_and_padded_with_grey():
    picture = np.arange(3 * 32 * 32, dtype=np.uint8).reshape(3, 32, 32)
    assert (inside.window(picture, 2, 5, 7) == picture[:, 6:16, 10:20]).all()
    corner = inside.window(picture, 2, 0, 0)
    assert (corner[:, :4] == 128).all() and (corner[:, 4:, 4:] == picture[:, :6, :6]).all()


def test_the_stored_patches_excite_their_channel_as_the_result_says():
    net = inside.small_net()
    for name, told in results.load("inside").data["patches"].items():
        layer, channel = map(int, name.split("-"))
        patches = inside.stored()[f"patches{layer}-{channel}"]
        assert len(patches) == len(told["test"]) == len(told["value"])
        assert told["value"] == sorted(told["value"], reverse=True) and told["value"][-1] > told["mean"]
        # A window that holds no padding, set into the middle of a picture, gives its cell the same value.
        size, step, start = inside.receptive_field(layer)
        at = 16 // step
        low = start + step * at
        if size > 20:
            continue  # it does not fit in without touching the border of the maps before it
        for patch, value in zip(patches, told["value"], strict=True):
            picture = np.full((1, 3, 32, 32), 128, dtype=np.uint8)
            picture[0, :, low : low + size, low : low + size] = patch
            with torch.no_grad():
                got = inside.feature_maps(net, inside.to_input(picture))[layer - 1][0, channel, at, at].item()
            touches_padding = (patch == 128).all(axis=0).all(axis=0).any() or (patch == 128).all(axis=0).all(
                axis=1
            ).any()
            if not touches_padding:
                assert got == pytest.approx(value, abs=2e-3)
