"""ShuffledGroups: more groups at the same cost, and which inputs an output still sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets

from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    from cnnbook.figures import Drawing

GROUPS = (1, 2, 3, 4, 8)


class ShuffledGroups(Demo):
    """Choose the groups of ShuffleNet v1's 1×1 convolutions; follow an output back to its inputs.

    The channels are those of a unit of the second stage, a quarter of them between the two convolutions.

    Parameters
    ----------
    groups : {1, 2, 3, 4, 8}
        Groups of both 1×1 convolutions; the widths go with it.
    shuffle : bool
        Whether the channels are shuffled between them.
    channel : int
        The output channel whose inputs are shown, from 0; one beyond the last stands for the last.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    groups = traitlets.Enum(GROUPS, 3).tag(sync=True)
    shuffle = traitlets.Bool(False).tag(sync=True)
    channel = traitlets.Int(100, min=0, max=383).tag(sync=True)

    def static_figure(self) -> Drawing:
        """Draw the multiply-accumulates by the number of groups, counted from the networks themselves."""
        import torch

        from cnnbook import figures
        from cnnbook.counting import count_macs
        from cnnbook.models import shufflenet_v1

        with torch.device("meta"):
            macs = {str(g): count_macs(shufflenet_v1(groups=g), (1, 3, 224, 224)) for g in GROUPS}
        return figures.bars(macs, xlabel="MAC", alt=self.labels["static"], marked=[str(self.groups)])
