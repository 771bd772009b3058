"""Overview: the ten forms of convolution on one map, each with the numbers of one output cell."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

CHANNELS, SIZE, KERNEL = 4, 5, 3
FORMS = (
    "single", "multi", "conv3d", "pointwise", "transposed",
    "dilated", "spatial", "depthwise", "grouped", "shuffled",
)  # fmt: skip
COLUMN, ROW = (1, 2, 1), (-1, 0, 1)  # Sobel's kernel, made of two


class Overview(Demo):
    """Choose one of the ten forms and see which inputs and weights make each of its outputs, and the cost.

    All forms work on the same four channels of 5×5 (as a volume: four slices) and take their weights from
    the same 4×4 kernels of 3×3. Padding keeps the size; only the transposed one, with stride 2, gives 9×9.

    Parameters
    ----------
    form : str
        One of `FORMS`.
    channel : int
        0 to 3: the output channel, or the output slice of the 3D convolution.
    step : int
        Which output cell is shown, counted along the rows.
    input : list
        4×5×5.
    weight : list
        4×4×3×3: a kernel for each output and input channel.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    form = traitlets.Enum(FORMS, "multi").tag(sync=True)
    channel = traitlets.Int(0, min=0, max=CHANNELS - 1).tag(sync=True)
    step = traitlets.Int(12, min=0).tag(sync=True)
    input = traitlets.List().tag(sync=True)
    weight = traitlets.List().tag(sync=True)

    @traitlets.default("input")
    def _first_input(self) -> list:
        return _small(0, 3, CHANNELS, SIZE, SIZE)

    @traitlets.default("weight")
    def _first_weight(self) -> list:
        return _small(-2, 2, CHANNELS, CHANNELS, KERNEL, KERNEL)

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "input", CHANNELS, SIZE, SIZE)

    @traitlets.validate("weight")
    def _weight(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "weight", CHANNELS, CHANNELS, KERNEL, KERNEL)

    @property
    def output(self) -> torch.Tensor:
        """The whole output of the present form, by torch, shape (channels or slices, H_out, W_out)."""
        import torch

        x, w = (torch.tensor(v, dtype=torch.float64) for v in (self.input, self.weight))
        return by_torch(self.form, x, w)

    def static_figure(self) -> Drawing:
        """Draw the input channels, and the first output channel of the present form."""
        from cnnbook import figures

        output = self.output[0].tolist()
        return figures.matrix(
            *(
                figures.Grid(channel, title=f"{self.labels['input']} {c}", color="input")
                for c, channel in enumerate(self.input)
            ),
            figures.Grid(output, title=f"{self.labels['output']} 0", color="output"),
            alt=self.labels["static"],
        )


def by_torch(form: str, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Return what torch makes of `x`, (4, 5, 5), and `w`, (4, 4, 3, 3), in one of the ten forms."""
    import torch
    from torch.nn import functional as f

    column = torch.tensor(COLUMN, dtype=x.dtype).reshape(1, 1, 3, 1)
    row = torch.tensor(ROW, dtype=x.dtype).reshape(1, 1, 1, 3)
    centres = w[..., 1:2, 1:2]
    blocks = torch.cat([w[:2, :2], w[2:, 2:]])
    if form == "single":
        return f.conv2d(x[:1], w[:1, :1], padding=1)
    if form == "multi":
        return f.conv2d(x, w, padding=1)
    if form == "conv3d":
        return f.conv3d(x[None], w[None, :1, :3], padding=1)[0]
    if form == "pointwise":
        return f.conv2d(x, centres)
    if form == "transposed":
        return f.conv_transpose2d(x, w.transpose(0, 1), stride=2, padding=1)
    if form == "dilated":
        return f.conv2d(x, w, padding=2, dilation=2)
    if form == "spatial":
        return f.conv2d(f.conv2d(x[:1], column, padding=(1, 0)), row, padding=(0, 1))
    if form == "depthwise":
        return f.conv2d(f.conv2d(x, w[0][:, None], padding=1, groups=4), centres)
    grouped = f.conv2d(x, blocks, padding=1, groups=2)
    return grouped if form == "grouped" else torch.nn.ChannelShuffle(2)(grouped[None])[0]


def _small(low: int, high: int, *sizes: int) -> list:
    """Return nested lists of small whole numbers, the same each time."""
    source = random.Random(3)

    def fill(size: int, *rest: int) -> list:
        return [fill(*rest) if rest else source.randint(low, high) for _ in range(size)]

    return fill(*sizes)
