"""`cnnbook.digits`: the small experiment in which digits are learned and others are transferred to."""

import pytest
import torch
from sklearn.datasets import load_digits

from cnnbook import digits
from cnnbook.digits import SOURCE, TARGET, accuracy, examples, network, pretrained, shifted, train, unseen
from cnnbook.transfer import freeze, parameter_groups


def rows(images: torch.Tensor) -> set[tuple]:
    return {tuple(image.flatten().tolist()) for image in images}


def test_the_two_tasks_share_no_digit():
    assert sorted((*SOURCE, *TARGET)) == list(range(10))


def test_training_and_test_are_all_images_once():
    (images, labels), (others, _) = examples((3, 7), 5)
    pixels, truth = load_digits(return_X_y=True)
    assert len(images) + len(others) == ((truth == 3) | (truth == 7)).sum()
    assert not rows(images) & rows(others)
    assert labels.tolist() == [0] * 5 + [1] * 5
    threes = rows(torch.tensor(pixels[truth == 3], dtype=torch.float32) / 16)
    assert rows(images[:5]) <= threes and not rows(images[5:]) & threes


def test_the_seed_chooses_the_examples():
    def first(seed):
        return rows(examples(TARGET, 5, seed)[0][0])

    assert first(0) == first(0) != first(1)


def test_shifted_copies_are_moved_by_one_pixel():
    images = torch.rand(2, 1, 8, 8)
    moved, labels = shifted((images, torch.tensor([4, 5])))
    assert moved.shape == (18, 1, 8, 8) and labels.tolist() == [4, 5] * 9
    assert torch.equal(moved[8:10], images)  # the middle one of nine
    assert torch.equal(moved[:2, :, 1:, 1:], images[:, :, :-1, :-1])


def test_unseen_pictures_are_of_all_digits_and_none_was_learned():
    images, labels = unseen(50, seed=3)
    assert labels.tolist() == [digit for digit in range(10) for _ in range(50)]
    assert len(rows(images)) == 500 and not rows(images) & rows(examples(SOURCE, 120)[0][0])
    pixels, truth = load_digits(return_X_y=True)
    for digit in range(10):
        known = rows(torch.tensor(pixels[truth == digit], dtype=torch.float32) / 16)
        assert rows(images[labels == digit]) <= known
    assert not torch.equal(unseen(50, seed=4)[0], images) and torch.equal(unseen(50, seed=3)[0], images)
    with pytest.raises(ValueError, match="at most 50"):
        unseen(51)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((), 5), "different digits"),
        (((1, 1), 5), "different digits"),
        (((10,), 5), "different digits"),
        (((1,), 0), "per_class must be a positive whole number"),
        (((1,), 151), "per_class must be at most 150"),
    ],
)
def test_nonsense_is_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        examples(*arguments)


def test_building_leaves_the_readers_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    network(3)
    assert torch.equal(torch.rand(1), expected)


def test_training_learns_repeats_itself_and_leaves_frozen_layers():
    data, test = examples((0, 1), 20)

    def run():
        model = freeze(network(2), until="block3")
        before = model.block1.conv.weight.clone()
        groups = parameter_groups(model, head_lr=0.05, backbone_lr=0.05)
        curve = train(model, groups, data, test, epochs=3)
        assert torch.equal(model.block1.conv.weight, before)
        return curve

    curve = run()
    assert len(curve) == 4 and curve[-1] > 90
    assert run() == curve


def test_testing_less_often_changes_what_is_told_and_not_what_is_learned():
    data, test = examples(TARGET, 5)
    often, seldom = network(3), network(3)
    curve = train(often, often.parameters(), data, test, epochs=7)
    assert train(seldom, seldom.parameters(), data, test, epochs=7, every=3) == [
        curve[i] for i in (0, 3, 6, 7)
    ]
    assert all(torch.equal(p, q) for p, q in zip(often.parameters(), seldom.parameters(), strict=True))


def test_measuring_does_not_change_the_network():
    model = network(2).train()
    model.block2.eval()
    modes = [layer.training for layer in model.modules()]
    statistic = model.block1.bn.running_mean.clone()
    accuracy(model, examples((0, 1), 20)[1])
    assert [layer.training for layer in model.modules()] == modes
    assert torch.equal(model.block1.bn.running_mean, statistic)


def test_every_call_gives_a_pretrained_network_of_its_own():
    first = pretrained(per_class=5, epochs=1)
    with torch.no_grad():
        first.fc.weight.zero_()
    assert pretrained(per_class=5, epochs=1).fc.weight.abs().sum() > 0
    assert digits._pretrained.cache_info().hits > 0
