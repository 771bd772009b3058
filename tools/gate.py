"""The gate before a release: it grades an answer bank and says which tests are too weak or too strict.

Answers to different questions cannot disturb one another (``form_faults`` makes sure of it), so one run of
the notebook grades one answer of every question at once. Beside each test cell stands a twin without its
hidden tests, so the same run also shows what the public tests alone would have said.
"""

from __future__ import annotations

import copy
import re
import symtable
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, Execute
from nbgrader.utils import determine_grade, is_grade, is_solution
from traitlets.config import Config

from autograders.banks import Question
from autograders.checker import lint
from autograders.job import Limits

Grade = Callable[[NotebookNode], dict[str, float]]  # a submission -> grade_id of a test cell -> points

TWIN = "--public"
HIDDEN = "### BEGIN HIDDEN TESTS"
PROGRESS = re.compile(r"^NUMBER_OF_CHECKS, FULL_MARKS = .*$", re.MULTILINE)
TEMPLATE = Path(__file__).parent / "template" / "assignment.ipynb"
HEAD = re.compile(r"# 검사 · (\d+)점 · \S")  # what the progress line of the notebook reads
WORKERS = 2
# What an answer is worth never hangs on how busy this machine is.
PATIENT = Limits(cell_seconds=600, notebook_seconds=6000)


@dataclass(frozen=True)
class Trial:
    """One answer of the bank on its way through the tests."""

    question: Question
    name: str
    source: str
    right: bool


def faults(
    source: NotebookNode,
    released: NotebookNode,
    bank: tuple[Question, ...],
    grader: Callable[[NotebookNode], Grade],
    progress: Callable[[Iterable, int], Iterable] = lambda items, total: items,
) -> list[str]:
    """Return what keeps an assignment from being released; nothing if it may be.

    Parameters
    ----------
    source : NotebookNode
        The instructor's notebook.
    released : NotebookNode
        The students' notebook.
    bank : tuple of Question
        Answers whose marks are known.
    grader : callable
        Makes, for a source notebook, the function that grades submissions of it: ``engine`` or ``stock``.
    progress : callable
        Wraps the iterable of runs, given their number, to show how far it is.
    """
    found = form_faults(source, bank)
    if found:
        return found
    rounds = _rounds(bank)
    twinned = _with_twins(source)
    submissions = [
        source,
        released,
        *(_filled(source, {trial.question.cell: trial.source for trial in trials}) for trials in rounds),
    ]
    grade = grader(twinned)
    with ThreadPoolExecutor(WORKERS) as pool:
        own, untouched, *marks = progress(pool.map(grade, submissions), len(submissions))
    points = {_grade_id(cell): cell.metadata.nbgrader["points"] for cell in source.cells if is_grade(cell)}
    found += [
        f"{test}: the instructor's own solution scores {own[test]} of {full}"
        for test, full in points.items()
        if own[test] != full
    ]
    found += [
        f"{test}: an untouched notebook scores {untouched[test]}" for test in points if untouched[test] != 0
    ]
    return found + _judge(rounds, marks, points)


def form_faults(source: NotebookNode, bank: tuple[Question, ...]) -> list[str]:
    """Return what is wrong with the form of a notebook and its bank, before anything is run."""
    tests = {_grade_id(cell): cell for cell in source.cells if is_grade(cell)}
    answers = {_grade_id(cell): cell for cell in source.cells if is_solution(cell)}
    asked = [question.test for question in bank]
    found = [f"{test}: no question in the answer bank" for test in tests if test not in asked]
    found += [f"{test}: in the answer bank more than once" for test in tests if asked.count(test) > 1]
    found += [f"{question.test}: no such test cell" for question in bank if question.test not in tests]
    found += [
        f"{question.test}: no such solution cell: {question.cell}"
        for question in bank
        if question.cell not in answers
    ]
    if found:
        return found
    found = _progress_faults(source, tests)
    for test, cell in tests.items():
        points = cell.metadata.nbgrader["points"]
        head = HEAD.match(cell.source)
        if head is None or int(head[1]) != points:
            found.append(f"{test}: its first line must read '# 검사 · {points}점 · TITLE'")
        if HIDDEN not in cell.source:
            found.append(f"{test}: no hidden tests")
        found += [f"{test}: {complaint}" for complaint in lint(cell.source, _given(source, cell))]
    bound = {name: _bound(cell.source) for name, cell in answers.items()}
    for test, cell in tests.items():
        taken = _bound(cell.source) & set().union(*bound.values())
        if taken:
            found.append(f"{test}: binds {', '.join(sorted(taken))}, which is a student's to bind")
    for question in bank:
        if len(question.wrong) < 3 or len(question.right) < 2:
            found.append(f"{question.test}: the bank needs at least 3 wrong and 2 right answers")
        # A solution cell that no question asks for, such as a student id, may be read by any test.
        others = set().union(*(bound[other.cell] for other in bank if other.cell != question.cell))
        for label, text in [
            ("the test", tests[question.test].source),
            *question.right.items(),
            *question.wrong.items(),
        ]:
            try:
                leaning = _loaded(text) & (others - bound[question.cell])
            except SyntaxError:
                continue  # a mistake that students make too
            if leaning:
                found.append(
                    f"{question.test}: {label} leans on another question's {', '.join(sorted(leaning))}"
                )
    return found


def _progress_faults(source: NotebookNode, tests: Mapping[str, NotebookNode]) -> list[str]:
    """Compare the cell that shows a student's progress with the template's, where it is kept."""
    setup = {cell.id: cell.source for cell in source.cells}.get("setup", "")
    template = {cell.id: cell.source for cell in nbformat.read(TEMPLATE, 4).cells}["setup"]
    full = sum(cell.metadata.nbgrader["points"] for cell in tests.values())
    line = f"NUMBER_OF_CHECKS, FULL_MARKS = {len(tests)}, {full}"
    if setup == PROGRESS.sub(line, template):
        return []
    return [f"setup: must be the cell of tools/template/assignment.ipynb with the line '{line}'"]


def stock(source: NotebookNode) -> Grade:
    """Grade as a plain nbgrader does: run the notebook in one kernel, mark it by nbgrader's rule."""

    def grade(submission: NotebookNode) -> dict[str, float]:
        notebook = _filled(
            source, {_grade_id(cell): cell.source for cell in submission.cells if is_solution(cell)}
        )
        with tempfile.TemporaryDirectory() as folder:
            quiet = ["--HistoryManager.hist_file=:memory:", "--IPKernelApp.log_level=ERROR"]
            execute = Execute(
                timeout=PATIENT.cell_seconds, iopub_timeout=60, kernel_name="python3", extra_arguments=quiet
            )
            notebook, _ = execute.preprocess(notebook, {"metadata": {"path": folder}})
        return {_grade_id(cell): determine_grade(cell)[0] for cell in notebook.cells if is_grade(cell)}

    return grade


def engine(source: NotebookNode, config: Config | None = None) -> Grade:
    """Grade with the grading engine: mending, and tests out of the reach of the answers."""
    from autograders.grading import grade_notebook
    from autograders.mend import Template
    from autograders.pool import local_pool
    from autograders.settings import Settings

    template = Template.of(source, config)
    settings = Settings(limits=PATIENT)
    pool = local_pool(WORKERS, unsandboxed=True)  # the bank's answers are ours: no sandbox is no danger here

    def grade(submission: NotebookNode) -> dict[str, float]:
        return {
            test: score
            for test, (score, _) in grade_notebook(
                template, submission, runner=pool, settings=settings
            ).scores.items()
        }

    return grade


def _judge(
    rounds: list[list[Trial]], marks: list[dict[str, float]], points: Mapping[str, float]
) -> list[str]:
    found = []
    fooled = set()  # test cells whose public tests let a wrong answer pass that the hidden ones caught
    tests_of = defaultdict(set)
    for trial in chain.from_iterable(rounds):
        tests_of[trial.question.cell].add(trial.question.test)
    for trials, scores in zip(rounds, marks, strict=True):
        for trial in trials:
            test = trial.question.test
            if trial.right:
                lost = sorted(t for t in tests_of[trial.question.cell] if scores[t] != points[t])
                found += [
                    f"{t}: the right answer '{trial.name}' scores {scores[t]} of {points[t]}" for t in lost
                ]
                continue
            loses = trial.question.loses(trial.name)
            for t in sorted(tests_of[trial.question.cell]):
                if t in loses and scores[t] >= points[t]:
                    found.append(f"{t}: the wrong answer '{trial.name}' keeps its {points[t]} points")
                elif t not in loses and scores[t] < points[t]:
                    found.append(f"{t}: loses to '{trial.name}' of {test}, which its also_loses does not say")
            if scores[test] < points[test] == scores[test + TWIN]:
                fooled.add(test)
    found += [
        f"{test}: no wrong answer in the bank passes the public tests alone"
        for test in points
        if test not in fooled
    ]
    return found


def _rounds(bank: tuple[Question, ...]) -> list[list[Trial]]:
    """Deal the bank out: one answer of each solution cell a round, every answer in exactly one."""
    trials: dict[str, dict[tuple, Trial]] = defaultdict(dict)
    for question in bank:
        for name, source in question.wrong.items():
            trials[question.cell][question.test, source] = Trial(question, name, source, right=False)
        for name, source in question.right.items():  # questions of one cell may share their right answers
            trials[question.cell][source] = Trial(question, name, source, right=True)
    return [
        [trial for trial in trials if trial] for trials in zip_longest(*(t.values() for t in trials.values()))
    ]


def _filled(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if is_solution(cell) and _grade_id(cell) in answers:
            cell.source = answers[_grade_id(cell)]
    return notebook


def _with_twins(source: NotebookNode) -> NotebookNode:
    source = copy.deepcopy(source)
    cells = []
    for cell in source.cells:
        cells.append(cell)
        if is_grade(cell):
            twin = copy.deepcopy(cell)
            ClearHiddenTests().preprocess_cell(twin, {}, 0)
            twin.metadata.nbgrader["grade_id"] += TWIN
            twin.id = f"{cell.id}{TWIN}"
            cells.append(twin)
    source.cells = cells
    return source


def _grade_id(cell: NotebookNode) -> str:
    return cell.metadata.nbgrader["grade_id"]


def _bound(text: str) -> set[str]:
    """Names that a cell binds for the cells after it."""
    return {
        symbol.get_name()
        for symbol in symtable.symtable(text, "cell", "exec").get_symbols()
        if symbol.is_local()
    }


def _loaded(text: str) -> set[str]:
    """Names that a cell reads without binding them."""
    tables, names = [symtable.symtable(text, "cell", "exec")], set()
    while tables:
        table = tables.pop()
        names |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_global() and symbol.is_referenced()
        }
        tables += table.get_children()
    return names - _bound(text)


def _given(source: NotebookNode, test: NotebookNode) -> list[str]:
    """Texts of the given cells, and of the test cells before one."""
    before = source.cells[: source.cells.index(test)]
    given = [cell for cell in source.cells if cell.cell_type == "code" and not is_grade(cell)]
    return [cell.source for cell in (*given, *before) if not is_solution(cell) and cell.cell_type == "code"]
