"""InceptionBlock: set the widths of the four branches and see what the 1×1 convolutions save."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    from cnnbook.figures import Drawing


class InceptionBlock(Demo):
    """Four branches side by side, with the 1×1 convolutions that thin their input and without.

    Parameters
    ----------
    c_in : int
        Channels of the input: 16 to 1,024, a multiple of 16.
    size : {7, 14, 28, 56}
        Side of the feature map, which the block keeps.
    widths : list of int
        Channels of the six convolutions in the order of the paper's table 1: 1×1, 3×3 reduce, 3×3,
        5×5 reduce, 5×5, pool projection. Multiples of 8, 8 to 512.
    kernel5 : {5, 3}
        Kernel of the third branch: 5 in the paper, 3 in torchvision.
    branch : int
        Which branch is looked into, 0 to 3.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    c_in = traitlets.Int(192).tag(sync=True)
    size = traitlets.Enum([7, 14, 28, 56], 28).tag(sync=True)
    widths = traitlets.List([64, 96, 128, 16, 32, 32]).tag(sync=True)
    kernel5 = traitlets.Enum([5, 3], 5).tag(sync=True)
    branch = traitlets.Int(2, min=0, max=3).tag(sync=True)

    @traitlets.validate("c_in")
    def _c_in(self, proposal: dict[str, Any]) -> int:
        return _multiple(proposal["value"], "c_in", 16, 1024)

    @traitlets.validate("widths")
    def _widths(self, proposal: dict[str, Any]) -> list[int]:
        return [_multiple(v, "widths", 8, 512) for v in numbers(proposal["value"], "widths", 6)]

    def macs(self, reduced: bool = True) -> list[int]:
        """Return the multiply-accumulates of each branch, with the 1×1 convolutions or without them."""
        n1, reduce3, n3, reduce5, n5, pool = self.widths
        c, nine, square = self.c_in, 9, self.kernel5**2
        if reduced:
            weights = [
                c * n1,
                c * reduce3 + nine * reduce3 * n3,
                c * reduce5 + square * reduce5 * n5,
                c * pool,
            ]
        else:
            weights = [c * n1, nine * c * n3, square * c * n5, 0]
        return [w * self.size**2 for w in weights]

    def static_figure(self) -> Drawing:
        """Draw the cost of each branch, with the 1×1 convolutions and without."""
        from cnnbook import figures

        labels = self.labels
        names = [labels["one"], labels["three"], f"{self.kernel5}×{self.kernel5}", labels["pooled"]]
        lines = {
            f"{name}, {labels[kind]}": macs / 1e6
            for name, *both in zip(names, self.macs(), self.macs(reduced=False), strict=True)
            for kind, macs in zip(("withOne", "without"), both, strict=True)
        }
        return figures.bars(lines, xlabel="MAC (백만)", alt=labels["static"])


def _multiple(value: int, name: str, step: int, high: int) -> int:
    """Return `value` if it is a multiple of `step` from `step` to `high`."""
    if value % step or not step <= value <= high:
        raise traitlets.TraitError(f"{name} takes multiples of {step} from {step} to {high}; got {value!r}")
    return value
