"""`cnnbook.training`: right averages, modes given back, and a stopped run that ends as if never stopped."""

import doctest
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

from cnnbook import training
from cnnbook.training import (
    CheckpointError,
    accuracy_by_class,
    confusion_matrix,
    device,
    evaluate,
    fit,
    predict,
    seed_everything,
    train_one_epoch,
)

EPOCHS = 5


def data(n=50):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(n, 1, 4, 4, generator=generator)
    return TensorDataset(images, (images.mean(dim=(1, 2, 3)) > 0).long())


def network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(16, 2)
    )


def parts(seed=0, generator=False):
    """Everything that a run needs, made anew as in a restarted notebook."""
    seed_everything(seed)
    model = network()
    own = torch.Generator().manual_seed(seed) if generator else None
    loader = DataLoader(data(), batch_size=16, shuffle=True, generator=own)
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = OneCycleLR(optimizer, max_lr=0.2, total_steps=EPOCHS * len(loader))
    options = {"validation": DataLoader(data(30), 8), "schedule": schedule, "progress": False}
    return model, loader, optimizer, options


def numbers(history):
    """All that does not depend on the clock."""
    return (
        history.train_loss,
        history.validation_loss,
        history.validation_accuracy,
        history.learning_rate,
    )


# --- one epoch ---------------------------------------------------------------------------------------------


def test_the_mean_counts_every_image_once_also_with_a_short_last_batch():
    images, labels = data(50).tensors
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    still = SGD(model.parameters(), lr=0.0)
    loader = DataLoader(data(50), 16)
    expected = F.cross_entropy(model(images), labels).item()
    assert train_one_epoch(model, loader, still) == pytest.approx(expected, rel=1e-5)
    loss, accuracy = evaluate(model, loader)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert accuracy == pytest.approx((model(images).argmax(1) == labels).float().mean().item())


def test_an_epoch_is_plain_stochastic_gradient_descent():
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    by_hand = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    by_hand.load_state_dict(ours.state_dict())
    train_one_epoch(ours, DataLoader(data(), 16), SGD(ours.parameters(), lr=0.5))
    for images, labels in DataLoader(data(), 16):
        gradients = torch.autograd.grad(F.cross_entropy(by_hand(images), labels), by_hand.parameters())
        with torch.no_grad():
            for parameter, gradient in zip(by_hand.parameters(), gradients, strict=True):
                parameter -= 0.5 * gradient
    for a, b in zip(ours.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_the_schedule_steps_after_every_batch():
    model, loader, optimizer, options = parts()
    train_one_epoch(model, loader, optimizer, schedule=options["schedule"])
    assert options["schedule"].last_epoch == len(loader) == 4


def test_every_layer_gets_its_own_mode_back():
    model = network().train()
    model[1].eval()
    modes = [layer.training for layer in model.modules()]
    seen = []
    model[3].register_forward_hook(lambda layer, *_: seen.append(layer.training))
    loader = DataLoader(data(), 50)
    train_one_epoch(model, loader, SGD(model.parameters(), lr=0.1))
    evaluate(model, loader)
    predict(model, loader)
    assert seen == [True, False, False]
    assert [layer.training for layer in model.modules()] == modes
    with pytest.raises(RuntimeError):
        evaluate(model, [(torch.zeros(1, 7, 4, 4), torch.zeros(1).long())])
    assert [layer.training for layer in model.modules()] == modes


def test_evaluation_changes_nothing_and_keeps_no_gradient():
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    evaluate(model, DataLoader(data(), 16))
    scores, labels = predict(model, DataLoader(data(), 16))
    assert not scores.requires_grad
    assert scores.shape == (50, 2) and torch.equal(labels, data().tensors[1])
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize("function", [evaluate, predict])
def test_an_empty_loader_is_an_error(function):
    with pytest.raises(ValueError, match="no batches"):
        function(network(), [])


# --- what was learned --------------------------------------------------------------------------------------


def test_rows_are_labels_and_columns_are_answers():
    labels, predicted = torch.tensor([0, 0, 0, 1, 2]), torch.tensor([0, 1, 1, 1, 0])
    assert confusion_matrix(labels, predicted, 3).tolist() == [[1, 2, 0], [0, 1, 0], [1, 0, 0]]
    torch.testing.assert_close(accuracy_by_class(labels, predicted, 3), torch.tensor([1 / 3, 1.0, 0.0]))


def test_a_class_without_pictures_has_no_accuracy():
    accuracy = accuracy_by_class(torch.tensor([0]), torch.tensor([0]), 2)
    assert accuracy[0] == 1 and accuracy[1].isnan()


def test_scores_in_the_place_of_class_numbers_are_refused():
    with pytest.raises(ValueError, match="argmax"):
        confusion_matrix(torch.zeros(4).long(), torch.zeros(4, 10))


def test_the_examples_of_the_docstrings():
    assert doctest.testmod(training).attempted > 0
    assert doctest.testmod(training).failed == 0


# --- many epochs -------------------------------------------------------------------------------------------


def whole_run(**options):
    model, loader, optimizer, run = parts(**options)
    return numbers(fit(model, loader, optimizer, EPOCHS, **run)), model.state_dict()


def test_a_seed_gives_the_same_numbers_and_another_seed_others():
    assert whole_run()[0] == whole_run()[0]
    assert whole_run()[0] != whole_run(seed=1)[0]


def test_it_learns():
    seed_everything(0)
    model = network()
    loader = DataLoader(data(), 10, shuffle=True)
    history = fit(model, loader, SGD(model.parameters(), 0.1), 40, validation=loader, progress=False)
    assert history.train_loss[-1] < history.train_loss[0] / 2
    assert history.validation_accuracy[-1] > 0.9
    assert [len(column) for column in numbers(history)] == [40] * 4


@pytest.mark.parametrize("generator", [False, True], ids=["torch's generator", "the loader's own"])
def test_a_stopped_run_ends_as_if_it_had_never_been_stopped(tmp_path, generator):
    path = tmp_path / "deep" / "run.pt"
    expected, weights = whole_run(generator=generator)

    model, loader, optimizer, options = parts(generator=generator)
    calls = []

    def stops(scores, labels):
        calls.append(0)
        if len(calls) == 2 * (4 + 4) + 2:  # in the middle of the third epoch; each has 4 + 4 batches
            raise KeyboardInterrupt
        return F.cross_entropy(scores, labels)

    with pytest.raises(KeyboardInterrupt):
        fit(model, loader, optimizer, EPOCHS, loss=stops, checkpoint=path, **options)

    model, loader, optimizer, options = parts(generator=generator)
    random.seed(99), np.random.seed(99), torch.manual_seed(99)  # whatever ran in between
    history = fit(model, loader, optimizer, EPOCHS, checkpoint=path, **options)
    assert numbers(history) == expected
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights[name]), name
    assert list(path.parent.iterdir()) == [path]


def test_python_and_numpy_go_on_where_they_were(tmp_path):
    path = tmp_path / "run.pt"
    drawn = []
    for stop in (2, 4):
        model, loader, optimizer, options = parts()
        fit(model, loader, optimizer, stop, checkpoint=path, **options)
        drawn.append((random.random(), np.random.rand()))
    seed_everything(0)
    assert drawn[0] == drawn[1] == (random.random(), np.random.rand())


def test_a_finished_run_is_only_read(tmp_path):
    path = tmp_path / "run.pt"
    model, loader, optimizer, options = parts()
    done = fit(model, loader, optimizer, 2, checkpoint=path, **options)
    again, loader, optimizer, options = parts(seed=5)
    assert fit(again, loader, optimizer, 2, checkpoint=path, **options) == done
    for name, value in again.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name


def test_a_run_stopped_while_writing_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    model, loader, optimizer, options = parts()
    fit(model, loader, optimizer, 1, checkpoint=path, **options)
    before = path.read_bytes()

    def half(_, draft):
        draft.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(KeyboardInterrupt):
        fit(model, loader, optimizer, 2, checkpoint=path, **options)
    assert path.read_bytes() == before


def test_a_damaged_or_foreign_checkpoint_is_named(tmp_path):
    path = tmp_path / "run.pt"
    model, loader, optimizer, options = parts()
    fit(model, loader, optimizer, 1, checkpoint=path, **options)
    other = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    with pytest.raises(CheckpointError, match=r"run\.pt belongs to another network"):
        fit(other, loader, SGD(other.parameters(), 0.1), 2, checkpoint=path, progress=False)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match=r"run\.pt is damaged"):
        fit(model, loader, optimizer, 2, checkpoint=path, **options)


def test_the_device_can_be_used():
    assert torch.zeros(1, device=device()).sum() == 0
