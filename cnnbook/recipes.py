"""Two ways to learn CIFAR-10: the lecture's, and one tuned for time.

    images, labels = as_tensors(cifar10("data"))
    model = FastNet().to(device())
    train_fast(model, images, labels, epochs=8)

The pages `cifar10/better` and `cifar10/fast` explain the parts; `bench/cifar10.py` measures both.

Ideas come from K. Jordan, *94% on CIFAR-10 in 3.29 Seconds on a Single GPU* (2024): whitened first layer,
alternating flips, a fast-moving batch norm without scale, and from his Muon optimiser (2024). The code is
written anew, and the network is small enough for a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import pairwise, product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LambdaLR

__all__ = ["Batches", "FastNet", "Muon", "Net", "mixed_precision", "normalize", "train_fast"]

MEAN = (125.3, 123.0, 113.9)  # of the training pictures, red, green and blue, from 0 to 255
STD = (63.0, 62.1, 66.7)

SIZES = ((0.0, 20), (0.3, 26), (0.65, 32))  # from which part of training pictures have which size

# --- the lecture's network ---------------------------------------------------------------------------------


class Net(nn.Module):
    """The network of the lecture: two 5 × 5 convolutions and three fully connected layers, no batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to scores (N, 10)."""
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


# --- pictures in memory ------------------------------------------------------------------------------------


def normalize(images: Tensor) -> Tensor:
    """Map bytes (N, 3, H, W) to mean 0 and deviation 1 in each colour, channels last in memory."""
    mean = torch.tensor(MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(1, 3, 1, 1)
    return ((images.float() - mean) / std).contiguous(memory_format=torch.channels_last)


class Batches:
    """A loader that keeps all pictures in memory and augments a whole epoch at once.

    Parameters
    ----------
    images, labels : Tensor
        uint8 (N, 3, H, W) and int64 (N,), on the device where training goes on.
    size : int
        Pictures a batch. With `shuffle`, a last batch that is short is left out.
    shuffle : bool
        Another order in every epoch.
    flip : bool
        Mirror every other picture, and the others in the next epoch: each is seen both ways in two epochs.
    shift : int
        Move each picture by up to so many pixels; the edge is filled with its mirror image.
    prepare : callable
        Maps bytes to what the network gets.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        size: int,
        *,
        shuffle: bool = True,
        flip: bool = False,
        shift: int = 0,
        prepare: Callable[[Tensor], Tensor] = normalize,
    ) -> None:
        self.images, self.labels, self.size = images, labels, size
        self.shuffle, self.flip, self.shift, self.prepare = shuffle, flip, shift, prepare
        self.mirrored: Tensor | None = None

    def __len__(self) -> int:
        count = len(self.images)
        return count // self.size if self.shuffle else -(-count // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        count, device = len(self.images), self.images.device
        images = self._shifted() if self.shift else self.images
        if self.flip:
            if self.mirrored is None:
                self.mirrored = (torch.rand(count) < 0.5).to(device)
            self.mirrored = ~self.mirrored
        order = (torch.randperm(count) if self.shuffle else torch.arange(count)).to(device)
        for chosen in order.split(self.size)[: len(self)]:
            batch = images[chosen]
            if self.flip:
                batch = torch.where(self.mirrored[chosen, None, None, None], batch.flip(3), batch)
            yield self.prepare(batch), self.labels[chosen]

    def _shifted(self) -> Tensor:
        """Cut each picture out of a padded one; pictures of the same shift go together, which is fast."""
        s, (count, _, height, width) = self.shift, self.images.shape
        padded = F.pad(self.images.float(), (s, s, s, s), mode="reflect").byte()
        moves = torch.randint(2 * s + 1, (count, 2)).to(self.images.device)
        result = torch.empty_like(self.images)
        for top, left in product(range(2 * s + 1), repeat=2):
            those = ((moves[:, 0] == top) & (moves[:, 1] == left)).nonzero().flatten()
            result[those] = padded[those, :, top : top + height, left : left + width]
        return result


# --- the fast network --------------------------------------------------------------------------------------


class FastNet(nn.Module):
    """A whitened stem, three groups of two 3 × 3 convolutions, the maximum over the image, a linear head.

    Parameters
    ----------
    widths : tuple of int
        Channels of the groups.

    Notes
    -----
    The stem looks at patches of 2 × 2 pixels. Its filters are computed from pictures by :meth:`whiten`, not
    learned. Every group halves the image before its second convolution, where most of the work is.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 96, 192)) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 2)
        self.groups = nn.Sequential(*(_Group(i, o) for i, o in pairwise((24, *widths))))
        self.head = nn.Linear(widths[-1], 10, bias=False)
        self.stem.requires_grad_(False)

    @torch.no_grad()
    def whiten(self, images: Tensor) -> None:
        """Set the stem so that its outputs have variance 1 and do not correlate on `images` (N, 3, H, W).

        Each principal component of the 2 × 2 patches, divided by its deviation, makes a filter and its
        negative.
        """
        patches = F.unfold(images.float().cpu(), 2).transpose(1, 2).reshape(-1, 12)
        variances, components = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (components / (variances + 5e-4).sqrt()).T.flip(0).reshape(12, 3, 2, 2)
        self.stem.weight.copy_(torch.cat([filters, -filters]))
        self.stem.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to scores (N, 10)."""
        x = self.groups(F.relu(self.stem(x)))
        return self.head(x.amax(dim=(2, 3))) / 9  # small scores at first keep the first steps small


class _Group(nn.Module):
    """Two convolutions, each with batch norm and ReLU; the first is pooled."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = _convolution(inputs, outputs), _norm(outputs)
        self.conv2, self.norm2 = _convolution(outputs, outputs), _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.relu(self.norm2(self.conv2(x)))


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """Make a 3 × 3 convolution whose first channels start as copies of its input."""
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    with torch.no_grad():
        nn.init.dirac_(layer.weight[: min(inputs, outputs)])
    return layer


def _norm(channels: int) -> nn.BatchNorm2d:
    """Make a batch norm that follows the data quickly and has a bias but no scale to learn."""
    layer = nn.BatchNorm2d(channels, momentum=0.4)
    layer.weight.requires_grad_(False)
    return layer


# --- the fast training -------------------------------------------------------------------------------------


class Muon(Optimizer):
    """Momentum whose step, as a matrix, has all its singular values near 1 (K. Jordan, 2024).

    Parameters
    ----------
    params : iterable of Parameter
        Weights of convolutions, (out, in, k, k). Each is taken as a matrix (out, in · k · k) and kept at
        norm √out.
    lr : float
        Learning rate.
    momentum : float
        Nesterov momentum.
    """

    def __init__(self, params: Any, lr: float, momentum: float = 0.6) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Correct every weight once."""
        for group in self.param_groups:
            for weight in (p for p in group["params"] if p.grad is not None):
                state = self.state[weight]
                if not state:
                    state["mean"] = torch.zeros_like(weight)
                state["mean"].mul_(group["momentum"]).add_(weight.grad)
                update = weight.grad.add(state["mean"], alpha=group["momentum"])
                weight.mul_(len(weight) ** 0.5 / weight.norm())
                weight.sub_(group["lr"] * orthogonal(update.flatten(1)).view_as(weight))


def orthogonal(matrix: Tensor, steps: int = 3) -> Tensor:
    """Bring the singular values of a matrix (m, n) near 1 by a Newton-Schulz iteration; products only."""
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = wide.bfloat16() / (wide.norm() + 1e-7)
    for _ in range(steps):  # each singular value s becomes 3.44 s − 4.78 s³ + 2.03 s⁵
        square = x @ x.T
        x = 3.4445 * x + (2.0315 * square @ square - 4.7750 * square) @ x
    return (x.T if wide is not matrix else x).float()


def mixed_precision(device: torch.device) -> torch.dtype:
    """Return the number format in which this device multiplies fastest without harm."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device)[0] >= 8 else torch.float16
    knows = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.bfloat16 if device.type == "cpu" and knows() else torch.float32


def train_fast(
    model: FastNet,
    images: Tensor,
    labels: Tensor,
    epochs: float,
    *,
    batch: int = 250,
    sizes: tuple[tuple[float, int], ...] = SIZES,
    smoothing: float = 0.1,
    lr: float = 0.07,
    after_step: Callable[[FastNet, int, int, int], None] | None = None,
) -> None:
    """Train a `FastNet` as fast as we can.

    Parameters
    ----------
    model : FastNet
        On the device where training goes on.
    images, labels : Tensor
        uint8 (N, 3, 32, 32) and int64 (N,).
    epochs : float
        How long; learning rates fall linearly to 0 over this time.
    batch : int
        Pictures a step.
    sizes : tuple of (float, int)
        From which part of training (0 to 1) pictures have which size; small ones are cheaper.
    smoothing : float
        Label smoothing.
    lr : float
        Of the convolutions.
    after_step : callable, optional
        Gets the averaged network, the number of the step just made, the number of all, and the size of the
        pictures in it.

    Notes
    -----
    What is given to `after_step`, and what `model` is in the end, is the average of the weights over about
    the last fifth of the steps, at most the last 30: large learning rates make single weights noisy.
    """
    device = model.head.weight.device
    model.to(memory_format=torch.channels_last).train()
    images, labels = images.to(device), labels.to(device)
    model.whiten(normalize(images[torch.randperm(len(images))[:2000]]))

    filters = [p for p in model.groups.parameters() if p.ndim == 4]
    biases = [p for p in model.groups.parameters() if p.ndim == 1 and p.requires_grad]
    rest = [{"params": biases, "lr": 0.6}, {"params": [model.head.weight], "lr": 0.67}]
    optimizers: list[Optimizer] = [Muon(filters, lr), SGD(rest, momentum=0.85, nesterov=True)]

    batches = Batches(images, labels, batch, flip=True, shift=2)
    steps = max(1, round(epochs * len(batches)))
    schedules = [LambdaLR(o, lambda step: 1 - min(step / steps, 1)) for o in optimizers]
    average = deepcopy(model)
    dtype = mixed_precision(device)
    scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)  # half precision underflows
    for step, (x, y) in zip(range(1, steps + 1), endless(batches), strict=False):
        x = resized(x, sizes, (step - 1) / steps)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            scores = model(x)
        loss = F.cross_entropy(scores.float(), y, label_smoothing=smoothing)
        scaler.scale(loss).backward()
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            scaler.step(optimizer)
            optimizer.zero_grad()
            schedule.step()
        scaler.update()
        _follow(average, model, share=max(1 / (1 + step / 5), 1 / 30))
        if after_step is not None:
            after_step(average, step, steps, x.shape[-1])
    model.load_state_dict(average.state_dict())


@torch.no_grad()
def _follow(average: nn.Module, model: nn.Module, share: float) -> None:
    """Move every weight and statistic of `average` by a share of its way towards `model`."""
    for slow, fast in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if slow.is_floating_point():
            slow.lerp_(fast, share)
        else:
            slow.copy_(fast)


def resized(x: Tensor, sizes: tuple[tuple[float, int], ...], done: float) -> Tensor:
    """Show pictures (N, C, H, W) in the size they have once a part of training, 0 to 1, is `done`."""
    size = [size for start, size in sizes if done >= start][-1]
    return x if size == x.shape[-1] else F.interpolate(x, size=size, mode="bilinear", antialias=True)


def endless(batches: Batches) -> Iterator[tuple[Tensor, Tensor]]:
    """Give the batches of one epoch after another."""
    while True:
        yield from batches
