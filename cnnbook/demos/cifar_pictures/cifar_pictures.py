"""CifarPictures: test pictures of CIFAR-10, and what two trained networks say of them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook import results
from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    from cnnbook.figures import Drawing

SHEET = Path(__file__).with_suffix(".webp")  # see NOTICE.txt
EACH, STORED_EACH = 20, 50  # pictures a class: on the sheet, and in the stored result
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PICTURES = EACH * len(CLASSES)


class CifarPictures(Demo):
    """Browse test pictures by class and by confidence; see what the lecture's network and ours say.

    The pictures are CIFAR-10's (A. Krizhevsky, 2009), the first twenty of each class in the test set. The
    answers are the stored ones of ``python -m bench.cifar10 run``.

    Parameters
    ----------
    kind : str
        Which pictures are shown: a class, or "all" for the first twenty of all in the present order.
    model : {"lecture", "ours"}
        Whose answers mark and order the pictures.
    order : {"index", "sure", "unsure", "wrong"}
        As in the test set; by falling or rising confidence; or the wrong answers first, surest first.
    picked : int
        The picture that is shown large, 0 to 199: twenty of each class.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    kind = traitlets.Enum(["all", *CLASSES], "cat").tag(sync=True)
    model = traitlets.Enum(["lecture", "ours"], "lecture").tag(sync=True)
    order = traitlets.Enum(["index", "sure", "unsure", "wrong"], "index").tag(sync=True)
    picked = traitlets.Int(3 * EACH, min=0, max=PICTURES - 1).tag(sync=True)
    answers = traitlets.Dict(read_only=True).tag(sync=True)
    sheet = traitlets.Bytes(read_only=True, help="WebP, 640×320 pixels, one row a class").tag(sync=True)

    @traitlets.default("answers")
    def _answers(self) -> dict[str, dict[str, list[Any]]]:
        stored = results.load("cifar10-pictures").data
        kept = [k for k in range(len(stored["label"])) if k % STORED_EACH < EACH]
        return {
            model: {key: [stored[model][key][k] for k in kept] for key in ("said", "confidence", "truth")}
            for model in ("lecture", "ours")
        }

    @traitlets.default("sheet")
    def _sheet(self) -> bytes:
        return SHEET.read_bytes()

    def pictures(self) -> Any:
        """Return the pictures on the sheet, uint8 (200, 32, 32, 3), class by class."""
        import numpy as np
        from PIL import Image

        pixels = np.asarray(Image.open(BytesIO(self.sheet)).convert("RGB"))
        return pixels.reshape(len(CLASSES), 32, EACH, 32, 3).swapaxes(1, 2).reshape(PICTURES, 32, 32, 3)

    def static_figure(self) -> Drawing:
        """Draw the first picture of each class with both answers."""
        import numpy as np
        from matplotlib.figure import Figure

        from cnnbook import figures

        names = [self.labels[name] for name in CLASSES]
        board = np.full((2 * 48, 5 * 40, 3), 255, np.uint8)  # one image: the page can pack it tightly
        told = []
        with figures.style():
            figure = Figure(figsize=(6, 2.88))
            axes = figure.add_axes((0, 0, 1, 1))
            for c, picture in enumerate(self.pictures()[::EACH]):
                top, left = 48 * (c // 5) + 16, 40 * (c % 5) + 4
                board[top : top + 32, left : left + 32] = picture
                said = {m: names[self.answers[m]["said"][c * EACH]] for m in ("lecture", "ours")}
                words = [f"{self.labels[m]}: {name}" for m, name in said.items()]
                axes.text(left + 16, top - 2, "\n".join([names[c], *words]), ha="center", fontsize=7.5)
                told.append(f"{names[c]} ({', '.join(words)})")
            axes.imshow(board, interpolation="none", aspect="auto")
            axes.axis("off")
        return figures.Drawing([figure], f"{self.labels['static']} {'; '.join(told)}.")
