"""`cnnbook.recipes`: pictures in memory are cut and mirrored rightly; the fast network learns."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnbook import recipes
from cnnbook.counting import count_parameters
from cnnbook.recipes import MEAN, STD, Batches, FastNet, Muon, Net, normalize, orthogonal, train_fast
from cnnbook.training import seed_everything


def pictures(count=40, size=32):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, size, size), generator=generator, dtype=torch.uint8)
    return images, torch.arange(count) % 10


def raw(images):
    return images


def test_the_lectures_network_has_its_parameters():
    assert count_parameters(Net()) == 62_006
    assert Net()(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_normalising_is_per_colour():
    images = torch.tensor(MEAN).view(1, 3, 1, 1) + torch.tensor(STD).view(1, 3, 1, 1) * torch.ones(1, 3, 2, 2)
    torch.testing.assert_close(normalize(images), torch.ones(1, 3, 2, 2))


# --- batches -----------------------------------------------------------------------------------------------


def test_without_shuffling_every_picture_comes_once_in_order():
    images, labels = pictures()
    batches = list(Batches(images, labels, 16, shuffle=False, prepare=raw))
    assert [len(y) for _, y in batches] == [16, 16, 8]
    assert torch.equal(torch.cat([x for x, _ in batches]), images)
    assert torch.equal(torch.cat([y for _, y in batches]), labels)


def test_shuffled_batches_are_full_and_pictures_keep_their_labels():
    images, _ = pictures()
    loader = Batches(images, torch.arange(40), 16, prepare=raw)
    torch.manual_seed(0)
    batches = list(loader)
    assert len(batches) == len(loader) == 2
    for x, y in batches:
        assert torch.equal(x, images[y])
    assert len(torch.cat([y for _, y in batches]).unique()) == 32
    assert not torch.equal(batches[0][1], next(iter(loader))[1])


def test_each_picture_is_seen_both_ways_in_two_epochs():
    images, _ = pictures()
    loader = Batches(images, torch.arange(40), 40, flip=True, prepare=raw)
    torch.manual_seed(0)
    mirrored = []
    for _ in range(3):
        (x, y) = next(iter(loader))
        this = torch.empty(40, dtype=torch.bool)
        for picture, i in zip(x, y, strict=True):
            this[i] = torch.equal(picture, images[i].flip(2))
            assert this[i] or torch.equal(picture, images[i])
        mirrored.append(this)
    assert 5 < mirrored[0].sum() < 35
    assert torch.equal(mirrored[1], ~mirrored[0]) and torch.equal(mirrored[2], mirrored[0])


def test_a_shifted_picture_is_a_window_of_the_padded_one():
    images, _ = pictures()
    torch.manual_seed(0)
    x, y = next(iter(Batches(images, torch.arange(40), 40, shift=2, prepare=raw)))
    padded = F.pad(images.double(), (2, 2, 2, 2), mode="reflect").byte()
    moves = set()
    for picture, i in zip(x, y, strict=True):
        windows = {(t, s): padded[i, :, t : t + 32, s : s + 32] for t in range(5) for s in range(5)}
        moves |= {move for move, window in windows.items() if torch.equal(window, picture)}
    assert len(moves) > 12  # of 25


# --- the fast network --------------------------------------------------------------------------------------


def test_a_whitened_stem_gives_uncorrelated_outputs_of_variance_one():
    generator = torch.Generator().manual_seed(0)
    rough = torch.randn(60, 3, 34, 34, generator=generator)
    smooth = F.avg_pool2d(rough, 3, stride=1)  # neighbours look alike, as in photographs
    model = FastNet((8, 8, 8))
    model.whiten(smooth)
    outputs = F.conv2d(smooth, model.stem.weight)[:, :12].transpose(0, 1).flatten(1)
    covariance = outputs @ outputs.T / outputs.shape[1]
    torch.testing.assert_close(covariance, torch.eye(12), atol=0.05, rtol=0)
    assert torch.equal(model.stem.weight[12:], -model.stem.weight[:12])


def test_convolutions_start_by_passing_their_input_on():
    layer = FastNet((8, 16, 8)).groups[1].conv1
    x = torch.rand(1, 8, 5, 5)
    torch.testing.assert_close(layer(x)[:, :8], x)


@pytest.mark.parametrize("size", [20, 26, 32])
def test_pictures_of_several_sizes_go_through(size):
    assert FastNet((8, 8, 8))(torch.zeros(2, 3, size, size)).shape == (2, 10)


@pytest.mark.parametrize("shape", [(16, 40), (40, 16), (20, 20)])
def test_an_orthogonal_step_turns_no_direction_and_evens_their_lengths(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    stretched = u @ torch.diag(torch.linspace(1, 0.2, min(shape))) @ v
    result = orthogonal(stretched, steps=5)
    lengths = u.T @ result @ v.T
    assert lengths.diagonal().min() > 0.6 and lengths.diagonal().max() < 1.3
    assert (lengths - lengths.diagonal().diag()).abs().max() < 0.1  # bfloat16 has three digits


def test_muon_goes_downhill_and_keeps_the_norm():
    torch.manual_seed(0)
    layer, target = nn.Conv2d(4, 8, 3, bias=False), nn.Conv2d(4, 8, 3, bias=False)
    x = torch.randn(8, 4, 9, 9)
    with torch.no_grad():
        target.weight.mul_(8**0.5 / target.weight.norm())
        layer.weight.mul_(8**0.5 / layer.weight.norm())
    optimizer = Muon(layer.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        loss = F.mse_loss(layer(x), target(x).detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10
    assert layer.weight.norm().item() == pytest.approx(8**0.5, rel=0.1)


def colours(count=200):
    """Pictures whose class is their colour, with noise."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 10
    palette = torch.randint(0, 256, (10, 3, 1, 1), generator=generator)
    noise = torch.randint(-40, 40, (count, 3, 32, 32), generator=generator)
    return (palette[labels] + noise).clamp(0, 255).byte(), labels


def test_fast_training_learns_and_repeats_by_its_seed():
    images, labels = colours()
    weights, steps, seen = [], [], []

    def after_step(average, step, steps_, size):
        steps.append((step, steps_, size))
        seen.append(average.head.weight.detach().clone())

    for _ in range(2):
        seed_everything(0)
        model = FastNet((8, 8, 16))
        train_fast(model, images, labels, 10, batch=40, after_step=after_step)
        weights.append(model.head.weight)
    assert torch.equal(*weights)
    assert torch.equal(weights[0], seen[-1])  # what is left is the average that was shown
    assert steps[:50] == steps[50:]
    assert [step for step, _, _ in steps[:50]] == list(range(1, 51))
    assert [size for _, _, size in steps[:50]] == [20] * 15 + [26] * 18 + [32] * 17
    model.eval()
    assert (model(normalize(images)).argmax(1) == labels).float().mean() > 0.5  # chance is 0.1


def test_the_average_follows_weights_and_statistics():
    slow, fast = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
    fast.running_mean += 8
    fast.num_batches_tracked += 3
    recipes._follow(slow, fast, share=0.25)
    assert slow.running_mean.tolist() == [2, 2]
    assert slow.num_batches_tracked == 3
