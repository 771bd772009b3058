"""Make pages that need no network and carry no more than they use.

- MathJax and the widget scripts come from ``vendor/``, copied to ``_vendor/`` of the built book. Only pages
  with maths or widgets load them, and html-manager (1 MB) only where a widget is no demo: see ``widgets.js``.
- Scripts of functions that the book does not offer (thebe; search outside the search page; Font Awesome's
  1.5 MB beside its own web fonts) are left out, and the web fonts are cut down to the icons in use.
- Pictures inside pages are stored as WebP, and what several demos of a page have in common once.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

from docutils import nodes
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from PIL import Image
from sphinx.application import Sphinx
from sphinx.config import Config

ROOT = Path(__file__).resolve().parent.parent
FONTS = "vendor/fontawesome/webfonts"
SCRIPT = re.compile(r"[ \t]*<script\b[^>]*>.*?</script>\n?", re.DOTALL)
UNUSED = re.compile(r"fontawesome\.js|thebe|kernelName")
SEARCH = re.compile(r"/?(searchtools|language_data|searchindex)\.js")
PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)")

STATE = re.compile(
    r'(<script type="application/vnd\.jupyter\.widget-state\+json">)(.*?)(</script>)', re.DOTALL
)
SHARED_LENGTH = 1000
DEMO_MODULES = ("anywidget", "@jupyter-widgets/base")  # the latter: layouts, which every widget has
DRAWING_COLORS = 4096
"""A picture with more colours than this is a photograph."""


def configure(app: Sphinx, config: Config) -> None:
    """Point MathJax and the widgets at local files; their paths are relative to ``_static``."""
    config.mathjax_path = "../_vendor/mathjax/tex-chtml.js"
    config.mathjax_options = {"async": "async"}  # a demo need not wait for it
    config.nb_ipywidgets_js = {"widgets.js": {"defer": "defer"}}


def maths_only_where_needed(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Take MathJax off pages without maths; Sphinx also puts it on pages whose sub-pages have some."""
    body = context.get("body", "")
    if 'class="math' in body or r"\\(" in body:  # \( inside a quiz's state
        return
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "mathjax" not in str(getattr(script, "filename", script))
    ]


def finish(app: Sphinx, error: Exception | None) -> None:
    """Copy the vendored files, lighten every page and cut the icon fonts down."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    shutil.copytree(
        ROOT / "vendor", out / "_vendor", dirs_exist_ok=True, ignore=shutil.ignore_patterns("SHA256SUMS")
    )
    shutil.copy(Path(__file__).with_name("widgets.js"), out / "_static" / "widgets.js")
    icons: set[str] = set()
    for page in out.rglob("*.html"):
        if page.is_relative_to(out / "_static"):
            continue
        text = page.read_text(encoding="utf-8")
        icons.update(re.findall(r"\bfa-([a-z][a-z0-9-]*)", text))
        lighter = lighten(text, searches=page.name == "search.html")
        if lighter != text:
            page.write_text(lighter, encoding="utf-8")
    styles = "".join(path.read_text(encoding="utf-8") for path in (out / "_static").rglob("*.css"))
    codes = {ord(sign) for sign in re.findall("[\ue000-\uf8ff]", styles)}  # the theme's own: boxes, arrows
    codes |= {int(code, 16) for code in re.findall(r':after\{content:"\\(f[0-9a-f]{3})"', styles)}
    for font in (out / "_static" / FONTS).glob("*.ttf"):
        font.with_suffix(".woff2").write_bytes(subset(font, icons, codes))
    for script in (out / "_static" / "scripts").glob("fontawesome*"):
        script.unlink()


def lighten(html: str, *, searches: bool = False) -> str:
    """Remove a page's unused scripts and shrink its pictures.

    Parameters
    ----------
    html
        The page.
    searches
        Whether this is the search page, which keeps the search scripts.
    """

    def keep(match: re.Match[str]) -> str:
        script = match[0]
        head = script[: script.index(">")]
        if "application/" in head and "thebe" not in head:  # data, not a program
            return script
        unused = UNUSED.search(script) or (not searches and SEARCH.search(head))
        return "" if unused else script

    return STATE.sub(share, PICTURE.sub(lambda match: shrink(match[0], match[1]), SCRIPT.sub(keep, html)))


def share(match: re.Match[str]) -> str:
    """Write once what several demos of a page have in common: modules, style sheets, photographs.

    ``widgets.js`` puts it back. Stock widgets are drawn by html-manager, which knows nothing of this.
    """
    page = json.loads(match[2])
    models = page["state"].values()
    if "shared" in page or any(model["model_module"] not in DEMO_MODULES for model in models):
        return match[0]
    values = [model["state"] for model in models] + [b for m in models for b in m.get("buffers", [])]
    large = [v for value in values for v in value.values() if isinstance(v, str) and len(v) >= SHARED_LENGTH]
    page["shared"] = [text for text, count in Counter(large).items() if count > 1]
    for value in values:
        for name, text in value.items():
            if isinstance(text, str) and text in page["shared"]:
                value[name] = {"shared": page["shared"].index(text)}
    return match[1] + json.dumps(page, ensure_ascii=False).replace("</", "<\\/") + match[3]


def shrink(uri: str, data: str) -> str:
    """Store a PNG as WebP: a photograph with a loss that no eye sees, a drawing in colour with none."""
    image = Image.open(BytesIO(base64.b64decode(data)))
    image = image.convert("RGBA") if image.has_transparency_data else image.convert("RGB")
    channels = [image.getchannel(name) for name in "RGB"]
    grey = channels[0].tobytes() == channels[1].tobytes() == channels[2].tobytes()
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    photograph = grey or image.getcolors(maxcolors=DRAWING_COLORS) is None
    stream = BytesIO()
    image.save(stream, "WEBP", lossless=not photograph, quality=90 if photograph else 100, method=6)
    smaller = "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()
    return smaller if len(smaller) < len(uri) else uri


def subset(path: Path, names: set[str], codes: set[int]) -> bytes:
    """Cut an icon font down to the named icons, as WOFF 2.

    Parameters
    ----------
    path
        A Font Awesome font, whose glyphs carry the icons' names.
    names
        Icon names without ``fa-``; names that are no icon (``solid``, ``lg``) are passed over.
    codes
        Code points that style sheets show without a name.
    """
    font = TTFont(path)
    subsetter = Subsetter(Options(layout_features=[], hinting=False))
    subsetter.populate(
        unicodes=[code for code, name in font.getBestCmap().items() if name in names or code in codes]
    )
    subsetter.subset(font)
    font.flavor = "woff2"
    stream = BytesIO()
    font.save(stream)
    return stream.getvalue()


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    app.connect("config-inited", configure, priority=900)
    app.connect("html-page-context", maths_only_where_needed, priority=900)
    app.connect("build-finished", finish)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
