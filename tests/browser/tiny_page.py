"""A page that holds nothing but widgets: a demo is seen here before any chapter shows it."""

from __future__ import annotations

import json
from pathlib import Path

import anywidget
from ipywidgets.embed import dependency_state, embed_data

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "vendor"
ANYWIDGET = Path(anywidget.__file__).parent / "nbextension" / "index.js"

PAGE = """<!doctype html>
<html lang="ko" data-theme="{theme}"><head><meta charset="utf-8"><title>demo</title>
{head}<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>body{{margin:0;padding:16px;max-width:45rem;font-family:sans-serif;line-height:1.7;background:#fff}}
html[data-theme=dark] body{{background:#14181e;color:#e7ebf0}}</style>
<script src="{requirejs}"></script>
<script>requirejs.config({{paths: {{anywidget: "{anywidget}"}}}});</script>
<script src="{manager}" data-jupyter-widgets-cdn="about:blank#"></script>
<script type="application/vnd.jupyter.widget-state+json">{state}</script></head>
<body><main><h1>demo</h1>{views}</main></body></html>"""


def write_page(
    folder: Path,
    *widgets: anywidget.AnyWidget,
    theme: str = "light",
    manager: Path | None = None,
    head: str = "",
) -> Path:
    """Write ``index.html`` that shows ``widgets`` by their embedded state, with no kernel and no network."""
    # With defaults, since the module is one; and these widgets alone, not all that other tests made.
    state = dependency_state(list(widgets), drop_defaults=False)
    data = embed_data(views=list(widgets), state=state, drop_defaults=False)
    # A script cannot hold "</script>": the way ipywidgets itself escapes it.
    text = [json.dumps(d).replace("</", "<\\/") for d in (data["manager_state"], *data["view_specs"])]
    views = "".join(
        f'<div><script type="application/vnd.jupyter.widget-view+json">{view}</script></div>'
        f"{getattr(w, 'static_html', str)()}"
        for view, w in zip(text[1:], widgets, strict=True)
    )
    page = PAGE.format(
        theme=theme,
        head=head,
        requirejs=(VENDOR / "requirejs" / "require.js").as_uri(),
        anywidget=ANYWIDGET.with_suffix("").as_uri(),
        manager=(manager or VENDOR / "html-manager" / "embed-amd.js").as_uri(),
        state=text[0],
        views=views,
    )
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path
