"""Mending: from the instructor's notebook and what was handed in, make the notebook that is graded.

The graded notebook is the instructor's, cell by cell and in the instructor's order: given and test cells
always come from the source. Only answers, and cells that the student added, come from the submission. Where
each answer is found:

1. by `grade_id`, whatever the cell's type or flags have become;
2. else (metadata lost or renamed) by the names that the cell binds, its likeness to the released text, its
   cell id and its place.

**Several cells with one id** (copy and paste, or a cell split in two, which copies its metadata): every
copy that was touched runs, in the order in which it stands, right before the tests; the last one is the
answer. So the later definition wins, as it does in the student's own notebook, and the halves of a split
cell both count. Untouched and empty copies are dropped.

**Cells the student added** keep their place: after the cell that they follow. Given cells that are missing
or edited are put back before them, so that the student's edit of a given cell still has the last word in
the student's process.

**Outputs that travel with the submission.** A given cell of the source with the metadata `{"cnnbook":
{"keep_output": N}}` and a grade_id is not run again. What it printed in the student's run, up to N bytes,
reaches the tests as the string `saved_output[grade_id]`. The source declares `saved_output = {}` in an
earlier given cell; on a stock nbgrader it stays empty, so a test that asks for it fails with its own
message and is marked by hand.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

from nbformat.notebooknode import NotebookNode
from rapidfuzz import fuzz

from .submission import Broken, Submitted, grade_id, quotable, read, text_of
from .template import Role, Template, names_bound, role

__all__ = ["Broken", "Mended", "MendedCell", "Note", "Submitted", "Template", "mend", "read"]


@dataclass(frozen=True)
class Note:
    """What mending did, in words for student and instructor; about one question, or the whole notebook."""

    text: str
    grade_id: str | None = None


@dataclass(frozen=True)
class MendedCell:
    """A cell of the graded notebook; `origin` tells whose text it is."""

    cell: NotebookNode
    origin: Role | Literal["extra"]
    saved_output: str | None = None


@dataclass(frozen=True)
class Mended:
    """The notebook to grade, before it is run."""

    cells: tuple[MendedCell, ...]
    metadata: NotebookNode
    notes: tuple[Note, ...] = ()
    broken: str | None = None  # why there is nothing to run


def mend(template: Template, submission: Submitted | Broken) -> Mended:
    """Make the notebook that is graded. Never raises for what a submission may hold."""
    if isinstance(submission, Broken):
        blank = tuple(MendedCell(_clean(cell), role(cell)) for cell in template.cells)
        return Mended(blank, template.metadata, (Note(submission.reason),), submission.reason)
    places = _match(template, submission.cells)
    notes = [Note(text) for text in submission.notes] + places.notes
    return Mended(
        tuple(_assemble(template, submission.cells, places, notes)), template.metadata, tuple(notes)
    )


@dataclass
class _Places:
    """Which submitted cell (by position) is which cell of the template."""

    chosen: dict[int, int] = field(default_factory=dict)  # template index -> submitted index
    earlier: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))  # touched copies
    edited: dict[int, int] = field(default_factory=dict)  # submitted index -> the given cell that it was
    dropped: set[int] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)


def _match(template: Template, cells: tuple[NotebookNode, ...]) -> _Places:
    places = _Places()
    _match_ids(template, cells, places)
    _match_texts(template, cells, places)
    _match_answers(template, cells, places)
    _match_edited(template, cells, places)
    return places


def _match_ids(template: Template, cells: tuple[NotebookNode, ...], places: _Places) -> None:
    index, copies, unknown = template.index(), defaultdict(list), []
    for s, cell in enumerate(cells):
        name = grade_id(cell)
        if name in index:
            copies[name].append(s)
        elif name:
            unknown.append(name)
    for name, found in copies.items():
        t = index[name]
        stub = _norm(template.released[t])
        if role(template.cells[t]) == "answer":
            touched = [s for s in found if _norm(cells[s].source) not in ("", stub)] or found[-1:]
            # Where one copy defines what is asked for, those that do not are other cells with a wrong id.
            defining = [s for s in touched if template.binds[t] & names_bound(cells[s].source)]
            found = [s for s in found if s in defining or s not in touched] if defining else found
            touched = defining or touched
            places.chosen[t] = touched[-1]
            places.earlier[t] = touched[:-1]
            places.dropped.update(set(found) - set(touched))
            if len(touched) > 1:
                text = (
                    f"같은 답안 칸이 {len(touched)}개 있어 순서대로 실행하고 마지막 칸을 답안으로 보았습니다."
                )
                places.notes.append(Note(text, name))
        else:
            best = max(found, key=lambda s: (_norm(cells[s].source) == stub, -s))
            places.chosen[t] = best
            for s in set(found) - {best}:
                if _norm(cells[s].source) == stub:
                    places.dropped.add(s)
    if unknown:
        shown = ", ".join(map(quotable, sorted(set(unknown))[:5]))
        places.notes.append(
            Note(f"이 과제에 없는 문제 번호({shown})가 붙은 칸은 학생이 더한 칸으로 보았습니다.")
        )


def _match_texts(template: Template, cells: tuple[NotebookNode, ...], places: _Places) -> None:
    """Given, test and untouched cells are recognised by their text, each time the first that is left."""
    waiting = defaultdict(list)
    for s in _free(cells, places):
        waiting[_norm(cells[s].source)].append(s)
    for t, text in enumerate(template.released):
        if t not in places.chosen and _norm(text) and waiting[_norm(text)]:
            places.chosen[t] = waiting[_norm(text)].pop(0)


def _match_answers(template: Template, cells: tuple[NotebookNode, ...], places: _Places) -> None:
    """Find the answers without an id, the most certain first: each narrows where the next can be."""
    missing = [t for t, c in enumerate(template.cells) if role(c) == "answer" and t not in places.chosen]
    free = [s for s in _free(cells, places) if cells[s].source.strip()][:200]
    likeness = {(t, s): _likeness(template, t, cells[s]) for t in missing for s in free}
    while missing and free:
        gaps = {t: _neighbours(t, places) for t in missing}
        best, pair = 0.0, None
        for (t, s), score in likeness.items():
            if t not in missing or s not in free:
                continue
            low, high = gaps[t]
            if low < s < high:
                score += 0.25
                alone = [u for u in free if low < u < high] == [s] and list(gaps.values()).count(gaps[t]) == 1
                if alone and cells[s].cell_type == template.cells[t].cell_type:
                    score += 0.5
            if score > best:
                best, pair = score, (t, s)
        if pair is None or best < 0.75:
            return
        t, s = pair
        places.chosen[t] = s
        missing.remove(t)
        free.remove(s)
        name = grade_id(template.cells[t])
        places.notes.append(Note("답안 칸에서 문제 번호가 사라져 칸의 내용과 자리로 찾았습니다.", name))


def _match_edited(template: Template, cells: tuple[NotebookNode, ...], places: _Places) -> None:
    """Find where given cells that the student edited belong: they stay the student's."""
    given = [t for t, c in enumerate(template.cells) if role(c) != "answer" and t not in places.chosen]
    for s in _free(cells, places)[:200]:
        text = cells[s].source[:4000]
        likeness = [(fuzz.ratio(template.released[t][:4000], text, score_cutoff=60), -t) for t in given]
        best, t = max(likeness, default=(0, 0))
        if best:
            given.remove(-t)
            if role(template.cells[-t]) == "test":
                places.chosen[-t] = s
            else:
                places.edited[s] = -t


def _free(cells: tuple[NotebookNode, ...], places: _Places) -> list[int]:
    taken = set(places.chosen.values()) | places.dropped
    taken.update(s for copies in places.earlier.values() for s in copies)
    return [s for s in range(len(cells)) if s not in taken]


def _neighbours(t: int, places: _Places) -> tuple[int, float]:
    """Return the submitted positions of the nearest cells before and after that were found."""
    before = [i for i in places.chosen if i < t]
    after = [i for i in places.chosen if i > t]
    return (
        places.chosen[max(before)] if before else -1,
        places.chosen[min(after)] if after else float("inf"),
    )


def _likeness(template: Template, t: int, cell: NotebookNode) -> float:
    """Return how much a submitted cell looks like the answer `t`: 0 for nothing, above 1 for little doubt."""
    if not cell.source.strip():
        return 0.0
    wanted = template.binds[t]
    names = len(wanted & names_bound(cell.source)) / len(wanted) if wanted else 0.0
    same_id = bool(cell.id) and cell.id == template.cells[t].id
    return (
        names
        + 0.5 * same_id
        + 0.8 * fuzz.ratio(template.released[t][:1500], cell.source[:1500]) / 100
        - (0.3 if cell.cell_type != template.cells[t].cell_type else 0)
    )


def _assemble(
    template: Template, cells: tuple[NotebookNode, ...], places: _Places, notes: list[Note]
) -> list[MendedCell]:
    """Lay out the template's cells in order, each followed by the extra cells that followed it."""
    whose = {s: t for t, s in places.chosen.items()}
    after: dict[int, list[int]] = defaultdict(list)  # template index (-1: the start) -> extras in order
    anchor = -1
    copies = {s for group in places.earlier.values() for s in group}
    for s in range(len(cells)):
        if s in whose:
            anchor = whose[s]
        elif s in places.edited:
            anchor = places.edited[s]
            after[anchor].append(s)
        elif s not in copies and s not in places.dropped and _worth_keeping(cells[s]):
            after[anchor].append(s)
    mended: list[MendedCell] = []
    held = list(after[-1])
    for t, cell in enumerate(template.cells):
        lost_given = t not in places.chosen and role(cell) != "test"
        if held and not lost_given:
            mended += [_extra(cells[s]) for s in held]
            held = []
        mended += [_extra(cells[s]) for s in places.earlier[t]]
        mended += _answer_in_test(template, t, cells, places, notes)
        mended.append(_placed(template, t, cells, places, notes))
        held += after[t]
    return mended + [_extra(cells[s]) for s in held]


def _answer_in_test(
    template: Template, t: int, cells: tuple[NotebookNode, ...], places: _Places, notes: list[Note]
) -> list[MendedCell]:
    """Return a test cell that the student wrote an answer into (Colab locks nothing), to run as theirs."""
    if role(template.cells[t]) != "test" or t not in places.chosen:
        return []
    found = cells[places.chosen[t]]
    wanted = frozenset().union(*template.binds)
    if not wanted & names_bound(found.source) - names_bound(template.released[t]):
        return []
    notes.append(Note("채점 칸에 쓴 코드는 답안으로 보고 실행했습니다.", grade_id(template.cells[t])))
    return [_extra(NotebookNode(found, cell_type="code"))]


def _placed(
    template: Template, t: int, cells: tuple[NotebookNode, ...], places: _Places, notes: list[Note]
) -> MendedCell:
    cell, name = _clean(template.cells[t]), grade_id(template.cells[t])
    kind, s = role(cell), places.chosen.get(t)
    found = cells[s] if s is not None else None
    if kind == "answer":
        if found is None:
            notes.append(Note("답안 칸을 찾지 못했습니다. 배포한 빈칸으로 되돌렸습니다.", name))
        else:
            cell.source = found.source
            _keep_pictures(cell, found)
            if found.cell_type != cell.cell_type:
                notes.append(Note("코드 칸이 글 칸으로(또는 그 반대로) 바뀌어 있어 되돌렸습니다.", name))
    elif name and found is None:
        notes.append(Note("주어진 칸이 지워져 있어 되살렸습니다.", name))
    elif name and _norm(found.source) not in (_norm(template.released[t]), _norm(cell.source)):
        notes.append(Note("주어진 칸의 내용이 배포한 것과 달라 되돌렸습니다.", name))
    if found is not None and _is_older(template, found, name):
        notes.append(Note("예전에 배포한 문제로 낸 답입니다. 지금 문제로 채점했습니다.", name))
    return MendedCell(cell, kind, _saved_output(cell, found, notes))


def _is_older(template: Template, found: NotebookNode, name: str | None) -> bool:
    """Students do not edit checksums: a different one tells of another release of the cell."""
    checksum = (
        found.metadata.get("nbgrader", {}).get("checksum") if name and grade_id(found) == name else None
    )
    return isinstance(checksum, str) and checksum not in (
        template.released_checksums[name],
        template.cells[template.index()[name]].metadata.nbgrader.get("checksum"),
    )


def _saved_output(cell: NotebookNode, found: NotebookNode | None, notes: list[Note]) -> str | None:
    """Return what a `keep_output` cell printed in the student's run; "" if nothing can be used."""
    limit = cell.metadata.get("cnnbook", {}).get("keep_output")
    if not limit:
        return None
    text = "".join(_output_text(output) for output in found.outputs) if found is not None else ""
    name = grade_id(cell)
    if not text:
        notes.append(
            Note("이 칸의 출력이 저장되어 있지 않습니다. 실행한 뒤 저장한 노트북을 내야 합니다.", name)
        )
    elif len(text.encode()) > limit:
        notes.append(Note(f"이 칸에 저장된 출력이 한도({limit:,}바이트)를 넘어 쓰지 않았습니다.", name))
        text = ""
    return text


def _output_text(output: dict) -> str:
    if output.get("output_type") == "stream":
        return text_of(output.get("text")) if output.get("name") != "stderr" else ""
    data = output.get("data")
    return text_of(data.get("text/plain")) if isinstance(data, dict) else ""


def _clean(cell: NotebookNode) -> NotebookNode:
    """Return a copy with nbgrader's and our metadata alone: tags like `skip-execution` have no say."""
    cell = copy.deepcopy(cell)
    cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k in ("nbgrader", "cnnbook")})
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    return cell


def _extra(cell: NotebookNode) -> MendedCell:
    clean = NotebookNode(cell_type=cell.cell_type, metadata=NotebookNode(), source=cell.source)
    if cell.cell_type == "code":
        clean.outputs, clean.execution_count = [], None
    _keep_pictures(clean, cell)
    return MendedCell(clean, "extra")


def _keep_pictures(cell: NotebookNode, found: NotebookNode) -> None:
    """Keep the pictures of a written answer, which a person marks."""
    if cell.cell_type == "markdown" and found.attachments:
        cell.attachments = found.attachments


def _worth_keeping(cell: NotebookNode) -> bool:
    # The badge on top of a release, or of a notebook that Colab saved to GitHub.
    return bool(cell.source.strip()) and "view-in-github" not in (cell.metadata.get("id"), cell.id)


def _norm(source: str) -> str:
    """Text without what editors change by themselves: line ends and trailing blanks."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
