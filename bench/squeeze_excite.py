"""Train a small network with a squeeze-and-excitation, for the demo: ``python -m bench.squeeze_excite``.

The digits are scikit-learn's, 8 × 8, enlarged to 16 × 16. Stored are the weights of the excitation, one test
digit of each class with the 16 maps that reach it, in bytes, and the mean gates of each class; further what
the test accuracy is with the gates, with every image's gates replaced by their mean, and with the gates of
another image. The page ``chapters/models/senet.md`` shows it. Half a minute on one core.
"""

from __future__ import annotations

import base64

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

from cnnbook import results
from cnnbook.models.senet import SqueezeExcitation

TRAINING = 1400  # of 1797 digits, in the order of the data set; the others are the test set
CHANNELS, REDUCTION = 16, 4
EPOCHS, BATCH, RATE = 25, 50, 0.05


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


def rounded(tensor: Tensor, digits: int) -> list:
    """Return nested lists of rounded numbers."""
    return [rounded(t, digits) if t.dim() else round(t.item(), digits) for t in tensor]


def packed(tensor: Tensor) -> str:
    """Return whole numbers 0 to 255 as base64."""
    return base64.b64encode(tensor.to(torch.uint8).numpy().tobytes()).decode()


def main() -> None:
    """Train, measure, store."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    data = load_digits()
    x = torch.tensor(data.images, dtype=torch.float32)[:, None] / 16
    x = F.interpolate(x, size=16, mode="bilinear", align_corners=False)
    y = torch.tensor(data.target)

    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9, weight_decay=5e-4)
    for _ in range(EPOCHS):
        for batch in torch.randperm(TRAINING).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
    net.eval()
    x, y = x[TRAINING:], y[TRAINING:]

    with torch.no_grad():
        maps = net.before(x)
        gates = net.se.excite(net.se.squeeze(maps))
        others = {
            "accuracy": gates,
            "accuracy_mean_gates": gates.mean(dim=0).expand_as(gates),
            "accuracy_gates_of_others": gates[torch.randperm(len(gates))],
        }
        accuracies = {
            name: (net.scores(maps, g).argmax(dim=1) == y).double().mean().item()
            for name, g in others.items()
        }
        by_class = torch.stack([gates[y == c].mean(dim=0) for c in range(10)])
        chosen = torch.tensor([(y == c).nonzero()[0].item() for c in range(10)])
        scale = maps[chosen].max().item() / 255
    excite = net.se.excite
    path = results.save(
        "squeeze-excite",
        {
            "training": TRAINING,
            "test": len(y),
            "epochs": EPOCHS,
            "channels": CHANNELS,
            "reduction": REDUCTION,
            **{name: round(value, 4) for name, value in accuracies.items()},
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
    print(accuracies, path)


if __name__ == "__main__":
    main()
