"""SqueezeExcite: what a small trained network makes of its own channels, and what that costs."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook import results
from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

CHANNELS, SIDE = 16, 8  # of the maps that reach the excitation
SIZE = CHANNELS * SIDE * SIDE


class SqueezeExcite(Demo):
    """Squeeze and excite the maps of a digit in a trained network; and count what it adds to ResNet-50.

    Maps and weights are stored (`python -m bench.squeeze_excite`); means and gates are computed in the
    browser.

    Parameters
    ----------
    view : {"gates", "cost"}
        Which of the two.
    digit : int
        0 to 9: which test digit.
    channel : int
        0 to 15: which channel is taken apart.
    strength : {0, 0.5, 1, 2, 4}
        What the map of that channel is multiplied with before it is squeezed.
    ratio : {2, 4, 8, 16, 32, 64}
        The ratio r of the count.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    view = traitlets.Enum(["gates", "cost"], "gates").tag(sync=True)
    digit = traitlets.Int(3, min=0, max=9).tag(sync=True)
    channel = traitlets.Int(0, min=0, max=CHANNELS - 1).tag(sync=True)
    strength = traitlets.Enum([0, 0.5, 1, 2, 4], 1).tag(sync=True)
    ratio = traitlets.Enum([2, 4, 8, 16, 32, 64], 16).tag(sync=True)
    pixels = traitlets.Bytes(read_only=True).tag(sync=True)
    maps = traitlets.Bytes(read_only=True).tag(sync=True)
    network = traitlets.Dict(read_only=True).tag(sync=True)
    resnet50 = traitlets.Int(25_557_032, read_only=True).tag(sync=True)  # parameters, asserted in a test

    @traitlets.default("pixels")
    def _pixels(self) -> bytes:
        return base64.b64decode(results.load("squeeze-excite").data["digits"])

    @traitlets.default("maps")
    def _maps(self) -> bytes:
        return base64.b64decode(results.load("squeeze-excite").data["maps"])

    @traitlets.default("network")
    def _network(self) -> dict[str, Any]:
        data = results.load("squeeze-excite").data
        kept = {"down": "down", "downBias": "down_bias", "up": "up", "upBias": "up_bias", "scale": "scale"}
        return {name: data[key] for name, key in kept.items()}

    @property
    def maps_of_digit(self) -> torch.Tensor:
        """The chosen digit's maps as they are squeezed, the chosen one `strength` times, shape (16, 8, 8)."""
        import torch

        own = self.maps[self.digit * SIZE : (self.digit + 1) * SIZE]
        maps = torch.tensor(list(own), dtype=torch.float64).reshape(CHANNELS, SIDE, SIDE)
        maps = maps * self.network["scale"]
        maps[self.channel] *= self.strength
        return maps

    @property
    def gates(self) -> torch.Tensor:
        """The gates of those maps, by torch, shape (16,)."""
        import torch

        net = {key: torch.tensor(value, dtype=torch.float64) for key, value in self.network.items()}
        hidden = (net["down"] @ self.maps_of_digit.mean(dim=(1, 2)) + net["downBias"]).relu()
        return (net["up"] @ hidden + net["upBias"]).sigmoid()

    def static_figure(self) -> Drawing:
        """Draw the gates of the chosen digit."""
        from cnnbook import figures

        gates = {
            f"{self.labels['channel']} {c + 1}": round(gate, 2) for c, gate in enumerate(self.gates.tolist())
        }
        return figures.bars(gates, xlabel=self.labels["gates"], alt=self.labels["static"])
