"""Receptive fields as arithmetic: which cells of the input a cell of a feature map sees, along one axis."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd, inf, lcm, nan

Ends = tuple[int, int] | None


@dataclass(frozen=True)
class Span:
    """First and last input cell that every cell of a feature map sees.

    The pattern repeats: cell ``i + len(ends)`` sees what cell ``i`` sees, `step` input cells further on.
    Ordinary layers need one pair of ends; after a transposed convolution of stride ``s`` neighbours differ
    and it takes ``s``. Borders play no part: the input is thought of as endless.

    Parameters
    ----------
    ends
        First and last input cell, for each cell of one period; None for a cell that sees nothing.
    step
        By how many input cells one period moves on.
    """

    ends: tuple[Ends, ...]
    step: int

    @property
    def size(self) -> int | float:
        """Cells from the first to the last one seen, of the cell that sees most."""
        return max(last - first + 1 for first, last in filter(None, self.ends)) if any(self.ends) else 0

    @property
    def is_unknown(self) -> bool:
        """Whether the receptive field could not be followed this far."""
        return self is UNKNOWN

    def at(self, cell: int) -> Ends:
        """Return the ends of any cell."""
        periods, cell = divmod(cell, len(self.ends))
        ends = self.ends[cell]
        return ends and (ends[0] + periods * self.step, ends[1] + periods * self.step)

    def through(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Span":
        """Return the spans behind a convolution or pooling of this feature map."""
        shared = gcd(len(self.ends), stride)
        cells = range(len(self.ends) // shared)
        ends = (self._hull(o * stride - padding + dilation * t for t in range(kernel)) for o in cells)
        return Span(tuple(ends), self.step * stride // shared)

    def through_transposed(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Span":
        """Return the spans behind a transposed convolution: of the cells whose stamps reach a cell."""
        ends = []
        for o in range(len(self.ends) * stride):
            reached = (o + padding - dilation * t for t in range(kernel))
            ends.append(self._hull(cell // stride for cell in reached if cell % stride == 0))
        return Span(tuple(ends), self.step)

    def joined(self, other: "Span") -> "Span":
        """Return the spans of a sum or concatenation, cell by cell, of this feature map and `other`."""
        if not (self.ends and other.ends):
            return UNKNOWN if UNKNOWN in (self, other) else WHOLE
        period = lcm(len(self.ends), len(other.ends))
        step = self.step * period // len(self.ends)
        if step != other.step * period // len(other.ends):
            return UNKNOWN  # cells that lie over different places of the input
        return Span(tuple(hull([self.at(i), other.at(i)]) for i in range(period)), step)

    def _hull(self, cells: Iterable[int]) -> Ends:
        return hull(self.at(cell) for cell in cells)


class _Special(Span):
    """A span without arithmetic: nothing a layer does changes it."""

    @property
    def size(self) -> float:
        return inf if self is WHOLE else nan

    def through(self, *args: int, **kwargs: int) -> Span:
        return self

    through_transposed = through


WHOLE = _Special((), 1)  # every cell sees the whole input, as after global pooling
UNKNOWN = _Special((), 0)  # the layer is none that we can follow
INPUT = Span(((0, 0),), 1)  # every cell of the input sees itself


def hull(ends: Iterable[Ends]) -> Ends:
    """Return the smallest interval around all of `ends`."""
    known = [pair for pair in ends if pair is not None]
    return (min(first for first, _ in known), max(last for _, last in known)) if known else None
