"""Train a small network with a squeeze-and-excitation, for the demo: ``python -m bench.squeeze_excite``.

The digits are scikit-learn's, 8 × 8, enlarged to 16 × 16. Stored are the weights of the excitation, one test
digit of each class with the 16 maps that reach it, in bytes, and the mean gates of each class; further what
the test accuracy is with the gates, with every image's gates replaced by their mean, and with the gates of
another image. The page ``chapters/models/senet.md`` shows it. A minute on one core.

The excitation learns at ten times the rate of the rest. At the same rate, so small a network leaves its gates
nearly alike for all images and classifies as well with the gates of another image: that is measured and
stored too.
"""

from __future__ import annotations

import base64

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnbook import data, results
from cnnbook.models.senet import SqueezeExcitation
from cnnbook.results import rounded

TRAINING = 1400  # of 1797 digits, in the order of the data set; the others are the test set
CHANNELS, REDUCTION = 16, 4
EPOCHS, BATCH, RATE, EXCITE_RATE = 40, 50, 0.05, 0.5


class Net(nn.Module):
    """Two convolutions, a squeeze-and-excitation, one more convolution, the mean of each map, ten scores."""

    def __init__(self) -> None:
        super().__init__()
        self.before = nn.Sequential(
            nn.Conv2d(1, CHANNELS, 3, padding=1, bias=False),
            nn.BatchNorm2d(CHANNELS),
            nn.ReLU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(CHANNELS),
            nn.ReLU(),
        )
        self.se = SqueezeExcitation(CHANNELS, REDUCTION)
        self.after = nn.Sequential(
            nn.Conv2d(CHANNELS, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU()
        )
        self.fc = nn.Linear(32, 10)

    def scores(self, maps: Tensor, gates: Tensor) -> Tensor:
        """Map what reaches the excitation, (N, 16, 8, 8), and gates, (N, 16), to scores (N, 10)."""
        return self.fc(self.after(maps * gates[..., None, None]).mean(dim=(2, 3)))

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 1, 16, 16) to scores (N, 10)."""
        return self.fc(self.after(self.se(self.before(x))).mean(dim=(2, 3)))


def packed(tensor: Tensor) -> str:
    """Return whole numbers 0 to 255 as base64."""
    return base64.b64encode(tensor.to(torch.uint8).numpy().tobytes()).decode()


def train(x: Tensor, y: Tensor, excite_rate: float) -> Net:
    """Train a network by SGD with momentum and a one-cycle schedule; the excitation has a rate of its own."""
    torch.manual_seed(0)
    net = Net()
    rest = [*net.before.parameters(), *net.after.parameters(), *net.fc.parameters()]
    groups = [{"params": rest}, {"params": [*net.se.parameters()]}]
    optimizer = torch.optim.SGD(groups, lr=RATE, momentum=0.9)
    steps = EPOCHS * len(range(0, len(x), BATCH))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [RATE, excite_rate], total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
            schedule.step()
    return net.eval()


@torch.no_grad()
def accuracies(net: Net, x: Tensor, y: Tensor) -> dict[str, float]:
    """Return the accuracy with each image's own gates, with their mean, and with those of another image."""
    maps = net.before(x)
    own = net.se.excite(net.se.squeeze(maps))
    gates = {"own": own, "mean": own.mean(dim=0).expand_as(own), "other": own[torch.randperm(len(own))]}
    right = {name: net.scores(maps, g).argmax(dim=1) == y for name, g in gates.items()}
    return {name: round(hits.double().mean().item(), 4) for name, hits in right.items()}


def main() -> None:
    """Train, measure, store."""
    torch.set_num_threads(1)
    x, y = data.digits()
    x = F.interpolate(x, size=16, mode="bilinear", align_corners=False)
    same, net = (train(x[:TRAINING], y[:TRAINING], rate) for rate in (RATE, EXCITE_RATE))
    x, y = x[TRAINING:], y[TRAINING:]

    with torch.no_grad():
        maps = net.before(x)
        gates = net.se.excite(net.se.squeeze(maps))
    by_class = torch.stack([gates[y == c].mean(dim=0) for c in range(10)])
    chosen = torch.tensor([(y == c).nonzero()[0].item() for c in range(10)])
    scale = maps[chosen].max().item() / 255
    excite = net.se.excite
    measured = {"accuracy": accuracies(net, x, y), "accuracy_same_rate": accuracies(same, x, y)}
    path = results.save(
        "squeeze-excite",
        {
            "training": TRAINING,
            "test": len(y),
            "epochs": EPOCHS,
            "rate": RATE,
            "excite_rate": EXCITE_RATE,
            "channels": CHANNELS,
            "reduction": REDUCTION,
            **measured,
            "down": rounded(excite.fc1.weight, 4),
            "down_bias": rounded(excite.fc1.bias, 4),
            "up": rounded(excite.fc2.weight, 4),
            "up_bias": rounded(excite.fc2.bias, 4),
            "gates_by_class": rounded(by_class, 3),
            "digits": packed((x[chosen] * 255).round()),
            "maps": packed((maps[chosen] / scale).round()),
            "scale": round(scale, 6),
        },
        command="python -m bench.squeeze_excite",
        packages=("torch", "scikit-learn"),
    )
    print(measured, path)


if __name__ == "__main__":
    main()
