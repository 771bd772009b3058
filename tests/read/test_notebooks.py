"""What Colab opens: derived from the Markdown, plain, stable, and never written over somebody's edit."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from tools.lower import Book, Lowering, LoweringError, glued
from tools.notebooks import EditedError, derive, fingerprint, generate, main
from tools.pages import ROOT, Executed, Page, PageError, pages

HEADER = """---
jupytext:
  text_representation:
    format_name: myst
kernelspec:
  name: python3
---
"""
CONFIG = """
repository: {url: "https://github.com/someone/book", branch: main}
parse:
  myst_enable_extensions: [amsmath, colon_fence, deflist, dollarmath, substitution, tasklist]
bibtex_bibfiles: [references.bib]
sphinx:
  config:
    numfig_format: {figure: 그림 %s, section: "%s장"}
    math_eqref_format: 식 ({number})
"""
TOC = """
format: jb-book
root: intro
parts:
  - caption: 하나
    numbered: 1
    chapters: [{file: chapters/first}, {file: chapters/second}]
"""
FIRST = """
(top)=
# 첫 쪽

```{figure} a.png
:name: fig-a
:alt: 그림
설명 {footcite:t}`lecun`
```

$$
a = b
$$ (eq-a)
"""
SECOND = """
# 둘째 쪽

```{code-cell}
1 + 1
```
"""
BIB = """
@article{lecun, author = {LeCun, Yann and Bottou, Leon and Haffner, P.}, title = {Learning},
journal = {J}, year = {1998}, doi = {10.1/x}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A book of two pages in a folder of its own."""
    files = {
        "_config.yml": CONFIG,
        "_toc.yml": TOC,
        "references.bib": BIB,
        "intro.md": "# 책\n",
        "chapters/first.md": FIRST,
        "chapters/second.md": HEADER + SECOND,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def lower(root: Path) -> Lowering:
    """Lower Markdown as the second page of that book."""
    book = Book.load(root)
    return Lowering(book, book.page("chapters/second"), {"n": "12", "share": "0.625"})


COLAB = "https://colab.research.google.com/github/someone/book/blob/main"
FIRST_PAGE = "https://github.com/someone/book/blob/main/chapters/first.md"


@pytest.mark.parametrize(
    ("myst", "plain"),
    [
        ("{term}`컨볼루션`을 봅니다", "컨볼루션을 봅니다"),
        ("{term}`합성곱 <컨볼루션>`", "합성곱"),
        ("{numref}`fig-a`에서", f"[그림 1.1]({FIRST_PAGE})에서"),
        ("{numref}`도표 %s <fig-a>`", f"[도표 1.1]({FIRST_PAGE})"),
        ("{eq}`eq-a`", f"[식 (1.1)]({FIRST_PAGE})"),
        ("{ref}`top`", f"[첫 쪽]({FIRST_PAGE})"),
        ("{doc}`first`", f"[첫 쪽]({FIRST_PAGE})"),
        ("[둘째](second.md)", f"[둘째]({COLAB}/chapters/second.ipynb)"),
        ("[](first.md)", f"[첫 쪽]({FIRST_PAGE})"),
        ("{footcite:p}`lecun`", "([LeCun et al., 1998](https://doi.org/10.1/x))"),
        ("{footcite:t}`lecun`", "[LeCun et al. (1998)](https://doi.org/10.1/x)"),
        ("값은 {glue:text}`n`개", "값은 12개"),
        ("{glue:text}`share:.1f`", "0.6"),
        ("`{term}` 그대로 {term}`x`", "`{term}` 그대로 x"),
        ("- 하나 {kbd}`Tab`\n- 둘 $x$", "- 하나 <kbd>Tab</kbd>\n- 둘 $x$"),
        ("(label)=\n본문", "본문"),
        ("% 메모\n\n본문", "본문"),
        ("```{math}\nx\n```", "$$\nx\n$$"),
        ("```{note}\n본문\n```", "> **참고**\n>\n> 본문"),
        (":::{tip}\n본문\n:::", "> **도움말**\n>\n> 본문"),
        (":::{admonition} 제목 {term}`x`\n본문\n:::", "> **제목 x**\n>\n> 본문"),
        (
            "```{admonition} 풀이\n:class: dropdown\n\n$x$는 {glue:text}`n`\n```",
            "<details>\n<summary>풀이</summary>\n\n$x$는 12\n\n</details>",
        ),
        ("- 항목\n\n  ```{note}\n  본문\n  ```\n", "- 항목\n\n  > **참고**\n  >\n  > 본문"),
        ("\\begin{align*}\na\n\\end{align*}", "$$\n\\begin{align*}\na\n\\end{align*}\n$$"),
        ("```python\nx = {1: 2}\n```", "```python\nx = {1: 2}\n```"),
    ],
)
def test_a_construct_becomes_plain_markdown(lower: Lowering, myst: str, plain: str) -> None:
    assert lower(myst) == plain


def test_an_equation_carries_the_books_number(root: Path) -> None:
    book = Book.load(root)
    text = Lowering(book, book.page("chapters/first"), {})(FIRST)
    assert "\\tag{1.1}" in text
    assert "https://raw.githubusercontent.com/someone/book/main/chapters/a.png" in text
    assert "**그림 1.1.** 설명 [LeCun et al. (1998)]" in text


def test_a_list_of_references_holds_what_the_page_cites(lower: Lowering) -> None:
    text = lower("{footcite:p}`lecun`\n\n```{footbibliography}\n```")
    assert re.search(r"^- Yann LeCun.*Learning.*1998", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("myst", "message"),
    [
        ("{unknown}`x`", "second.md:1.*{unknown} has no plain form"),
        ("\n\n```{unknown}\n```", "second.md:3.*{unknown} has no plain form"),
        ("{numref}`nowhere`", "no figure, equation or section is labelled 'nowhere'"),
        ("{footcite:p}`nobody`", "references.bib has no 'nobody'"),
        ("{glue:text}`missing`", "no cell of the page glues 'missing'"),
        ("[x](nowhere.md)", "a link to nowhere.md"),
        ("\\begin{align}\na\n\\end{align}", "numbered LaTeX"),
    ],
)
def test_what_has_no_plain_form_stops_with_its_place(lower: Lowering, myst: str, message: str) -> None:
    with pytest.raises(LoweringError, match=message):
        lower(myst)


def test_generating_twice_changes_nothing(root: Path) -> None:
    path = root / "chapters" / "second.ipynb"
    assert generate(root) == [path]
    content = path.read_bytes()
    assert generate(root) == []
    assert path.read_bytes() == content


def test_the_first_cells_are_badge_and_set_up(root: Path) -> None:
    generate(root)
    notebook = nbformat.read(root / "chapters" / "second.ipynb", as_version=4)
    assert f"]({COLAB}/chapters/second.ipynb)\n\n# 둘째 쪽" in notebook.cells[0].source
    setup = notebook.cells[1].source
    assert 'find_spec("cnnbook") is None' in setup
    assert "pip install --quiet --no-deps git+https://github.com/someone/book@main" in setup


def test_an_edited_notebook_is_never_overwritten(root: Path) -> None:
    generate(root)
    path = root / "chapters" / "second.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source = "2 + 2"
    nbformat.write(notebook, path)
    edited = path.read_bytes()
    with pytest.raises(EditedError, match=r"(?s)second\.ipynb was edited.*second\.md.*--force.*\+2 \+ 2"):
        generate(root)
    assert path.read_bytes() == edited
    assert generate(root, force=True) == [path]


def test_a_foreign_notebook_is_never_overwritten(root: Path) -> None:
    path = root / "chapters" / "second.ipynb"
    path.write_text("not a notebook")
    with pytest.raises(EditedError, match="--force"):
        generate(root)
    assert path.read_text() == "not a notebook"


def test_running_a_notebook_is_no_edit(root: Path) -> None:
    generate(root)
    path = root / "chapters" / "second.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="2")]
    nbformat.write(notebook, path)
    assert generate(root) == [path]
    assert not nbformat.read(path, as_version=4).cells[-1].outputs


def test_the_notebook_of_a_page_that_is_gone_goes_too(root: Path) -> None:
    generate(root)
    (root / "_toc.yml").write_text(TOC.replace(", {file: chapters/second}", ""), encoding="utf-8")
    generate(root)
    assert not (root / "chapters" / "second.ipynb").exists()


def test_glued_values_come_from_the_executed_page(root: Path) -> None:
    page = root / "chapters" / "second.md"
    glue = 'from myst_nb import glue\n\nglue("answer", 6 * 7, display=False)'
    page.write_text(f"{HEADER}# 쪽\n\n답은 {{glue:text}}`answer`입니다.\n\n```{{code-cell}}\n{glue}\n```\n")
    generate(root)
    notebook = nbformat.read(root / "chapters" / "second.ipynb", as_version=4)
    assert "답은 42입니다." in notebook.cells[0].source
    assert glued(Executed(root).notebook(Page("chapters/second", 2, root))) == {"answer": "42"}


# -- the course's own notebooks

BOOK = [page for page in pages() if page.is_notebook]
RAW = re.compile(
    r"^\s*(`{3,}|:{3,})\s*\{|\{[a-z:]+\}`|^\([\w-]+\)=\s*$|^\+\+\+|^:(class|name|label):", re.MULTILINE
)


@pytest.mark.parametrize("page", BOOK, ids=lambda page: page.name)
def test_the_committed_notebook_is_fresh(page: Page) -> None:
    committed = nbformat.read(page.source.with_suffix(".ipynb"), as_version=4)
    fresh = derive(page, Book.load(), Executed())
    assert fingerprint(committed) == fingerprint(fresh), "run: python -m tools.notebooks"
    assert [cell.id for cell in committed.cells] == [cell.id for cell in fresh.cells]


@pytest.mark.parametrize("page", BOOK, ids=lambda page: page.name)
def test_no_myst_remains_in_a_notebook(page: Page) -> None:
    notebook = nbformat.read(page.source.with_suffix(".ipynb"), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"^```.*?^```|`[^`\n]+`(?!`)", "", cell.source, flags=re.MULTILINE | re.DOTALL)
            assert not RAW.search(cell.source if "{" not in prose else prose), cell.source
        else:
            assert not cell.outputs and cell.execution_count is None
            assert "myst_nb" not in cell.source


def test_the_command_reports_an_edit_and_fails(capsys, monkeypatch) -> None:
    def refuse(**_: object) -> None:
        raise EditedError("x.ipynb was edited by hand")

    monkeypatch.setattr("tools.notebooks.generate", refuse)
    assert main([]) == 1
    assert "x.ipynb was edited" in capsys.readouterr().err


def test_a_failing_page_writes_nothing(root: Path) -> None:
    page = root / "chapters" / "second.md"
    page.write_text(f"{HEADER}# 쪽\n\n{{glue:text}}`x`\n\n```{{code-cell}}\n1 / 0\n```\n")
    with pytest.raises(PageError, match=r"(?s)chapters/second\.md.*ZeroDivisionError"):
        generate(root)
    assert not list(root.rglob("*.ipynb"))


def test_there_is_one_repository_address() -> None:
    url, pattern = Book.load().repository, re.compile(r"https://github\.com/[\w-]+/[\w-]+")
    cited = set(pattern.findall((ROOT / "references.bib").read_text(encoding="utf-8")))
    for page in BOOK:
        text = page.source.with_suffix(".ipynb").read_text(encoding="utf-8")
        assert set(pattern.findall(text)) - cited <= {url}
    assert (ROOT / "_config.yml").read_text(encoding="utf-8").count(url) == 1
