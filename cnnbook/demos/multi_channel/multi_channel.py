"""MultiChannel: one kernel for each channel, one sum over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers, photo

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

Volume = list[list[list[float]]]


class MultiChannel(Demo):
    """Three input channels, two output channels: see products become channel sums, and these one output.

    The same weights also run over a colour photograph.

    Parameters
    ----------
    input : list of list of list of float
        3×5×5. The first channel is the lecture's example.
    weight : list of list of list of list of float
        2×3×3×3, as torch orders it: output channel, input channel, row, column.
    bias : list of float
        One number for each of the 2 output channels.
    output_channel : int
        Which output channel is taken apart, 0 or 1.
    step : int
        Which window is shown, counted along the rows of the output.
    view : {"numbers", "photo"}
        Whether the weights run over the input or over the photograph.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    input = traitlets.List(
        [
            [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]],
            [[1, 0, 2, 1, 0], [0, 1, 1, 0, 2], [2, 1, 0, 1, 1], [1, 0, 1, 2, 0], [0, 2, 1, 0, 1]],
            [[2, 1, 0, 0, 1], [1, 0, 1, 2, 0], [0, 2, 1, 0, 1], [1, 0, 0, 1, 2], [0, 1, 2, 1, 0]],
        ]
    ).tag(sync=True)
    weight = traitlets.List(
        [
            [
                [[0, 1, 2], [2, 2, 0], [0, 1, 2]],
                [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
                [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            ],
            [
                [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
                [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
                [[0, 0, 0], [0, -1, 0], [0, 0, 0]],
            ],
        ]
    ).tag(sync=True)
    bias = traitlets.List([1, 0]).tag(sync=True)
    output_channel = traitlets.Int(0, min=0, max=1).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)
    view = traitlets.Enum(["numbers", "photo"], "numbers").tag(sync=True)
    photo = traitlets.Bytes(help="red, green and blue, 96×96 bytes each, row by row").tag(sync=True)

    @traitlets.default("photo")
    def _photo(self) -> bytes:
        return photo(grey=False).tobytes()

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> Volume:
        return numbers(proposal["value"], "input", 3, 5, 5)

    @traitlets.validate("weight")
    def _weight(self, proposal: dict[str, Any]) -> list[Volume]:
        return numbers(proposal["value"], "weight", 2, 3, 3, 3)

    @traitlets.validate("bias")
    def _bias(self, proposal: dict[str, Any]) -> list[float]:
        return numbers(proposal["value"], "bias", 2)

    @property
    def output(self) -> torch.Tensor:
        """The output for the present numbers, by torch, shape (2, 3, 3)."""
        import torch

        x, w, b = (torch.tensor(v, dtype=torch.float64) for v in (self.input, self.weight, self.bias))
        return torch.nn.functional.conv2d(x[None], w, b)[0]

    def static_figure(self) -> Drawing:
        """Draw the three channels, each with its kernel, and the output channel they add up to."""
        from cnnbook import figures

        o, corner = self.output_channel, figures.window(0, 0)
        notes = [
            [[kernel[i][j] if i < 3 and j < 3 else float("nan") for j in range(5)] for i in range(5)]
            for kernel in self.weight[o]
        ]
        inputs = [
            figures.Grid(x, self.labels[name], marked=corner, marker="kernel", notes=note)
            for x, name, note in zip(self.input, ("red", "green", "blue"), notes, strict=True)
        ]
        output = figures.Grid(
            self.output[o], f"{self.labels['output']} {o + 1}", color="output", marked=[(0, 0)]
        )
        return figures.matrix(*inputs, output, signs="++=", alt=self.labels["static"])
