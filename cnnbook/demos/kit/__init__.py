"""The kit all demos share: the base class, the look, the keyboard, and the words.

A demo is a folder ``NAME`` with ``NAME.py``, ``NAME.js``, ``NAME.css`` and ``NAME.ko.json``; see
``cnnbook/demos/README.md``.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets

if TYPE_CHECKING:
    from cnnbook.figures import Drawing

KIT = Path(__file__).parent
COLORS: dict[str, str] = json.loads((KIT.parent.parent / "colors.json").read_text(encoding="utf-8"))

__all__ = ["Demo", "numbers", "photo"]


def _labels(stem: Path, language: str) -> dict[str, str]:
    """Read the table of labels ``STEM.LANGUAGE.json``."""
    path = stem.with_name(f"{stem.name}.{language}.json")
    if not path.exists():
        raise FileNotFoundError(
            f"{path.name} is missing: a demo needs its labels, with at least a 'title', beside its .py file"
        )
    return json.loads(path.read_text(encoding="utf-8"))


class Demo(anywidget.AnyWidget):
    """A demo that computes and draws in the browser; its state is synced to Python.

    A subclass declares its state as traits (``.tag(sync=True)``) and gives `static_figure`; the rest is in
    the files beside it. The browser gets one module, joined here from the labels, the kit and the demo's own
    file.

    Attributes
    ----------
    language : str
        Which table of labels to use: ``NAME.LANGUAGE.json`` beside the demo and in the kit.
    labels : dict of str to str
        That table, kit and demo together.
    link_key : str
        The demo's name in a shared link. The second demo of a kind on a page gets ``NAME-2``.
    """

    name: ClassVar[str]
    language: ClassVar[str] = "ko"
    labels: ClassVar[dict[str, str]] = {}
    link_key = traitlets.Unicode().tag(sync=True)
    _made: ClassVar[Counter[str]] = Counter()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "_esm" in cls.__dict__:  # traitlets makes such a subclass when anywidget adds its traits
            return super().__init_subclass__(**kwargs)
        stem = Path(sys.modules[cls.__module__].__file__).with_suffix("")
        own = _labels(stem, cls.language)
        cls.name = stem.name
        cls.labels = _labels(KIT / "kit", cls.language) | own
        tokens = ";".join(f"--{role}:{color}" for role, color in COLORS.items())
        cls._esm = "\n".join(
            [
                f"const LANGUAGE = {json.dumps(cls.language)};",
                f"const LABELS = {json.dumps(cls.labels, ensure_ascii=False)};",
                (KIT / "kit.js").read_text(encoding="utf-8"),
                stem.with_suffix(".js").read_text(encoding="utf-8"),
            ]
        )
        css = [f".cnn{{{tokens}}}", (KIT / "kit.css").read_text(encoding="utf-8")]
        if stem.with_suffix(".css").exists():
            css.append(stem.with_suffix(".css").read_text(encoding="utf-8"))
        cls._css = "\n".join(css)
        return super().__init_subclass__(**kwargs)

    def __init__(self, **state: Any) -> None:
        unknown = set(state) - set(self.trait_names())
        if unknown:
            own = sorted(set(self.class_own_traits()) - {"_esm", "_css"})
            raise TypeError(
                f"{type(self).__name__} has no {', '.join(sorted(unknown))}; its state is {', '.join(own)}"
            )
        super().__init__(**state)
        if not self.link_key:
            Demo._made[self.name] += 1
            count = Demo._made[self.name]
            self.link_key = self.name if count == 1 else f"{self.name}-{count}"

    def static_figure(self) -> Drawing | str:
        """Draw what stands in for the demo where scripts are off.

        Returns
        -------
        cnnbook.figures.Drawing or str
            A drawing, for instance by `cnnbook.figures.matrix`, or ready HTML. Import ``cnnbook.figures``
            inside the method: importing a demo should stay quick.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a static_figure()")

    def static_html(self) -> str:
        """Wrap `static_figure` so that only a page without scripts shows it."""
        figure = self.static_figure()
        return f"<noscript>{figure if isinstance(figure, str) else figure.html()}</noscript>"

    def _ipython_display_(self) -> None:
        # Two outputs: the widget, and a figure that only a page without scripts shows. One output with both
        # would lose the figure: every front end picks the richest type alone. Overriding this very method
        # serves ipywidgets 7 too, whose own version would take precedence over anywidget's mime bundle.
        from IPython.display import display

        bundle = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        display(data, metadata=metadata, raw=True)
        display({"text/html": self.static_html(), "text/plain": self.labels["title"]}, raw=True)


def numbers(value: Any, name: str, *sizes: int) -> Any:
    """Check a state of nested lists of finite numbers, and return it with whole numbers as ints.

    Parameters
    ----------
    value
        What was given for the trait.
    name
        The trait's name, for the message.
    sizes
        The exact length of each axis, outermost first.

    Raises
    ------
    traitlets.TraitError
        If a length differs or an entry is no finite number.
    """
    if not sizes:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise traitlets.TraitError(f"{name} must hold finite numbers; got {value!r}")
        return int(value) if value == int(value) else value
    if not isinstance(value, (list, tuple)) or len(value) != sizes[0]:
        raise traitlets.TraitError(f"{name} needs a list of {sizes[0]} here; got {value!r}")
    return [numbers(part, name, *sizes[1:]) for part in value]


def photo(grey: bool = True) -> Any:
    """Return the small photograph the demos work on.

    Rear Admiral Grace Hopper, a pioneer of compilers. Official photograph of the US Navy, public domain, as
    shipped with matplotlib (``grace_hopper.jpg``), cut to the face and scaled.

    Parameters
    ----------
    grey : bool
        One channel (ITU-R BT.601 luma, rounded) instead of three.

    Returns
    -------
    numpy.ndarray of uint8
        Shape (96, 96), or (3, 96, 96) in the order red, green, blue.
    """
    import numpy as np
    from matplotlib import image

    rgb = np.rint(image.imread(KIT / "photo.png")[..., :3] * 255).astype(np.uint8)
    if grey:
        return np.rint(rgb @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    return rgb.transpose(2, 0, 1)
