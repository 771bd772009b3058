"""Pointwise: one matrix mixes the channels of every pixel, and nn.Linear gives the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers, photo

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

Matrix = list[list[float]]


class Pointwise(Demo):
    """Mix three channels into two, pixel by pixel; the same pixels are the rows that `nn.Linear` takes.

    The matrix also mixes the red, green and blue of a photograph.

    Parameters
    ----------
    input : list of list of list of float
        3×3×3: channel, row, column.
    weight : list of list of float
        2×3: one row for each output channel.
    bias : list of float
        One number for each of the 2 output channels.
    step : int
        Which pixel is shown, counted along the rows.
    view : {"numbers", "photo"}
        Whether the matrix works on the input or on the photograph.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    input = traitlets.List(
        [
            [[3, 0, 1], [2, 1, 0], [0, 2, 3]],
            [[1, 2, 0], [0, 3, 1], [2, 0, 1]],
            [[2, 1, 1], [1, 0, 2], [3, 1, 0]],
        ]
    ).tag(sync=True)
    weight = traitlets.List([[1, 2, 0], [-1, 0, 1]]).tag(sync=True)
    bias = traitlets.List([0, 1]).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)
    view = traitlets.Enum(["numbers", "photo"], "numbers").tag(sync=True)
    photo = traitlets.Bytes(help="red, green and blue, 96×96 bytes each, row by row").tag(sync=True)

    @traitlets.default("photo")
    def _photo(self) -> bytes:
        return photo(grey=False).tobytes()

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> list[Matrix]:
        return numbers(proposal["value"], "input", 3, 3, 3)

    @traitlets.validate("weight")
    def _weight(self, proposal: dict[str, Any]) -> Matrix:
        return numbers(proposal["value"], "weight", 2, 3)

    @traitlets.validate("bias")
    def _bias(self, proposal: dict[str, Any]) -> list[float]:
        return numbers(proposal["value"], "bias", 2)

    @property
    def output(self) -> torch.Tensor:
        """The output for the present numbers, by torch, shape (2, 3, 3)."""
        import torch

        x, w, b = (torch.tensor(v, dtype=torch.float64) for v in (self.input, self.weight, self.bias))
        return torch.nn.functional.conv2d(x[None], w[:, :, None, None], b)[0]

    def static_figure(self) -> Drawing:
        """Draw the input channels, the matrix and the output channels with the first pixel marked."""
        from cnnbook import figures

        inputs = [
            figures.Grid(x, f"{self.labels['inputName']} {c}", marked=[(0, 0)], marker="kernel")
            for c, x in enumerate(self.input, start=1)
        ]
        outputs = [
            figures.Grid(y, f"{self.labels['outputName']} {o}", color="output", marked=[(0, 0)])
            for o, y in enumerate(self.output, start=1)
        ]
        weight = figures.Grid(self.weight, self.labels["weight"], color="kernel")
        return figures.matrix(*inputs, weight, *outputs, alt=self.labels["static"])
