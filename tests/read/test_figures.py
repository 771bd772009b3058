"""One figure, drawn once, is right in light and in dark, in Korean, on a machine with no Korean font."""

import base64
import hashlib
import io
import itertools
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from cnnbook import figures
from cnnbook.figures import COLORS, Box, Drawing, Grid

# The pages that show a figure: (paper, ink) of the book's light and dark theme, and of Colab's dark theme.
PAGES = {
    "light": ("#ffffff", "#222832"),
    "dark": ("#121212", "#ced6dd"),
    "colab dark": ("#383838", "#d5d5d5"),
}
NANUM_SHA256 = "48a28e97b34fc8e5b157657633670cd1b7de126cfc414da65ce9c3d5bc8be733"


def rgb(color):
    return np.array(matplotlib.colors.to_rgb(color))


def contrast(one, other):
    """Contrast ratio of WCAG 2.2."""

    def luminance(color):
        linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def some_drawings():
    rows = np.arange(12.0).reshape(3, 4) - 5
    return {
        "matrix": figures.matrix(
            Grid(rows, "입력", marked=figures.window(0, 0, 2), notes=rows, padding=1),
            Grid(rows.T, "출력", color="output"),
            signs="=",
            alt="격자 둘",
        ),
        "side_by_side": figures.side_by_side(
            {"원본": rows / 10 + 0.5, "차이 −": rows}, signed=["차이 −"], alt="사진 둘"
        ),
        "curve": figures.curve(
            [1, 10, 100],
            {"느림": [1, 2, 3], "빠름": [0.1, 0.2, -0.3]},
            xlabel="크기",
            ylabel="시간(ms)",
            alt="선 둘",
        ),
        "log": figures.curve(
            [1, 10], {"가": [0.01, 10]}, xlabel="크기", ylabel="비율", alt="선 하나", log="xy"
        ),
    }


@pytest.mark.parametrize("kind", some_drawings())
def test_every_letter_has_a_glyph(kind, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        some_drawings()[kind].html()
    assert not caplog.records, "mathtext logs a missing glyph where text warns"


def test_glyph_check_can_fail():
    with figures.style():
        figure = Figure()
        figure.text(0.5, 0.5, "\U0001d11e")  # a clef: in neither font
    with pytest.warns(UserWarning, match="Glyph"):
        Drawing([figure], "없는 글자").html()


def test_font_is_the_published_one_with_its_licence():
    assert hashlib.sha256(figures.FONT.read_bytes()).hexdigest() == NANUM_SHA256
    assert "SIL OPEN FONT LICENSE" in (figures.FONT.parent / "OFL.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("role", "page"), list(itertools.product(COLORS, ["light", "dark"])))
def test_lines_stand_out_from_either_theme(role, page):
    assert contrast(rgb(COLORS[role]), rgb(PAGES[page][0])) >= 3


@pytest.mark.parametrize(("role", "page"), list(itertools.product(COLORS, PAGES)))
def test_numbers_can_be_read_on_a_marked_cell(role, page):
    paper, ink = map(rgb, PAGES[page])
    cell = figures.MARKED * rgb(COLORS[role]) + (1 - figures.MARKED) * paper
    assert contrast(ink, cell) >= 4.5


@pytest.mark.parametrize("kind", some_drawings())
def test_ink_is_the_text_colour_of_the_page(kind):
    shown = some_drawings()[kind].html()
    assert "currentColor" in shown
    assert figures.INK not in shown
    used = {color.lower() for color in re.findall(r"(?:fill|stroke): ?(#[0-9a-fA-F]{6})", shown)}
    assert used <= set(COLORS.values()), "a colour that is in no theme's table"


def test_figures_on_one_page_share_no_name():
    first = figures.matrix(Grid([[1, 2]], "가"), alt="하나").html()
    second = figures.matrix(Grid([[3, 4]], "가"), alt="둘").html()

    def names(svg):
        return set(re.findall(r'\bid="([^"]+)"', svg))

    assert names(first) and not names(first) & names(second)
    targets = set(re.findall(r'href="#([^"]+)"', first)) | set(re.findall(r"url\(#([^)]+)\)", first))
    assert targets <= names(first)


def test_drawing_twice_gives_the_same_bytes():
    one, two = (some_drawings()["matrix"].html() for _ in range(2))
    assert one == two


def test_a_box_is_as_many_cells_wide_high_and_deep_as_its_shape():
    wide, deep = (figures._box(Box(shape), 0.2).get_size_inches() for shape in ((1, 2, 9), (9, 2, 1)))
    assert wide.tolist() == pytest.approx([0.2 * 9.45, 0.2 * 2.45])
    assert deep.tolist() == pytest.approx([0.2 * (1 + 9 * 0.45), 0.2 * (2 + 9 * 0.45)])


def test_a_newline_among_the_signs_begins_a_new_row():
    one, two = Grid([[1]]), Grid([[2]])
    assert "flex-basis:100%" in figures.matrix(one, two, signs="\n", alt="두 줄").html()
    assert "flex-basis:100%" not in figures.matrix(one, two, signs="=", alt="한 줄").html()


def test_alt_text_reaches_the_page_and_is_escaped():
    drawing = figures.matrix(Grid([[1]]), alt='작은 "격자" <하나>')
    root = ET.fromstring(drawing.html())
    assert root.get("role") == "img"
    assert root.get("aria-label") == '작은 "격자" <하나>'
    assert drawing._repr_mimebundle_()["text/plain"] == '작은 "격자" <하나>'


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: figures.matrix(Grid([[1]]), alt=" "), "alt"),
        (lambda: figures.matrix(alt="없음"), "at least one"),
        (lambda: figures.matrix(Grid([1, 2, 3]), alt="한 줄"), r"two dimensions.*\(3,\)"),
        (lambda: figures.matrix(Grid([[1]]), Grid([[1]]), signs="==", alt="둘"), "1 signs"),
        (lambda: figures.matrix(Grid([[1, 2]], notes=[[1]]), alt="작은 수"), "notes"),
        (lambda: figures.boxes(alt="없음"), "at least one"),
        (lambda: figures.boxes(Box((3, 0, 3)), alt="빈 상자"), r"\(3, 0, 3\)"),
        (lambda: figures.boxes(Box((1, 1, 1)), signs="=", alt="하나"), "0 signs"),
        (lambda: figures.bars({}, xlabel="", alt="없음"), "at least one"),
        (lambda: figures.bars({"가": 1}, marked=["나"], xlabel="", alt="하나"), "나"),
        (lambda: figures.side_by_side({}, alt="없음"), "at least one"),
        (lambda: figures.side_by_side({"가": [[0.5]]}, signed=["나"], alt="하나"), "나"),
        (
            lambda: figures.curve([1, 2], {"가": [1]}, xlabel="", ylabel="", alt="선"),
            "'가' has 1 values for 2",
        ),
    ],
)
def test_bad_input_is_named(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


def test_numbers_are_short():
    assert [figures._short(v) for v in (12.0, 0.5, -0.001, 1 / 3, float("nan"))] == [
        "12",
        "0.5",
        "0",
        "0.33",
        "",
    ]


def test_window_lists_the_cells_under_a_dilated_kernel():
    assert figures.window(1, 0, size=2, dilation=2) == [(1, 0), (1, 2), (3, 0), (3, 2)]


def test_style_leaves_the_readers_settings_alone():
    before = dict(matplotlib.rcParams)
    some_drawings()["curve"].html()
    assert dict(matplotlib.rcParams) == before


def test_a_colour_image_keeps_its_colours():
    red = np.zeros((2, 3, 3))
    red[..., 0] = 1
    page = figures.side_by_side({"빨강": red}, alt="빨간 그림입니다.").html()
    png = base64.b64decode(re.search(r"data:image/png;base64,([\w+/=\s]+)", page)[1])
    with Image.open(io.BytesIO(png)) as picture:
        assert [color for _, color in picture.convert("RGB").getcolors()] == [(255, 0, 0)]


def test_photograph_is_grey_and_of_the_asked_height():
    photo = figures.photograph(height=40)
    assert photo.shape[0] == 40 and photo.dtype == np.float32
    assert photo.min() >= 0 and photo.max() <= 1 and photo.std() > 0.1


def test_importing_figures_is_light():
    code = (
        "import sys, cnnbook.figures; print([m for m in ('torch', 'pandas', 'IPython') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_names_of_lines_that_end_close_together_stand_apart():
    def heights(ends):
        drawing = figures.curve(
            [1, 2], {str(i): [0, end] for i, end in enumerate(ends)}, xlabel="", ylabel="", alt="선"
        )
        drawing.html()  # draws: only now everything is in its place
        axes = drawing.parts[0].axes[0]
        return [
            axes.transData.transform(note.xy)[1] * 72 / drawing.parts[0].dpi + note.xyann[1]
            for note in axes.texts
        ]

    assert abs(np.diff(heights([90, 91, 50])[:2])) >= 11
    assert np.diff(sorted(heights([3, 3, 3.1, 3]))).min() >= 11
    drawing = figures.curve([1, 2], {"가": [0, 1], "나": [0, 9]}, xlabel="", ylabel="", alt="선")
    assert [note.xyann[1] for note in drawing.parts[0].axes[0].texts] == [0, 0]  # nothing is moved in vain
