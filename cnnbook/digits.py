"""Transfer on a small scale: learn some of scikit-learn's digits, then others from a handful.

Data, network and training take a second or so on one core, so that pages and readers run whole experiments.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import data as datasets
from .models._common import check_positive_int, conv_bn, sequential

__all__ = ["SOURCE", "TARGET", "accuracy", "examples", "network", "pretrained", "shifted", "train", "unseen"]

SOURCE = (0, 1, 2, 3, 4, 5, 6)  # digits to learn first, from many examples
TARGET = (7, 8, 9)  # digits to transfer to
LEARNED = 120  # examples of each digit of `SOURCE` that `pretrained()` learns from
Data = tuple[Tensor, Tensor]
_everything = cache(datasets.digits)  # reading all takes longer than drawing a few


def examples(classes: Sequence[int], per_class: int, seed: int = 0) -> tuple[Data, Data]:
    """Draw a training set of a few digits, and take all others for testing.

    Parameters
    ----------
    classes : sequence of int
        Digits to use. Labels count from 0 in this order.
    per_class : int
        Training examples of each class, at most 150.
    seed : int
        Which ones.

    Returns
    -------
    training, test : (Tensor, Tensor)
        Images (N, 1, 8, 8), from 0 to 1, and labels (N,).

    Raises
    ------
    TypeError, ValueError
        If a class is no digit or stands twice, or there are not so many examples.
    """
    classes = list(classes)
    if not classes or len(set(classes)) < len(classes) or not set(classes) <= set(range(10)):
        raise ValueError(f"classes must be different digits from 0 to 9, not {classes}")
    check_positive_int("per_class", per_class)
    if per_class > 150:
        raise ValueError(f"per_class must be at most 150, so that some remain for testing, not {per_class}")
    images, digits = _everything()
    shuffle = torch.Generator().manual_seed(seed)
    training, test = [], []
    for digit in classes:
        places = (digits == digit).nonzero()[:, 0]
        places = places[torch.randperm(len(places), generator=shuffle)]
        training.append(places[:per_class])
        test.append(places[per_class:])

    def pairs(parts: list[Tensor]) -> Data:
        labels = torch.cat([torch.full((len(part),), label) for label, part in enumerate(parts)])
        return images[torch.cat(parts)], labels

    return pairs(training), pairs(test)


def shifted(data: Data) -> Data:
    """Add to each image its eight copies moved by one pixel: (N, …) becomes (9 N, …)."""
    images, labels = data
    framed = F.pad(images, (1, 1, 1, 1))
    moved = [framed[..., i : i + 8, j : j + 8] for i in range(3) for j in range(3)]
    return torch.cat(moved), labels.repeat(9)


def unseen(per_class: int, seed: int = 0) -> Data:
    """Draw pictures of all ten digits that the network of `pretrained()` has not learned from.

    Parameters
    ----------
    per_class : int
        Pictures of each digit, at most 50.
    seed : int
        Which ones.

    Returns
    -------
    images, labels : Tensor
        Images (10 × per_class, 1, 8, 8), from 0 to 1, and the digits themselves (10 × per_class,), rising.

    Raises
    ------
    TypeError, ValueError
        If `per_class` is no positive whole number, or there are not so many.
    """
    check_positive_int("per_class", per_class)
    if per_class > 50:
        raise ValueError(f"per_class must be at most 50: no more are left of some digits, not {per_class}")
    shuffle = torch.Generator().manual_seed(seed)
    chosen = []
    for classes, learned in ((SOURCE, LEARNED), (TARGET, 1)):
        _, (images, labels) = examples(classes, learned)
        for label in range(len(classes)):
            own = images[labels == label]
            chosen.append(own[torch.randperm(len(own), generator=shuffle)[:per_class]])
    return torch.cat(chosen), torch.arange(10).repeat_interleave(per_class)


def network(num_classes: int = 7, width: int = 16, seed: int = 0) -> nn.Sequential:
    """Three blocks of convolution, batch norm and ReLU, an average over each quarter of the image, a head.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    width : int
        Channels of the first block; the others have twice as many.
    seed : int
        Of the initial weights.

    Returns
    -------
    nn.Sequential
        Takes images (N, 1, 8, 8), gives scores (N, num_classes). Its layers are `block1`, `block2`, `block3`,
        `avgpool`, `flatten` and `fc`.
    """
    check_positive_int("num_classes", num_classes)
    check_positive_int("width", width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return sequential(
            block1=conv_bn(1, width, 3),  #                      16 × 8 × 8
            block2=conv_bn(width, 2 * width, 3, stride=2),  #    32 × 4 × 4
            block3=conv_bn(2 * width, 2 * width, 3),  #          32 × 4 × 4
            avgpool=nn.AdaptiveAvgPool2d(2),  #                  32 × 2 × 2
            flatten=nn.Flatten(),  #                            128
            fc=nn.Linear(8 * width, num_classes),
        )


@torch.no_grad()
def accuracy(model: nn.Module, data: Data) -> float:
    """Return the per cent of images that `model` classifies rightly; its mode is restored."""
    images, labels = data
    modes = {layer: layer.training for layer in model.modules()}
    right = (model.eval()(images).argmax(1) == labels).float().mean().item()
    for layer, training in modes.items():
        layer.training = training
    return 100 * right


def train(
    model: nn.Module,
    groups: Iterable,
    data: Data,
    test: Data,
    *,
    epochs: int = 30,
    batch: int = 25,
    seed: int = 0,
    every: int = 1,
    each_epoch: Callable[[int], None] | None = None,
) -> list[float]:
    """Train with SGD (momentum 0.9) and cross-entropy, in place.

    Parameters
    ----------
    model : nn.Module
        Is set to training mode before each epoch.
    groups : iterable
        Parameters, or groups of `cnnbook.transfer.parameter_groups`.
    data, test : (Tensor, Tensor)
        Images and labels to learn from, and to measure with.
    epochs, batch : int
        Number of passes over `data`, and images a step.
    seed : int
        Of the order of the images.
    every : int
        Epochs between two tests. A test on hundreds of images costs more than an epoch on a handful.
    each_epoch : callable, optional
        Is called with the number of epochs done, before the first and after each.

    Returns
    -------
    list of float
        Test accuracy in per cent: before training, after each `every` epochs, and at the end.
    """
    images, labels = data
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    order = torch.Generator().manual_seed(seed)
    curve = []
    for epoch in range(epochs + 1):
        if epoch % every == 0 or epoch == epochs:
            curve.append(accuracy(model, test))
        if each_epoch:
            each_epoch(epoch)
        if epoch == epochs:
            break
        model.train()
        for places in torch.randperm(len(images), generator=order).split(batch):
            optimizer.zero_grad()
            F.cross_entropy(model(images[places]), labels[places]).backward()
            optimizer.step()
    return curve


def pretrained(per_class: int = LEARNED, epochs: int = 3) -> nn.Sequential:
    """Give a network that has learned the digits `SOURCE`; each call gives a copy of its own.

    Parameters
    ----------
    per_class : int
        Training examples of each digit, each used in nine places (`shifted`).
    epochs : int
        Passes over them, with learning rate 0.05.

    Returns
    -------
    nn.Sequential
        A `network` with seven classes. It is trained at the first call and kept; a few seconds on one core.
    """
    return copy.deepcopy(_pretrained(per_class, epochs))


@cache
def _pretrained(per_class: int, epochs: int) -> nn.Sequential:
    model = network(len(SOURCE))
    data, test = examples(SOURCE, per_class)
    groups = [{"params": list(model.parameters()), "lr": 0.05}]
    train(model, groups, shifted(data), test, epochs=epochs, batch=32, every=epochs)
    return model
