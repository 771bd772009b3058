"""FeatureMaps: what the channels of a small trained network answer, and where a class comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets

from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cnnbook.figures import Drawing


class FeatureMaps(Demo):
    """Look at feature maps and class activation maps of `cnnbook.inside.small_net`.

    The browser gets the stored weights in eight bits and computes the network itself.

    Parameters
    ----------
    view : {"maps", "classes"}
        Feature maps, or class activation maps.
    picture : int
        0 to 9: the first test picture of which class of CIFAR-10.
    layer : int
        Convolution 1 to 4.
    channel : int
        0 to 47; a layer with fewer channels shows its last.
    row, col : int
        The cell in question, 0 to 31; -1 is the cell with the largest value.
    target : int
        0 to 9: the class of the class activation map.
    positive : bool
        Whether values below 0 are left out, as Grad-CAM does.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    view = traitlets.Enum(["maps", "classes"], "maps").tag(sync=True)
    picture = traitlets.Int(0, min=0, max=9).tag(sync=True)
    layer = traitlets.Int(1, min=1, max=4).tag(sync=True)
    channel = traitlets.Int(0, min=0, max=47).tag(sync=True)
    row = traitlets.Int(-1, min=-1, max=31).tag(sync=True)
    col = traitlets.Int(-1, min=-1, max=31).tag(sync=True)
    target = traitlets.Int(0, min=0, max=9).tag(sync=True)
    positive = traitlets.Bool(True).tag(sync=True)
    pixels = traitlets.Bytes(read_only=True).tag(sync=True)
    weights = traitlets.Bytes(read_only=True).tag(sync=True)

    @traitlets.default("pixels")
    def _pixels(self) -> bytes:
        from cnnbook.inside import stored  # inside: it brings torch

        return stored()["pictures"].tobytes()

    @traitlets.default("weights")
    def _weights(self) -> bytes:
        from cnnbook.inside import LAYERS, stored

        names = [f"{layer}.{part}" for layer in LAYERS for part in ("weight", "scale", "bias")]
        return b"".join(stored()[name].tobytes() for name in names)

    @property
    def input(self) -> Tensor:
        """The chosen picture as the network takes it, shape (1, 3, 32, 32)."""
        from cnnbook.inside import stored, to_input

        return to_input(stored()["pictures"][self.picture : self.picture + 1])

    @property
    def network(self) -> nn.Sequential:
        """The trained network."""
        from cnnbook.inside import small_net

        return small_net()

    def static_figure(self) -> Drawing:
        """Draw the picture and the strongest map of each layer."""
        import torch

        from cnnbook import figures
        from cnnbook.inside import feature_maps

        with torch.no_grad():
            maps = feature_maps(self.network, self.input)
        images = {self.labels["photo"]: (self.input[0].permute(1, 2, 0) + 1) / 2}
        for layer, values in enumerate(maps, start=1):
            channel = values[0].amax(dim=(1, 2)).argmax().item()
            best = values[0, channel]
            images[self.labels["mapOf"].format(layer=layer, channel=channel)] = best / best.max()
        return figures.side_by_side(images, alt=self.labels["static"], across=5)
