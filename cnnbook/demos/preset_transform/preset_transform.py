"""PresetTransform: what a pre-trained network sees of a photograph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets

from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    from cnnbook.figures import Drawing


class PresetTransform(Demo):
    """Resize, crop and normalise a photograph as the weights of torchvision's networks want it.

    Parameters
    ----------
    model : {"resnet18", "mobilenet_v2", "inception_v3"}
        One network for each of the three ways among the twelve of the lecture.
    width, height : int
        Of the photograph in pixels, 100 to 4,000.
    red, green, blue : int
        One pixel of it, 0 to 255.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    model = traitlets.Enum(["resnet18", "mobilenet_v2", "inception_v3"], "resnet18").tag(sync=True)
    width = traitlets.Int(640, min=100, max=4000).tag(sync=True)
    height = traitlets.Int(427, min=100, max=4000).tag(sync=True)
    red = traitlets.Int(255, min=0, max=255).tag(sync=True)
    green = traitlets.Int(128, min=0, max=255).tag(sync=True)
    blue = traitlets.Int(0, min=0, max=255).tag(sync=True)

    def static_figure(self) -> Drawing:
        """Draw the pixel's three values before and after."""
        from cnnbook import figures

        before = [[self.red, self.green, self.blue]]
        mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        after = [[round((v / 255 - m) / s, 2) for v, m, s in zip(before[0], mean, std, strict=True)]]
        return figures.matrix(
            figures.Grid(before, title=self.labels["pixel"], color="input"),
            figures.Grid(after, title=self.labels["normalised"], color="output"),
            signs="→",
            alt=self.labels["static"],
        )
