"""What holds for every assignment: its release, its messages, its full marks, its two graders."""

import re
from concurrent.futures import ThreadPoolExecutor

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbgrader.utils import compute_checksum, is_grade, is_solution

from autograders.banks import load
from tools import gate
from tools.release import configuration


def test_checksums_are_those_of_the_text_students_get(assignment, release_of):
    for cell in release_of(assignment).cells:
        if is_solution(cell) or is_grade(cell):
            assert cell.metadata.nbgrader["checksum"] == compute_checksum(cell)


def test_untouched_release_scores_nothing_and_tells_a_blank_answer_from_a_crash(
    assignment, source_of, release_of, run_answers
):
    for test, error in run_answers(source_of(assignment), release_of(assignment)).items():
        assert isinstance(error, AssertionError), f"{test} meets a blank answer with {error!r}"


def test_from_blank_to_full_marks_in_one_sitting(assignment, release_of, tmp_path):
    notebook = release_of(assignment)
    answer = {question.cell: next(iter(question.right.values())) for question in load(assignment)}
    asked = {question.test: question.cell for question in load(assignment)}
    cells = notebook.cells
    full = sum(cell.metadata.nbgrader["points"] for cell in cells if is_grade(cell))
    place = {c.metadata.nbgrader["grade_id"]: i for i, c in enumerate(cells) if is_solution(c)}
    client = NotebookClient(
        notebook, timeout=gate.PATIENT.cell_seconds, resources={"metadata": {"path": str(tmp_path)}}
    )

    def run(place):
        """Run one cell; return what it printed, or what it raised."""
        cells[place].outputs = []
        try:
            client.execute_cell(cells[place], place)
        except CellExecutionError as error:
            return "", error
        return "".join(output.get("text", "") for output in cells[place].outputs), None

    points = 0
    with client.setup_kernel():
        for i, cell in enumerate(cells):
            if cell.cell_type != "code":
                continue
            printed, error = run(i)
            if not is_grade(cell):
                assert error is None, f"{cell.id} cannot be run untouched: {error}"
                continue
            question = asked[cell.metadata.nbgrader["grade_id"]]
            if cells[place[question]].source != answer[question]:
                assert error is not None, f"{cell.id} says nothing about a blank answer"
                assert error.ename == "AssertionError"
                cells[place[question]].source = answer[question]
                assert run(place[question])[1] is None
                printed, error = run(i)
            assert error is None, f"{cell.id} fails a right answer: {error}"
            points += cell.metadata.nbgrader["points"]
            assert f"{full}점 가운데 {points}점" in printed
    assert points == full
    assert f"공개 검사 {len(asked)}개 가운데 {len(asked)}개 통과" in printed


def test_messages_help_and_keep_the_answer_to_themselves(assignment, source_of, run_answers):
    source, bank = source_of(assignment), load(assignment)
    for trials in gate._rounds(bank):
        answers = {trial.question.cell: trial.source for trial in trials}
        raised = run_answers(source, gate._filled(source, answers))
        for trial in trials:
            error = raised[trial.question.test]
            if not isinstance(error, AssertionError):
                continue
            message = str(error)
            assert message.rstrip().endswith((".", "?")), f"'{trial.name}' gets no sentence: {message}"
            assert re.search("[가-힣]", message), f"'{trial.name}' gets no Korean: {message}"
            told = {n for n in _secrets(source, bank, trial.question.cell) if _stands(n, message)}
            written = _values(source, bank, trial.source)
            own = {n for n in told if n in written or n in trial.source.replace("_", "")}
            assert told <= own, f"'{trial.name}' is told the answer: {message}"


def test_every_answer_scores_the_same_in_the_engine_and_on_a_plain_kernel(assignment, source_of):
    source = gate._with_twins(source_of(assignment))
    submissions = [
        gate._filled(source, {trial.question.cell: trial.source for trial in trials})
        for trials in gate._rounds(load(assignment))
    ]
    with ThreadPoolExecutor(gate.WORKERS) as threads:
        plain = list(threads.map(gate.stock(source), submissions))
        engine = list(threads.map(gate.engine(source, configuration()), submissions))
    assert engine == plain


def _stands(number: str, message: str) -> bool:
    return re.search(rf"(?<!\d){number}(?!\d)", message) is not None


def _secrets(source, bank, cell) -> set[str]:
    """Large whole numbers that the instructor's solution of a cell binds."""
    (text,) = (c.source for c in source.cells if is_solution(c) and c.metadata.nbgrader["grade_id"] == cell)
    return {value for value in _values(source, bank, text) if re.fullmatch(r"\d{3,}", value)}


def _values(source, bank, text) -> set[str]:
    """Whole numbers that an answer binds, as text; none if it breaks."""
    answers = {question.cell for question in bank}
    namespace: dict = {}
    for cell in source.cells:
        answer = is_solution(cell) and cell.metadata.nbgrader["grade_id"] in answers
        if cell.cell_type == "code" and not answer and not is_grade(cell):
            exec(cell.source, namespace)
    before = dict(namespace)
    try:
        exec(text, namespace)
    except Exception:
        return set()
    bound = {name: value for name, value in namespace.items() if before.get(name) is not value}
    return {str(value) for value in bound.values() if type(value) is int}
