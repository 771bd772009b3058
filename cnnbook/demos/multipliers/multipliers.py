"""Multipliers: two knobs that make a MobileNet of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets

from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    from cnnbook.figures import Drawing

WIDTHS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.4)
RESOLUTIONS = (96, 128, 160, 192, 224)


class Multipliers(Demo):
    """Scale MobileNet v1 or v2 in width and resolution; see what parameters and multiply-accumulates do.

    Parameters
    ----------
    version : {"v1", "v2"}
        Which MobileNet.
    width : {0.25, 0.35, 0.5, 0.75, 1.0, 1.4}
        The width multiplier.
    resolution : {96, 128, 160, 192, 224}
        Side of the square picture, in pixels.

    Raises
    ------
    traitlets.TraitError
        If a value is not one of these.
    """

    version = traitlets.Enum(["v1", "v2"], "v1").tag(sync=True)
    width = traitlets.Enum(WIDTHS, 1.0).tag(sync=True)
    resolution = traitlets.Enum(RESOLUTIONS, 224).tag(sync=True)

    def static_figure(self) -> Drawing:
        """Draw the multiply-accumulates at every width, counted from the networks themselves."""
        import torch

        from cnnbook import figures, models
        from cnnbook.counting import count_macs

        build = models.builders()[f"mobilenet_{self.version}"]
        with torch.device("meta"):
            shape = (1, 3, self.resolution, self.resolution)
            macs = {f"{width:g}": count_macs(build(width_mult=width), shape) for width in WIDTHS}
        return figures.bars(macs, xlabel="MAC", alt=self.labels["static"], marked=[f"{self.width:g}"])
