"""Conv3d: a window that also moves in depth, beside the 2D convolution that takes depth for channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

Volumes = list[list[list[list[float]]]]


class Conv3d(Demo):
    """Slide a window through a small volume in depth, height and width.

    The 2D convolution beside it sees the same slices as channels: its kernel reaches through all of them at
    once, so that nothing is left of depth in its output.

    Parameters
    ----------
    input : list of list of list of list of float
        2×4×4×4: channel, depth, row, column. With one channel only the first is used.
    weight : list of list of list of list of float
        2×4×2×2: channel, depth, row, column. The 3D kernel uses its first `kernel_depth` slices.
    channels : int
        1 or 2.
    kernel_depth : int
        1 to 4.
    step : int
        Which window is shown, counted along depth, rows and columns of the output.
    view : {"3d", "2d"}
        Whose window is shown.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    input = traitlets.List(
        [
            [
                [[1, 0, 2, 1], [0, 3, 1, 0], [2, 1, 0, 2], [1, 0, 1, 3]],
                [[0, 2, 1, 0], [1, 1, 0, 2], [0, 2, 3, 1], [2, 0, 1, 0]],
                [[3, 1, 0, 1], [0, 2, 1, 1], [1, 0, 2, 0], [0, 1, 0, 2]],
                [[0, 1, 1, 2], [2, 0, 1, 0], [1, 3, 0, 1], [0, 2, 1, 0]],
            ],
            [
                [[0, 1, 0, 2], [1, 0, 2, 0], [0, 1, 1, 1], [2, 0, 0, 1]],
                [[1, 0, 1, 0], [0, 2, 0, 1], [1, 0, 2, 0], [0, 1, 0, 1]],
                [[2, 0, 1, 1], [0, 1, 0, 2], [1, 1, 0, 0], [0, 0, 2, 1]],
                [[0, 2, 0, 1], [1, 0, 1, 0], [0, 1, 0, 2], [1, 0, 1, 0]],
            ],
        ]
    ).tag(sync=True)
    weight = traitlets.List(
        [
            [[[1, 0], [0, 1]], [[0, 2], [1, 0]], [[1, 1], [0, 0]], [[0, 0], [1, 1]]],
            [[[0, 1], [1, 0]], [[1, 0], [0, -1]], [[0, 0], [0, 1]], [[1, 0], [0, 0]]],
        ]
    ).tag(sync=True)
    channels = traitlets.Int(1, min=1, max=2).tag(sync=True)
    kernel_depth = traitlets.Int(2, min=1, max=4).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)
    view = traitlets.Enum(["3d", "2d"], "3d").tag(sync=True)

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> Volumes:
        return numbers(proposal["value"], "input", 2, 4, 4, 4)

    @traitlets.validate("weight")
    def _weight(self, proposal: dict[str, Any]) -> Volumes:
        return numbers(proposal["value"], "weight", 2, 4, 2, 2)

    @property
    def output(self) -> torch.Tensor:
        """The 3D output for the present state, by torch, shape (5 − kernel_depth, 3, 3)."""
        import torch

        x, w = (torch.tensor(v[: self.channels], dtype=torch.float64) for v in (self.input, self.weight))
        return torch.nn.functional.conv3d(x[None], w[None, :, : self.kernel_depth])[0, 0]

    def static_figure(self) -> Drawing:
        """Draw the slices with the first window in them, and the first slice of the output."""
        from cnnbook import figures

        nan, depth = float("nan"), self.labels["depth"]
        slices = []
        for d, (values, kernel) in enumerate(zip(self.input[0], self.weight[0], strict=True)):
            met = d < self.kernel_depth
            notes = [[kernel[i][j] if met and i < 2 and j < 2 else nan for j in range(4)] for i in range(4)]
            corner = figures.window(0, 0, 2) if met else ()
            slices.append(
                figures.Grid(values, f"{depth} {d + 1}", marked=corner, marker="kernel", notes=notes)
            )
        output = figures.Grid(
            self.output[0], f"{self.labels['output']} {depth} 1", color="output", marked=[(0, 0)]
        )
        return figures.matrix(*slices, output, signs="   =", alt=self.labels["static"])
