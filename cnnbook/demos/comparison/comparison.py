"""Comparison: the ten forms of convolution side by side, for the reader's own sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets

from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    from torch import nn

    from cnnbook.figures import Drawing

FORMS = (
    "single",
    "multi",
    "volume",
    "pointwise",
    "transposed",
    "dilated",
    "spatial",
    "depthwise",
    "grouped",
    "shuffled",
)


class Comparison(Demo):
    """Set channels, kernel and size once; see what each form costs, gives and sees.

    Padding is chosen so that stride 1 keeps the size. The spatially separable form keeps ``min(c_in, c_out)``
    channels between its column and its row.

    Parameters
    ----------
    c_in, c_out : int
        Channels, 1 to 1024.
    k : int
        Side of the kernel: 1, 3, 5 or 7.
    size : int
        Height and width of the input, 1 to 512.
    stride : int
        1 to 3; the transposed form makes its output so many times larger.
    dilation, groups, depth : int
        For the forms that have them: 1 to 4; 1 to 1024, and both channels must divide by it; 1 to 64 slices.
    bias : bool
        Whether biases are counted: one for each output channel.
    form : str
        Which form is explained: one of ``single multi volume pointwise transposed dilated spatial depthwise
        grouped shuffled``.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    c_in = traitlets.Int(64, min=1, max=1024).tag(sync=True)
    c_out = traitlets.Int(64, min=1, max=1024).tag(sync=True)
    k = traitlets.Enum([1, 3, 5, 7], 3).tag(sync=True)
    size = traitlets.Int(32, min=1, max=512).tag(sync=True)
    stride = traitlets.Int(1, min=1, max=3).tag(sync=True)
    dilation = traitlets.Int(2, min=1, max=4).tag(sync=True)
    groups = traitlets.Int(4, min=1, max=1024).tag(sync=True)
    depth = traitlets.Int(8, min=1, max=64).tag(sync=True)
    bias = traitlets.Bool(False).tag(sync=True)
    form = traitlets.Enum(FORMS, "multi").tag(sync=True)

    def layer(self, form: str) -> nn.Module:
        """Build a form at the present sizes in torch.

        Parameters
        ----------
        form
            One of the names of the attribute `form`.

        Raises
        ------
        ValueError
            If `groups` does not divide both channels and the form has groups; or there is no such form.
        """
        from torch import nn

        if form not in FORMS:
            raise ValueError(f"form must be one of {', '.join(FORMS)}; got {form!r}")
        a, b, k, s, g = self.c_in, self.c_out, self.k, self.stride, self.groups
        pad, plain = k // 2, {"bias": self.bias}
        if form == "single":
            return nn.Conv2d(1, 1, k, s, pad, **plain)
        if form == "volume":
            return nn.Conv3d(a, b, k, s, pad, **plain)
        if form == "pointwise":
            return nn.Conv2d(a, b, 1, s, **plain)
        if form == "transposed":
            return nn.ConvTranspose2d(a, b, k, s, pad, output_padding=s - 1, **plain)
        if form == "dilated":
            return nn.Conv2d(a, b, k, s, self.dilation * pad, self.dilation, **plain)
        if form == "spatial":
            mid = min(a, b)
            return nn.Sequential(
                nn.Conv2d(a, mid, (k, 1), (s, 1), (pad, 0), bias=False),
                nn.Conv2d(mid, b, (1, k), (1, s), (0, pad), **plain),
            )
        if form == "depthwise":
            return nn.Sequential(
                nn.Conv2d(a, a, k, s, pad, groups=a, bias=False), nn.Conv2d(a, b, 1, **plain)
            )
        if form == "grouped":
            return nn.Conv2d(a, b, k, s, pad, groups=g, **plain)
        if form == "shuffled":
            return nn.Sequential(nn.Conv2d(a, b, k, s, pad, groups=g, **plain), nn.ChannelShuffle(g))
        return nn.Conv2d(a, b, k, s, pad, **plain)

    def input_shape(self, form: str) -> tuple[int, ...]:
        """Return the shape of one input for `layer(form)`, batch axis included."""
        channels, sides = (1 if form == "single" else self.c_in), (self.size, self.size)
        return (1, channels, self.depth, *sides) if form == "volume" else (1, channels, *sides)

    def static_figure(self) -> Drawing:
        """Draw the weights of every form that these sizes allow, counted by torch."""
        from cnnbook import figures
        from cnnbook.counting import count_parameters

        counts = {}
        for form in FORMS:
            fits = self.c_in % self.groups == 0 and self.c_out % self.groups == 0
            if fits or form not in ("grouped", "shuffled"):
                counts[self.labels[form]] = count_parameters(self.layer(form))
        return figures.bars(counts, xlabel=self.labels["parameters"], alt=self.labels["static"], log=True)
