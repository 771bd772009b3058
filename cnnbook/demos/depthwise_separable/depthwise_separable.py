"""DepthwiseSeparable: neighbours first, channels second, beside the ordinary convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing


class DepthwiseSeparable(Demo):
    """Follow the numbers of a small depthwise separable convolution, or count what a large one costs.

    Parameters
    ----------
    view : {"numbers", "cost"}
        Three channels of 4×4 with every number in sight; or parameters and MACs for any size.
    input : list
        Numbers, 3 channels × 4 × 4.
    depthwise : list
        One 3×3 kernel for each input channel.
    pointwise : list
        One weight for each pair of output channel (4) and input channel (3).
    channel : int
        Which output channel is shown, 0 to 3.
    step : int
        Which of its cells is shown, counted along the rows.
    c_in, c_out, k, size : int
        For ``cost``: channels (1 to 1024), side of the kernel (1, 3, 5 or 7), side of input and output
        (1 to 512).

    Raises
    ------
    traitlets.TraitError
        If a value has another shape or is outside these limits.
    """

    view = traitlets.Enum(["numbers", "cost"], "numbers").tag(sync=True)
    input = traitlets.List(
        [
            [[1, 0, 2, 1], [0, 1, 3, 0], [2, 1, 0, 1], [1, 1, 0, 2]],
            [[0, 2, 1, 0], [1, 0, 2, 1], [3, 0, 1, 0], [0, 1, 1, 0]],
            [[2, 1, 0, 1], [0, 1, 1, 2], [1, 0, 2, 0], [1, 2, 0, 1]],
        ]
    ).tag(sync=True)
    depthwise = traitlets.List(
        [
            [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
            [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
            [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
        ]
    ).tag(sync=True)
    pointwise = traitlets.List([[1, 0, 0], [1, 1, 1], [0, 1, -1], [2, 0, 1]]).tag(sync=True)
    channel = traitlets.Int(1, min=0, max=3).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)
    c_in = traitlets.Int(128, min=1, max=1024).tag(sync=True)
    c_out = traitlets.Int(256, min=1, max=1024).tag(sync=True)
    k = traitlets.Enum([1, 3, 5, 7], 3).tag(sync=True)
    size = traitlets.Int(14, min=1, max=512).tag(sync=True)

    @traitlets.validate("input")
    def _input(self, proposal: dict[str, Any]) -> list[list[list[float]]]:
        return numbers(proposal["value"], "input", 3, 4, 4)

    @traitlets.validate("depthwise")
    def _depthwise(self, proposal: dict[str, Any]) -> list[list[list[float]]]:
        return numbers(proposal["value"], "depthwise", 3, 3, 3)

    @traitlets.validate("pointwise")
    def _pointwise(self, proposal: dict[str, Any]) -> list[list[float]]:
        return numbers(proposal["value"], "pointwise", 4, 3)

    @property
    def output(self) -> torch.Tensor:
        """The output of the numbers in sight, by torch, shape (4, 2, 2)."""
        import torch

        x, depthwise, pointwise = (
            torch.tensor(v, dtype=torch.float64) for v in (self.input, self.depthwise, self.pointwise)
        )
        middle = torch.nn.functional.conv2d(x, depthwise[:, None], groups=3)
        return torch.nn.functional.conv2d(middle, pointwise[:, :, None, None])

    def static_figure(self) -> Drawing:
        """Draw the blocks: input, one kernel a channel, the maps between, 1×1 weights, output."""
        from cnnbook import figures

        return figures.boxes(
            figures.Box((3, 4, 4), self.labels["input"], "3×4×4", "input"),
            figures.Box((3, 3, 3), self.labels["depthwise"], "3×3×3", "kernel"),
            figures.Box((3, 2, 2), self.labels["middle"], "3×2×2", "channel"),
            figures.Box((3, 1, 1), self.labels["pointwise"], "1×1×3, 4", "kernel"),
            figures.Box((4, 2, 2), self.labels["output"], "4×2×2", "output"),
            signs="∗=∗=",
            alt=self.labels["static"],
        )
