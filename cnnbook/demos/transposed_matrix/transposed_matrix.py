"""TransposedMatrix: a convolution as a sparse matrix, its transpose, and why they lead nowhere back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

Matrix = list[list[float]]


class TransposedMatrix(Demo):
    """Write a 3×3 convolution of a 4×4 image as a 4×16 matrix and multiply by it and by its transpose.

    Parameters
    ----------
    x : list of list of float
        4×4, what the convolution takes. The default is a corner of the lecture's input.
    y : list of list of float
        2×2, what the transposed convolution takes.
    kernel : list of list of float
        3×3. The default is the lecture's kernel.
    mode : {"forward", "transpose", "printed", "back"}
        Whether C x is shown, Cᵀ y, Cᵀ beside the lecture's print of it, or CᵀC x.
    symbols : bool
        Whether the matrix shows names of kernel cells instead of their values.
    step : int
        Which row of the matrix is shown.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    x = traitlets.List([[3, 3, 2, 1], [0, 0, 1, 3], [3, 1, 2, 2], [2, 0, 0, 2]]).tag(sync=True)
    y = traitlets.List([[1, 2], [3, 1]]).tag(sync=True)
    kernel = traitlets.List([[0, 1, 2], [2, 2, 0], [0, 1, 2]]).tag(sync=True)
    mode = traitlets.Enum(["forward", "transpose", "printed", "back"], "forward").tag(sync=True)
    symbols = traitlets.Bool(True).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)

    @traitlets.validate("x", "y", "kernel")
    def _square(self, proposal: dict[str, Any]) -> Matrix:
        name = proposal["trait"].name
        size = {"x": 4, "y": 2, "kernel": 3}[name]
        return numbers(proposal["value"], name, size, size)

    @property
    def matrix(self) -> torch.Tensor:
        """C for the present kernel, shape (4, 16): the convolution is ``C @ x.flatten()``."""
        import torch

        from cnnbook.conv import conv_matrix

        return conv_matrix(torch.tensor(self.kernel, dtype=torch.float64), (4, 4))

    def static_figure(self) -> Drawing:
        """Draw C with its kernel values marked."""
        from cnnbook import figures

        at = [
            (o, i) for o in range(4) for i in range(16) if 0 <= i // 4 - o // 2 < 3 and 0 <= i % 4 - o % 2 < 3
        ]
        grid = figures.Grid(self.matrix, title="C", color="kernel", marked=at)
        return figures.matrix(grid, alt=self.labels["static"])
