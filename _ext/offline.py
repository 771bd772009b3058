"""Pages that need no network and carry no more than they use.

- MathJax, requirejs, html-manager and anywidget come from ``vendor/``, copied to ``_vendor/`` of the built book, and
  only pages with maths or widgets load them.
- Font Awesome's script (1.5 MB) is left out. The few icons that the theme shows are cut out of its font instead and
  travel inside one small style sheet.
"""

from __future__ import annotations

import base64
import re
import shutil
from io import BytesIO
from pathlib import Path

import pydata_sphinx_theme
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
_FONTS = (
    Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static/vendor/fontawesome/webfonts"
)
_FACES = {"solid": ("fa-solid-900.ttf", 900), "brands": ("fa-brands-400.ttf", 400)}
_UNUSED = re.compile(
    r"\s*<script[^>]*(?:scripts/fontawesome\.js|sphinx-thebe\.js|thebe)[^>]*></script>|\s*<script>(?:(?!</script>).)*"
    r"(?:THEBE_JS_URL|thebe_selector)(?:(?!</script>).)*</script>",
    re.DOTALL,
)


def configure(app: Sphinx, config: object) -> None:
    """Point MathJax and the widgets at the vendored files (paths are relative to ``_static``)."""
    config.mathjax_path = "../_vendor/mathjax/tex-chtml.js"  # type: ignore[attr-defined]
    config.nb_ipywidgets_js = {  # type: ignore[attr-defined]
        "../_vendor/requirejs/require.js": {"defer": "defer"},
        "widgets-config.js": {"defer": "defer"},
        "../_vendor/html-manager/embed-amd.js": {
            "defer": "defer",
            "data-jupyter-widgets-cdn": "about:blank#",
        },
    }


def finish(app: Sphinx, error: Exception | None) -> None:
    """Copy the vendored files, drop scripts that nothing uses and write the icons' style sheet."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    shutil.copytree(
        ROOT / "vendor", out / "_vendor", dirs_exist_ok=True, ignore=shutil.ignore_patterns("SHA256SUMS")
    )
    shutil.copy(Path(__file__).with_name("widgets-config.js"), out / "_static" / "widgets-config.js")
    icons: set[str] = set()
    for page in out.rglob("*.html"):
        if page.is_relative_to(out / "_static"):
            continue
        text = page.read_text(encoding="utf-8")
        icons.update(re.findall(r"\bfa-([a-z][a-z0-9-]*)", text))
        lighter = _UNUSED.sub("", text)
        if lighter != text:
            page.write_text(lighter, encoding="utf-8")
    (out / "_static" / "icons.css").write_text(icon_styles(icons), encoding="utf-8")
    for name in ("fontawesome.js", "fontawesome.js.map"):
        (out / "_static" / "scripts" / name).unlink(missing_ok=True)


def icon_styles(names: set[str]) -> str:
    """A style sheet that draws the named Font Awesome icons from a font cut down to them.

    Parameters
    ----------
    names
        Icon names without ``fa-``; names that are no icon (``lg``, ``solid``) are passed over.
    """
    rules = [
        ".fa-solid,.fas,.fa-brands,.fab{font-style:normal;line-height:1;display:inline-block}",
    ]
    for style, (file, weight) in _FACES.items():
        font = TTFont(_FONTS / file)
        # Icons are named twice, by glyph and by alias; the private-use code point is the one to print.
        codes = {glyph: code for code, glyph in sorted(font.getBestCmap().items()) if code >= 0xE000}
        wanted = {name: codes[name] for name in sorted(names) if name in codes}
        if not wanted:
            continue
        subsetter = Subsetter(Options(layout_features=[], hinting=False, notdef_outline=False))
        subsetter.populate(unicodes=wanted.values())
        subsetter.subset(font)
        font.flavor = "woff"
        stream = BytesIO()
        font.save(stream)
        data = base64.b64encode(stream.getvalue()).decode()
        rules.append(
            f'@font-face{{font-family:"Icons {style}";font-weight:{weight};font-display:block;'
            f"src:url(data:font/woff;base64,{data})}}"
        )
        rules += [
            f'.fa-{name}::before{{font:{weight} 1em/1 "Icons {style}";content:"\\{code:x}"}}'
            for name, code in wanted.items()
        ]
    return "\n".join(rules) + "\n"


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    app.connect("config-inited", configure, priority=900)
    app.connect("build-finished", finish)
    app.add_css_file("icons.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
