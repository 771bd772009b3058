"""A network as a table: one row a layer, for a notebook and for a terminal."""

import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

HEADERS = ("층", "종류", "출력 크기", "파라미터", "MAC", "수용 영역")
CAPTION = "층별 크기와 계산량"
TOTAL = "합계"
GROUP = "{kind} {layers}개 층"
NOT_CALLED = "호출되지 않음"
WHOLE_INPUT = "전체"
NOTE = "MAC: 곱셈-누산. 입력 크기 {shape}에서 한 번 계산할 때의 횟수입니다."
NUMERIC = (3, 4, 5)  # columns that are set flush right


@dataclass(frozen=True)
class LayerRow:
    """One call of one layer, or a group of them.

    Parameters
    ----------
    name
        The layer's name in ``named_modules()``.
    kind
        Its type, with kernel (and s, p, d, g: stride, padding, dilation, groups).
    output_shape
        Shape of what it gives, batch axis included; None if it was not called or gave no tensor.
    parameters
        Parameters of its own that no earlier row has counted.
    macs
        Multiply-accumulates of its own.
    receptive_field
        Input cells that one of its cells sees, along each axis; inf for the whole input, nan where unknown.
    call
        1 for the first call of the layer, 2 for the second; 0 for a layer that was not called.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...] | None = None
    parameters: int = 0
    macs: int = 0
    receptive_field: tuple[int | float, ...] | None = None
    call: int = 1

    @property
    def label(self) -> str:
        """The name, numbered from the second call on."""
        return self.name if self.call < 2 else f"{self.name} ({self.call})"

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as texts, in the order of the headers."""
        shape = "" if self.output_shape is None else shape_text(self.output_shape)
        shape = shape if self.call else NOT_CALLED
        field = "" if self.receptive_field is None else field_text(self.receptive_field)
        return (self.label, self.kind, shape, f"{self.parameters:,}", f"{self.macs:,}", field)


@dataclass(frozen=True)
class LayerTable:
    """The layers of a network, in the order of their calls."""

    rows: tuple[LayerRow, ...]
    input_shape: tuple[int, ...]

    def __iter__(self) -> Iterator[LayerRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, label: str) -> LayerRow:
        for row in self.rows:
            if row.label == label:
                return row
        raise KeyError(f"no layer {label!r}; there are {', '.join(row.label for row in self.rows)}")

    @property
    def parameters(self) -> int:
        """Parameters of the whole network."""
        return sum(row.parameters for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the whole network."""
        return sum(row.macs for row in self.rows)

    @property
    def _footer(self) -> tuple[str, ...]:
        return (TOTAL, "", "", f"{self.parameters:,}", f"{self.macs:,}", "")

    @property
    def _note(self) -> str:
        return NOTE.format(shape=shape_text(self.input_shape))

    def __str__(self) -> str:
        lines = [HEADERS, *(row.cells for row in self.rows), self._footer]
        widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
        text = ["  ".join(map(pad, line, widths, range(len(widths)))).rstrip() for line in lines]
        rule = "-" * (sum(widths) + 2 * len(widths) - 2)
        return "\n".join([text[0], rule, *text[1:-1], rule, text[-1], self._note])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def line(cells: tuple[str, ...], header: str = "row") -> str:
            """Return a line's cells; the first, or all of the top line, head what follows."""
            html = ""
            for i, cell in enumerate(cells):
                tag, scope = ("th", f" scope='{header}'") if i == 0 or header == "col" else ("td", "")
                html += (
                    f"<{tag}{scope} style='text-align:{side(i)};padding:0.15em 0.6em'>{escape(cell)}</{tag}>"
                )
            return html

        body = "".join(f"<tr>{line(row.cells)}</tr>" for row in self.rows)
        # A wide table scrolls by itself, with the keyboard too; colours are left to the page.
        return (
            f"<div style='overflow-x:auto' role='region' tabindex='0' aria-label='{CAPTION}'>"
            "<table style='font-variant-numeric:tabular-nums;white-space:nowrap'>"
            "<caption style='caption-side:bottom;text-align:left;white-space:normal'>"
            f"{escape(self._note)}</caption>"
            f"<thead><tr>{line(HEADERS, header='col')}</tr></thead><tbody>{body}</tbody>"
            f"<tfoot><tr>{line(self._footer)}</tr></tfoot></table></div>"
        )


def side(column: int) -> str:
    """Return on which side a column is flush."""
    return "right" if column in NUMERIC else "left"


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as PyTorch users write it."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def field_text(field: tuple[int | float, ...]) -> str:
    """Return a receptive field such as ``15×15``."""
    if any(math.isnan(size) for size in field):
        return "?"
    if all(math.isinf(size) for size in field):
        return WHOLE_INPUT
    return "×".join(WHOLE_INPUT if math.isinf(size) else str(size) for size in field)


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes: Hangul takes two a letter."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def pad(text: str, columns: int, index: int) -> str:
    """Fill a text up with blanks on the side that its column is not flush with."""
    blanks = " " * (columns - width(text))
    return blanks + text if index in NUMERIC else text + blanks
