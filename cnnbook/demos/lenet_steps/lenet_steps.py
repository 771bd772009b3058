"""LenetSteps: a digit on its way through the LeNet-5 of 1998, map by map and number by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook import results
from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

LAYERS = ("c1", "s2", "c3", "s4", "c5", "f6", "output")


class LenetSteps(Demo):
    """Follow one digit from C1 to the output of a trained LeNet-5.

    C1 to S4 are computed in the browser with the stored weights; C5, F6 and the output are stored
    (`python -m bench.lenet_digits`).

    Parameters
    ----------
    digit : int
        0 to 9: which test digit.
    layer : {"c1", "s2", "c3", "s4", "c5", "f6", "output"}
        Which layer is shown.
    map : int
        Which map of that layer: 0 to 5 in C1 and S2, 0 to 15 in C3 and S4.
    source : int
        0 to 5: which map of S2 is taken apart where C3 is shown.
    row, column : int
        The cell of the map.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    digit = traitlets.Int(3, min=0, max=9).tag(sync=True)
    layer = traitlets.Enum(LAYERS, "c1").tag(sync=True)
    map = traitlets.Int(0, min=0, max=15).tag(sync=True)
    source = traitlets.Int(0, min=0, max=5).tag(sync=True)
    row = traitlets.Int(8, min=0, max=27).tag(sync=True)
    column = traitlets.Int(10, min=0, max=27).tag(sync=True)
    pixels = traitlets.Bytes(read_only=True).tag(sync=True)
    network = traitlets.Dict(read_only=True).tag(sync=True)

    @traitlets.default("pixels")
    def _pixels(self) -> bytes:
        return bytes(v for digit in results.load("lenet-digits").data["digits"] for v in digit)

    @traitlets.default("network")
    def _network(self) -> dict[str, Any]:
        from cnnbook.models.lenet import C3_CONNECTIONS, RBF  # inside: they bring torch

        data = results.load("lenet-digits").data
        kept = {key: data[key] for key in ("weights", "paper", "ink", "c5", "f6", "output")}
        codes = RBF(10).codes.int().tolist()
        return kept | {"connections": [list(seen) for seen in C3_CONNECTIONS], "codes": codes}

    @property
    def image(self) -> torch.Tensor:
        """The chosen digit as the network sees it, shape (1, 1, 32, 32)."""
        import torch

        start = 1024 * self.digit
        pixels = torch.tensor(list(self.pixels[start : start + 1024]), dtype=torch.float64)
        paper, ink = self.network["paper"], self.network["ink"]
        return pixels.reshape(1, 1, 32, 32) / 255 * (ink - paper) + paper

    def static_figure(self) -> Drawing:
        """Draw the digit and the six maps that C1 makes of it."""
        import torch

        from cnnbook import figures

        weights = self.network["weights"]["c1"]
        kernels = torch.tensor(weights["weight"], dtype=torch.float64)[:, None]
        maps = torch.nn.functional.conv2d(self.image, kernels, torch.tensor(weights["bias"]).double())[0]
        images = {self.labels["input"]: (self.image[0, 0] + 0.1) / 1.275}
        images |= {self.labels["mapOf"].format(layer="C1", m=m): part for m, part in enumerate(maps)}
        signed = [title for title in images if title != self.labels["input"]]
        return figures.side_by_side(images, alt=self.labels["static"], signed=signed, across=7)
