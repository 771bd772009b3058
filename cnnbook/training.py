"""Train a classifier, and see what it learned.

    seed_everything(0)
    model = Net().to(device())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    history = fit(model, train_loader, optimizer, epochs=10, validation=test_loader, checkpoint="lab.pt")

    scores, labels = predict(model, test_loader)
    accuracy_by_class(labels, scores.argmax(1))

A *loader* is any iterable of batches (images, labels), such as a `DataLoader`. Batches go to the device of
the model. A *schedule* is a scheduler of `torch.optim.lr_scheduler`; it steps after every batch.
"""

from __future__ import annotations

import os
import pickle
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from tqdm.auto import tqdm

__all__ = [
    "CheckpointError",
    "History",
    "accuracy_by_class",
    "confusion_matrix",
    "device",
    "evaluate",
    "fit",
    "predict",
    "seed_everything",
    "train_one_epoch",
]

Loader = Iterable[tuple[Tensor, Tensor]]
Loss = Callable[[Tensor, Tensor], Tensor]


def device() -> torch.device:
    """Return the fastest device of this machine: an NVIDIA GPU, Apple's GPU, or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def seed_everything(seed: int) -> None:
    """Start every random number generator (Python, NumPy, torch on all devices) from `seed`."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = False  # its choice of algorithm depends on how busy the GPU is
    torch.backends.cudnn.deterministic = True


# --- one epoch ---------------------------------------------------------------------------------------------


def train_one_epoch(
    model: nn.Module,
    loader: Loader,
    optimizer: Optimizer,
    loss: Loss = F.cross_entropy,
    device: torch.device | str | None = None,
    schedule: LRScheduler | None = None,
) -> float:
    """Show the model every batch once and correct its weights after each.

    Parameters
    ----------
    model : nn.Module
        Its mode is train meanwhile, and afterwards what it was.
    loader : iterable of (Tensor, Tensor)
        Batches of images (N, C, H, W) and labels (N,).
    optimizer : Optimizer
        Holds the parameters of `model`.
    loss : callable
        (scores (N, K), labels (N,)) to the mean over the batch.
    device : torch.device or str, optional
        Where batches go; by default where `model` is.
    schedule : LRScheduler, optional
        Steps after every batch.

    Returns
    -------
    float
        Mean loss per image. A short last batch counts by its size.
    """
    device = _device_of(model, device)
    total, count = torch.zeros((), device=device), 0
    with _mode(model, training=True):
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            batch_loss = loss(model(images), labels)
            batch_loss.backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
            total += batch_loss.detach() * len(labels)  # no .item(): it would make a GPU wait every time
            count += len(labels)
    return total.item() / _some(count)


@torch.no_grad()
def evaluate(
    model: nn.Module,
    loader: Loader,
    loss: Loss = F.cross_entropy,
    device: torch.device | str | None = None,
) -> tuple[float, float]:
    """Return mean loss per image and accuracy (0 to 1) of a model that is not changed."""
    device = _device_of(model, device)
    total, right, count = torch.zeros((), device=device), torch.zeros((), device=device), 0
    with _mode(model, training=False):
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            scores = model(images)
            total += loss(scores, labels) * len(labels)
            right += (scores.argmax(dim=1) == labels).sum()
            count += len(labels)
    return total.item() / _some(count), right.item() / count


@torch.no_grad()
def predict(
    model: nn.Module, loader: Loader, device: torch.device | str | None = None
) -> tuple[Tensor, Tensor]:
    """Return the scores (N, K) of a model and the labels (N,), on the CPU, in the order of `loader`."""
    device = _device_of(model, device)
    with _mode(model, training=False):
        pairs = [(model(images.to(device)).float().cpu(), labels.cpu()) for images, labels in loader]
    _some(len(pairs))
    return torch.cat([scores for scores, _ in pairs]), torch.cat([labels for _, labels in pairs])


def _device_of(model: nn.Module, device: torch.device | str | None) -> torch.device:
    return torch.device(device) if device is not None else next(model.parameters()).device


def _some(count: int) -> int:
    if count == 0:
        raise ValueError("loader gave no batches (a generator can be gone through only once)")
    return count


@contextmanager
def _mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Put the model in train or eval mode; give every layer its own mode back, also after an error."""
    modes = {layer: layer.training for layer in model.modules()}
    model.train(training)
    try:
        yield
    finally:
        for layer, was in modes.items():
            layer.training = was


# --- what was learned --------------------------------------------------------------------------------------


def confusion_matrix(labels: Tensor, predicted: Tensor, num_classes: int = 10) -> Tensor:
    """Count what was taken for what.

    Parameters
    ----------
    labels, predicted : Tensor
        Class numbers (N,): what it was, and what the model said.
    num_classes : int
        K.

    Returns
    -------
    Tensor
        int64 (K, K); row: what it was, column: what the model said. Right answers lie on the diagonal.

    Examples
    --------
    >>> confusion_matrix(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), num_classes=2)
    tensor([[1, 1],
            [0, 1]])
    """
    if labels.shape != predicted.shape or labels.ndim != 1:
        raise ValueError(
            f"labels and predicted must both be (N,); they are {tuple(labels.shape)} and "
            f"{tuple(predicted.shape)}: scores become class numbers with .argmax(1)"
        )
    cells = torch.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes)


def accuracy_by_class(labels: Tensor, predicted: Tensor, num_classes: int = 10) -> Tensor:
    """Return for each class the share (0 to 1) of its pictures that was recognised, (K,); NaN for none.

    Examples
    --------
    >>> accuracy_by_class(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), num_classes=2)
    tensor([0.5000, 1.0000])
    """
    matrix = confusion_matrix(labels, predicted, num_classes)
    return matrix.diagonal() / matrix.sum(dim=1)


# --- many epochs -------------------------------------------------------------------------------------------


@dataclass
class History:
    """What was measured after each epoch.

    Attributes
    ----------
    train_loss : list of float
        Mean over the epoch, while the model was changing.
    validation_loss, validation_accuracy : list of float
        After the epoch; empty without validation data.
    learning_rate : list of float
        Of the first parameter group, at the end of the epoch.
    seconds : list of float
        Wall time of training in the epoch, validation not counted.
    """

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """How many epochs are done."""
        return len(self.train_loss)


class CheckpointError(RuntimeError):
    """A checkpoint is damaged or belongs to another run; the message names the file."""


def fit(
    model: nn.Module,
    train_loader: Loader,
    optimizer: Optimizer,
    epochs: int,
    *,
    loss: Loss = F.cross_entropy,
    device: torch.device | str | None = None,
    validation: Loader | None = None,
    schedule: LRScheduler | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> History:
    """Train for a number of epochs, and go on where an earlier call was stopped.

    Parameters
    ----------
    model, train_loader, optimizer, loss, device, schedule
        As in :func:`train_one_epoch`.
    epochs : int
        How many in all, those of an earlier, stopped call included.
    validation : iterable of (Tensor, Tensor), optional
        Evaluated after every epoch.
    checkpoint : str or Path, optional
        A file, written after every epoch. If it is there, training goes on from it and gives the same
        numbers as a run that was never stopped: weights, optimiser, schedule and every random number
        generator go on from where they were. Delete it to start anew.
    progress : bool
        Show a bar.

    Returns
    -------
    History
        Of all epochs.

    Raises
    ------
    CheckpointError
        If the checkpoint is damaged, or of another network or optimiser.
    """
    path = None if checkpoint is None else Path(checkpoint)
    run = _Run(model, train_loader, optimizer, schedule)
    history = History(**run.load(path)) if path is not None and path.exists() else History()
    bar = tqdm(total=epochs, initial=min(history.epochs, epochs), unit="epoch", disable=not progress)
    with bar:
        while history.epochs < epochs:
            start = time.perf_counter()
            mean = train_one_epoch(model, train_loader, optimizer, loss, device, schedule)
            history.seconds.append(time.perf_counter() - start)
            history.train_loss.append(mean)
            history.learning_rate.append(float(optimizer.param_groups[0]["lr"]))
            shown = {"loss": f"{mean:.3f}"}
            if validation is not None:
                validation_loss, accuracy = evaluate(model, validation, loss, device)
                history.validation_loss.append(validation_loss)
                history.validation_accuracy.append(accuracy)
                shown["accuracy"] = f"{accuracy:.1%}"
            if path is not None:
                run.save(path, asdict(history))
            bar.set_postfix(shown)
            bar.update()
    return history


@dataclass
class _Run:
    """All that moves during training."""

    model: nn.Module
    loader: Loader
    optimizer: Optimizer
    schedule: LRScheduler | None

    def save(self, path: Path, history: dict[str, list[float]]) -> None:
        state = {
            "history": history,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "random": _random_state(),
            "generators": [generator.get_state() for generator in self._generators()],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".tmp")
        torch.save(state, draft)
        os.replace(draft, path)  # stopped while writing, the checkpoint of the epoch before stays whole

    def load(self, path: Path) -> dict[str, list[float]]:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
            raise CheckpointError(f"{path} is damaged: delete it to start anew") from error
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.schedule is not None:
                self.schedule.load_state_dict(state["schedule"])
            for generator, was in zip(self._generators(), state["generators"], strict=True):
                generator.set_state(was)
            _set_random_state(state["random"])
            return state["history"]
        except (RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(
                f"{path} belongs to another network, optimiser or schedule: delete it to start anew, or name "
                f"another file ({error})"
            ) from error

    def _generators(self) -> list[torch.Generator]:
        """Find generators of the loader's own; without one it draws from torch's, which is saved anyway."""
        owners = (self.loader, getattr(self.loader, "sampler", None))
        found = {id(g): g for o in owners if (g := getattr(o, "generator", None)) is not None}
        return list(found.values())


def _random_state() -> dict[str, Any]:
    name, keys, *rest = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(keys.astype(np.int64)), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "mps": torch.mps.get_rng_state() if torch.backends.mps.is_available() else None,
    }


def _set_random_state(state: dict[str, Any]) -> None:
    name, keys, *rest = state["numpy"]
    random.setstate(state["python"])
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    if torch.backends.mps.is_available() and state["mps"] is not None:
        torch.mps.set_rng_state(state["mps"])
