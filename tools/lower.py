"""Lower a page's MyST to the plain Markdown that Colab and Jupyter show.

A page is parsed by myst-parser itself; every role and directive found there is replaced in the source text by
what a reader should see. A construct without a rule here stops the generator, so that none reaches a student.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.parsers.directives import parse_directive_text
from myst_parser.parsers.mdit import create_md_parser
from pybtex.database import BibliographyData, Entry, parse_file
from pybtex.plugin import find_plugin
from sphinx.util import split_explicit_title

from tools.pages import ROOT, Page, configuration, markdown_configuration, pages, read

GLUE = "application/papermill.record/"
# Boxes with a title of their own (None: the title is the directive's argument).
ADMONITIONS = {
    "attention": "주의",
    "caution": "조심",
    "danger": "위험",
    "error": "오류",
    "hint": "귀띔",
    "important": "중요",
    "note": "참고",
    "seealso": "함께 보기",
    "tip": "도움말",
    "warning": "주의",
} | dict.fromkeys(["admonition", "dropdown", "margin", "sidebar", "topic"])


class LoweringError(Exception):
    """A page holds something that no plain Markdown stands for; the message names page, line and cure."""


@dataclass(frozen=True)
class Label:
    """What a cross-reference points to.

    Attributes
    ----------
    kind
        ``figure``, ``equation`` or ``section``.
    number
        As the book prints it (``1.2``), or None where the book gives none.
    title
        Caption or heading, as Markdown.
    """

    page: Page
    kind: str
    number: str | None
    title: str


@dataclass
class Book:
    """All that pages refer to in each other: labels with their numbers, works, addresses."""

    root: Path = ROOT
    pages: list[Page] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)
    works: BibliographyData = field(default_factory=BibliographyData)

    @classmethod
    def load(cls, root: Path = ROOT) -> Book:
        """Read every page once and number its figures and equations as Sphinx does."""
        book = cls(root, pages(root))
        for name in configuration(root).get("bibtex_bibfiles", []):
            book.works.add_entries(parse_file(root / name).entries.items())
        for page in book.pages:
            book._number(page)
        return book

    @property
    def repository(self) -> str:
        """Address of the repository, from ``_config.yml``."""
        return configuration(self.root)["repository"]["url"].rstrip("/")

    @property
    def branch(self) -> str:
        """The branch that Colab opens."""
        return configuration(self.root)["repository"]["branch"]

    def address(self, page: Page) -> str:
        """Where a notebook's reader finds another page: its own notebook in Colab, or its text."""
        if page.is_notebook:
            return f"{self.colab}/{page.name}.ipynb"
        return f"{self.repository}/blob/{self.branch}/{page.name}.md"

    @property
    def colab(self) -> str:
        """Colab's address of the repository's root."""
        owner_and_name = self.repository.removeprefix("https://github.com/")
        return f"https://colab.research.google.com/github/{owner_and_name}/blob/{self.branch}"

    def raw(self, path: str) -> str:
        """Address of a file's bytes, for images (Colab has no folder beside the notebook)."""
        owner_and_name = self.repository.removeprefix("https://github.com/")
        return f"https://raw.githubusercontent.com/{owner_and_name}/{self.branch}/{path}"

    def format(self, kind: str) -> str:
        """How the book prints a number (``%s``) of a figure, a section or an equation."""
        sphinx = configuration(self.root)["sphinx"]["config"]
        if kind == "equation":
            return sphinx["math_eqref_format"].replace("{number}", "%s")
        return sphinx["numfig_format"][kind]

    def page(self, name: str) -> Page | None:
        """Find a page by its path without suffix."""
        return next((page for page in self.pages if page.name == name), None)

    def _number(self, page: Page) -> None:
        """Collect the labels of one page."""
        figures = equations = 0
        prefix = "" if page.number is None else f"{page.number}."
        pending: list[str] = []
        for cell in read(page).cells:
            if cell.cell_type != "markdown":
                figure = cell.metadata.get("mystnb", {}).get("figure")
                if figure and "caption" in figure:
                    figures += 1
                    label = Label(page, "figure", f"{prefix}{figures}", figure["caption"].strip())
                    self.labels[figure.get("name", f"{page.name}#{figures}")] = label
                continue
            for token, title in _walk(cell.source, self.root):
                if token.type == "myst_target":
                    pending.append(token.content)
                elif token.type == "heading_open":
                    number = str(page.number) if token.tag == "h1" and page.number is not None else None
                    for name in pending:
                        self.labels[name] = Label(page, "section", number, title)
                    pending = []
                elif token.type == "math_block_label":
                    equations += 1
                    self.labels[token.info] = Label(page, "equation", f"{prefix}{equations}", "")
                elif directive := _directive(token):
                    label = directive.options.get("label") or directive.options.get("name")
                    if directive.name == "math" and label:
                        equations += 1
                        self.labels[label] = Label(page, "equation", f"{prefix}{equations}", "")
                    elif directive.name in ("figure", "glue:figure") and directive.body.strip():
                        figures += 1
                        if label:
                            caption = directive.body.strip()
                            self.labels[label] = Label(page, "figure", f"{prefix}{figures}", caption)


@dataclass(frozen=True)
class Directive:
    """A parsed fenced directive."""

    name: str
    argument: str
    options: dict[str, Any]
    body: str


class _Any:
    """Accept every option and an optional title: what `parse_directive_text` asks of a directive class."""

    option_spec: Mapping[str, Any] = {"any": None}  # myst-parser asks only whether it is empty
    required_arguments = 0
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True


def _directive(token: Token) -> Directive | None:
    """Read a token as a directive, or None if it is none."""
    if token.type not in ("fence", "colon_fence") or not token.info.startswith("{"):
        return None
    name, _, argument = token.info[1:].partition("}")
    # validate_options=False: myst-parser reads the block as YAML and checks no names
    parsed = parse_directive_text(_Any, argument.strip(), token.content, validate_options=False)  # type: ignore[arg-type]
    return Directive(name, " ".join(parsed.arguments), parsed.options, "\n".join(parsed.body))


def _parse(text: str, root: Path) -> list[Token]:
    """Parse Markdown as the book does."""
    return create_md_parser(markdown_configuration(root), RendererHTML).parse(text + "\n")


def _walk(text: str, root: Path) -> Iterator[tuple[Token, str]]:
    """All block tokens, those inside directives too, in reading order; a heading comes with its text."""
    tokens = _parse(text, root)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        yield token, following.content if following is not None and token.type == "heading_open" else ""
        directive = _directive(token)
        if directive and (directive.name in ADMONITIONS):
            yield from _walk(directive.body, root)


class Lowering:
    """Lowers the Markdown cells of one page.

    Parameters
    ----------
    book
        Labels, works and addresses.
    page
        The page.
    glued
        Values of ``glue`` by name, from the executed page.
    """

    def __init__(self, book: Book, page: Page, glued: Mapping[str, str]) -> None:
        self.book, self.page, self.glued = book, page, glued
        self.cited: list[str] = []

    def __call__(self, text: str, line: int = 0) -> str:
        """Lower ``text``, which starts at ``line`` of the page.

        Raises
        ------
        LoweringError
            At a role or directive without a rule, or a name that does not exist.
        """
        starts = [0]
        for piece in text.splitlines(keepends=True):
            starts.append(starts[-1] + len(piece))
        starts += [len(text)] * 2  # a block may end one line past the text
        edits: list[tuple[int, int, str]] = []
        cursor = 0
        for token in _parse(text, self.book.root):
            if token.map is None:
                continue
            last = token.map[1]
            if token.type == "amsmath":  # its map leaves out the closing line
                last = token.map[0] + len(token.content.splitlines())
            begin, end = starts[token.map[0]], starts[last]
            where = f"{self.page.name}.md:{line + token.map[0] + 1}"
            if token.type == "inline":
                cursor = max(cursor, begin)
                for start, stop, new in self._inline(token, text, cursor, where):
                    edits.append((start, stop, new))
                    cursor = stop
            elif (new := self._block(token, where, line + token.map[0] + 1)) is not None:
                indent = text[begin : begin + len(text[begin:end]) - len(text[begin:end].lstrip(" "))]
                lines = [indent + each if each else each for each in new.splitlines()]
                edits.append((begin, end, "\n".join(lines) + "\n" if lines else ""))
        for begin, end, new in sorted(edits, reverse=True):
            text = text[:begin] + new + text[end:]
        return text.strip("\n")

    # -- blocks

    def _block(self, token: Token, where: str, line: int) -> str | None:
        """Plain text of a block token, or None where it is plain already."""
        if token.type in ("myst_target", "myst_line_comment", "myst_block_break"):
            return ""
        if token.type == "math_block_label":
            return self._equation(token.content, self.book.labels[token.info].number)
        if token.type == "amsmath":
            if token.meta["numbered"] != "*":
                raise LoweringError(f"{where}: a numbered LaTeX environment; write $$ … $$ (label) instead")
            return f"$$\n{token.content.strip()}\n$$"
        directive = _directive(token)
        if directive is None:
            return None
        label = directive.options.get("label") or directive.options.get("name")
        match directive.name:
            case name if name in ADMONITIONS:
                return self._admonition(directive, line)
            case "math":
                body = "\n".join(filter(None, [directive.argument, directive.body]))
                return self._equation(body, self.book.labels[label].number if label else None)
            case "figure" | "image":
                return self._image(directive, label, line)
            case "code-block" | "code":
                return f"```{directive.argument}\n{directive.body}\n```"
            case "glue" | "glue:text" | "glue:md" | "glue:math":
                return self._glue(directive.argument, directive.name, where)
            case "footbibliography" | "bibliography":
                return self._references()
            case "index":
                return ""
        raise LoweringError(
            f"{where}: {{{directive.name}}} has no plain form; add one to tools/lower.py or rewrite"
        )

    @staticmethod
    def _equation(body: str, number: str | None) -> str:
        """Display maths, with its number where it has one."""
        return "$$\n" + body.strip() + (f"\n\\tag{{{number}}}" if number else "") + "\n$$"

    def _admonition(self, directive: Directive, line: int) -> str:
        """Write a folded answer as ``<details>``, any other box as a quotation with a bold first line."""
        given = directive.argument
        default = ADMONITIONS[directive.name]
        title = self(given, line) if given and default is None else (default or "")
        body = directive.body if default is None or not given else f"{given}\n{directive.body}"
        body = self(body, line)
        classes = str(directive.options.get("class", "")).split()
        if "dropdown" in classes or directive.name == "dropdown":
            return f"<details>\n<summary>{_inline_html(title)}</summary>\n\n{body}\n\n</details>"
        quoted = "\n".join(f"> {each}".rstrip() for each in body.splitlines())
        return f"> **{title}**\n>\n{quoted}" if title else quoted

    def _image(self, directive: Directive, label: str | None, line: int) -> str:
        """Show an image by its address in the repository, its caption below."""
        source = directive.argument
        if "://" not in source:
            folder = posixpath.dirname(self.page.name)
            source = self.book.raw(posixpath.normpath(posixpath.join(folder, source)).lstrip("/"))
        image = f"![{directive.options.get('alt', '')}]({source})"
        caption = self(directive.body, line)
        if not caption:
            return image
        number = self.book.labels[label].number if label in self.book.labels else None
        return f"{image}\n\n{self.caption(number, caption)}"

    def caption(self, number: str | None, text: str) -> str:
        """Write a caption as the book prints it."""
        return f"**{self.book.format('figure').replace('%s', number)}.** {text}" if number else f"*{text}*"

    def _references(self) -> str:
        """List the works that the page cites, in the book's own style."""
        if not self.cited:
            return ""
        style = find_plugin("pybtex.style.formatting", "plain")()
        cited = BibliographyData({key: self.book.works.entries[key] for key in self.cited})
        backend = find_plugin("pybtex.backends", "markdown")()
        entries = style.format_bibliography(cited)
        # the backend writes one sentence a line and escapes signs that need none inside a sentence
        texts = [" ".join(entry.text.render(backend).split()) for entry in entries]
        return "\n".join("- " + re.sub(r"\\([-().])", r"\1", text) for text in texts)

    # -- inline

    def _inline(self, token: Token, text: str, cursor: int, where: str) -> Iterator[tuple[int, int, str]]:
        """Edits for the roles and links of one inline token, found one after the other in the source."""
        for child in token.children or []:
            if child.type == "code_inline":
                found = text.find(child.content, cursor)
                cursor = found + len(child.content) if found >= 0 else cursor
            elif child.type == "myst_role":
                name = child.meta["name"]
                pattern = re.compile(
                    r"\{" + re.escape(name) + r"\}(`+)\s*" + _spaced(child.content) + r"\s*\1"
                )
                match = pattern.search(text, cursor)
                if match is None:
                    raise LoweringError(f"{where}: cannot find {{{name}}}`{child.content}` in the source")
                cursor = match.end()
                yield match.start(), match.end(), self._role(name, child.content, where)
            elif child.type == "substitution_inline":
                raise LoweringError(
                    f"{where}: a substitution {{{{{child.content}}}}} has no plain form; use glue"
                )
            elif child.type == "footnote_ref":
                raise LoweringError(
                    f"{where}: Colab shows no footnotes; put the note in the text or a margin"
                )
            elif child.type == "link_open" and "://" not in str(child.attrs["href"]):
                href = str(child.attrs["href"])
                start = text.find(f"]({href}", cursor)
                if start < 0 or href.startswith("mailto:"):
                    continue
                stop = text.index(")", start) + 1
                cursor = stop
                empty = text[start - 1] == "["
                target, shown = self._target(href, where)
                opening = text.rindex("[", 0, start + 1)
                words = shown if empty else text[opening + 1 : start]
                yield opening, stop, f"[{words}]({target})" if target else words

    def _target(self, href: str, where: str) -> tuple[str, str]:
        """Address and words of an internal link: ``#label`` or a page's path."""
        path, _, anchor = href.partition("#")
        if not path:
            label = self._label(anchor, where)
            return "" if label.page == self.page else self.book.address(label.page), label.title
        name = posixpath.normpath(posixpath.join(posixpath.dirname(self.page.name), path)).lstrip("/")
        page = self.book.page(name.removesuffix(".md").removesuffix(".ipynb"))
        if page is None:
            if (self.book.root / name).exists():
                return f"{self.book.repository}/blob/{self.book.branch}/{name}", Path(name).name
            raise LoweringError(f"{where}: a link to {href}, which does not exist")
        return self.book.address(page), self._title(page)

    def _role(self, name: str, content: str, where: str) -> str:
        """Plain text of a role."""
        explicit, title, target = split_explicit_title(content)
        match name.removeprefix("foot") if name.startswith("footcite") else name:
            case "cite" | "cite:p" | "cite:t" | "cite:ps" | "cite:ts":
                keys = [key.strip() for key in content.split(",")]
                works = [self._cite(key, where) for key in keys]
                if name.rsplit(":")[-1].startswith("t"):
                    return ", ".join(f"[{who} ({year})]({link})" for who, year, link in works)
                return "(" + "; ".join(f"[{who}, {year}]({link})" for who, year, link in works) + ")"
            case "numref":
                label = self._label(target, where)
                form = title if explicit else self.book.format(label.kind)
                shown = form.replace("%s", label.number or "").replace("{number}", label.number or "")
                return self._across(shown.replace("{name}", label.title), label.page)
            case "eq":
                label = self._label(target, where)
                shown = self.book.format("equation").replace("%s", label.number or "")
                return self._across(shown, label.page)
            case "ref":
                label = self._label(target, where)
                return self._across(title if explicit else label.title, label.page)
            case "doc":
                address, shown = self._target(target if target.endswith(".md") else target + ".md", where)
                return f"[{title if explicit else shown}]({address})"
            case "term":
                return title
            case "glue" | "glue:" | "glue:any" | "glue:text" | "glue:md" | "glue:math":
                return self._glue(content, name, where)
            case "kbd" | "sub" | "sup":
                return f"<{name}>{escape(content)}</{name}>"
            case "math":
                return f"${content}$"
            case "code":
                return f"`{content}`"
            case "abbr":
                return content
            case "index":
                return title if explicit else ""
        raise LoweringError(f"{where}: {{{name}}} has no plain form; add one to tools/lower.py or rewrite")

    def _label(self, name: str, where: str) -> Label:
        """Look a label up."""
        if name not in self.book.labels:
            raise LoweringError(f"{where}: no figure, equation or section is labelled {name!r}")
        return self.book.labels[name]

    def _across(self, words: str, page: Page) -> str:
        """Words, linked when they point to another page."""
        return words if page == self.page else f"[{words}]({self.book.address(page)})"

    def _title(self, page: Page) -> str:
        """Find a page's heading."""
        return next(title for token, title in _walk(read(page).cells[0].source, self.book.root) if title)

    def _cite(self, key: str, where: str) -> tuple[str, str, str]:
        """Who, when, and where to read it (its own address, else the bibliography page)."""
        entry: Entry | None = self.book.works.entries.get(key)
        if entry is None:
            raise LoweringError(f"{where}: references.bib has no {key!r}")
        if key not in self.cited:
            self.cited.append(key)
        names = [
            " ".join(map(str, person.last_names)) or str(person) for person in entry.persons.get("author", [])
        ]
        names = [name.replace("{", "").replace("}", "") for name in names]
        who = names[0] if len(names) == 1 else " & ".join(names) if len(names) == 2 else f"{names[0]} et al."
        fields = entry.fields
        bibliography = self.book.page("chapters/appendix/bibliography")
        link = fields.get("url") or (f"https://doi.org/{fields['doi']}" if "doi" in fields else None)
        return who, fields.get("year", ""), link or (self.book.address(bibliography) if bibliography else "")

    def _glue(self, content: str, name: str, where: str) -> str:
        """Give the value that the executed page glued, formatted as myst-nb does."""
        key, _, form = content.partition(":") if name == "glue:text" else (content, "", "")
        if key not in self.glued:
            raise LoweringError(f"{where}: no cell of the page glues {key!r} as text")
        value = self.glued[key]
        if form:
            number = float(value)
            value = format(int(number) if form.endswith("d") else number, form)
        return f"${value.strip('$')}$" if name == "glue:math" else value


def glued(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """Text values by name, from the outputs of an executed page."""
    values = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            data = output.get("data", {})
            for kind in ("text/markdown", "text/latex", "text/plain"):
                if name and (text := data.get(GLUE + kind, data.get(kind))) is not None:
                    quoted = (
                        kind == "text/plain" and len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
                    )
                    values[name] = text[1:-1] if quoted else text
                    break
    return values


def _spaced(content: str) -> str:
    """Make a pattern for ``content`` that allows a line break where the source wraps."""
    return r"\s+".join(re.escape(word) for word in content.split())


def _inline_html(markdown: str) -> str:
    """Render one line of Markdown for places where Markdown is not read, like ``<summary>``."""
    return create_md_parser(markdown_configuration(), RendererHTML).renderInline(markdown)
