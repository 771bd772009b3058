"""Time `nbgrader autograde`, plain and with the engine, on the same class: ``python -m bench.grading``.

A class hands in one assignment; both graders get a copy of it and run one after the other, each as an
instructor starts it, the whole process timed. The engine has its sandbox and its checker on. Their marks must
agree. ``--heavy`` takes an assignment that trains a small CNN for a few seconds; ``--class 1000`` grades a
small and a large class with the engine alone and watches its memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook

from cnnbook import results

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(__file__).parent / "results"
ASSIGNMENT = "bench"
STOCK = "c = get_config()\nc.CourseDirectory.course_id = 'cnnbook'\n"
ENGINE = f"c = get_config()\nload_subconfig({str(ROOT / 'nbgrader_config.py')!r})\n"
SAMPLE_SECONDS = 0.25


@dataclass(frozen=True)
class Question:
    """A function to write: the right body, a wrong one, and its test."""

    name: str
    right: str
    wrong: str
    test: str


@dataclass(frozen=True)
class Run:
    """What one run of a grader took.

    Attributes
    ----------
    students : int
    seconds : float
        Wall-clock time of the whole process, its start and its end included.
    per_minute : float
        Submissions a minute.
    grader_mb : float
        The most memory of the process that writes the gradebook (resident set, 10^6 bytes).
    growth_mb : float
        How much of that came after the first quarter of the time.
    load : float
        The machine's load average of one minute when it began: over 0.5, others were at work.
    """

    students: int
    seconds: float
    per_minute: float
    grader_mb: float
    growth_mb: float
    load: float


TINY = (
    Question(
        "relu",
        "def relu(x):\n    return torch.where(x > 0, x, torch.zeros_like(x))",
        "def relu(x):\n    return x.abs()",
        "assert relu(torch.tensor([-1.0, 2.0])).tolist() == [0, 2], '음수는 0이 됩니다.'\n"
        "### BEGIN HIDDEN TESTS\n"
        "for seed in range(3):\n"
        "    torch.manual_seed(seed)\n"
        "    x = torch.randn(4, 3)\n"
        "    assert torch.allclose(relu(x), x.clamp(min=0)), '다른 값에서도 되는지 보십시오.'\n"
        "### END HIDDEN TESTS",
    ),
    Question(
        "output_size",
        "def output_size(n, k, s=1, p=0):\n    return (n + 2 * p - k) // s + 1",
        "def output_size(n, k, s=1, p=0):\n    return (n + p - k) // s + 1",
        "assert output_size(5, 3) == 3, '5칸에 3칸 커널을 놓을 자리를 세어 보십시오.'\n"
        "### BEGIN HIDDEN TESTS\n"
        "for n, k, s, p in [(7, 3, 2, 1), (32, 5, 1, 2), (224, 7, 2, 3)]:\n"
        "    layer = torch.nn.Conv1d(1, 1, k, stride=s, padding=p)\n"
        "    assert output_size(n, k, s, p) == layer(torch.zeros(1, 1, n)).shape[-1], '패딩을 보십시오.'\n"
        "### END HIDDEN TESTS",
    ),
)
HEAVY = (
    Question(
        "accuracy",
        "torch.manual_seed(0)\n"
        "net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),"
        " nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))\n"
        "optimizer = torch.optim.SGD(net.parameters(), lr=0.05)\n"
        "for epoch in range(80):\n"
        "    for batch in range(0, 512, 64):\n"
        "        loss = F.cross_entropy(net(images[batch:batch + 64]), labels[batch:batch + 64])\n"
        "        optimizer.zero_grad()\n"
        "        loss.backward()\n"
        "        optimizer.step()\n"
        "accuracy = (net(images).argmax(1) == labels).float().mean().item()",
        "accuracy = 0.5",
        "### BEGIN HIDDEN TESTS\nassert accuracy > 0.9, '훈련이 더 필요합니다.'\n### END HIDDEN TESTS",
    ),
)
IMPORTS = (
    "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"
    "generator = torch.Generator().manual_seed(1)\n"
    "labels = torch.arange(512) % 2  # stripes along the rows, or along the columns\n"
    "stripes = (torch.arange(20) // 2 % 2).float()\n"
    "images = torch.randn(512, 1, 20, 20, generator=generator)\n"
    "images[labels == 0] += stripes\n"
    "images[labels == 1] += stripes[:, None]"
)


def source(questions: tuple[Question, ...]) -> nbformat.NotebookNode:
    """Make the instructor's notebook."""
    cells = [new_code_cell(IMPORTS, id="imports")]
    for question in questions:
        solution = f"### BEGIN SOLUTION\n{question.right}\n### END SOLUTION"
        cells += [
            new_markdown_cell(f"`{question.name}` 문제입니다.", id=f"text-{question.name}"),
            _marked(solution, question.name, solution=True),
            _marked(question.test, f"test_{question.name}", solution=False),
        ]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _marked(text: str, name: str, *, solution: bool) -> nbformat.NotebookNode:
    cell = new_code_cell(text, id=name)
    cell.metadata["nbgrader"] = {
        "grade_id": name,
        "grade": not solution,
        "solution": solution,
        "locked": not solution,
        "task": False,
        "schema_version": 3,
        **({} if solution else {"points": 1}),
    }
    return cell


class Course:
    """A course directory with one assignment and a class that has handed it in.

    Of every eight submissions one has a wrong answer. All differ, as texts.
    """

    def __init__(self, root: Path, config: str, questions: tuple[Question, ...], students: int) -> None:
        self.root = root
        (root / "source" / ASSIGNMENT).mkdir(parents=True)
        (root / "nbgrader_config.py").write_text(config, "utf-8")
        nbformat.write(source(questions), root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
        self.run("generate_assignment", ASSIGNMENT)
        released = nbformat.read(root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
        by_name = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in released.cells}
        for student in range(students):
            for i, question in enumerate(questions):
                wrong = student % 8 == 7 and i == student // 8 % len(questions)
                answer = question.wrong if wrong else question.right
                by_name[question.name].source = f"# {student}\n{answer}"
            path = root / "submitted" / f"s{student:05}" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
            path.parent.mkdir(parents=True)
            nbformat.write(released, path)

    def run(self, *words: str) -> Run:
        """Run one of nbgrader's commands to its end and measure it.

        Raises
        ------
        RuntimeError
            If it fails; the message ends with what it said.
        """
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")} | {"PATH": path}
        load = os.getloadavg()[0]
        with open(self.root / "log", "wb") as log:
            start = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "-m", "nbgrader", *words],
                cwd=self.root,
                env=environment,
                stdout=log,
                stderr=log,
            )
            memory = _watch(process)
            seconds = time.monotonic() - start
        if process.returncode:
            raise RuntimeError(f"nbgrader {words[0]}: {(self.root / 'log').read_text()[-3000:]}")
        students = len(list(self.root.glob("submitted/*")))
        early = max(memory[: len(memory) // 4], default=0)
        peak = max(memory, default=0)
        return Run(
            students=students,
            seconds=round(seconds, 1),
            per_minute=round(60 * students / seconds, 1),
            grader_mb=round(peak / 1e6, 1),
            growth_mb=round((peak - early) / 1e6, 1),
            load=round(load, 2),
        )

    def grade(self) -> Run:
        """Grade the class."""
        return self.run("autograde", ASSIGNMENT)

    def scores(self) -> dict[str, float]:
        """Each student's points."""
        with Gradebook(f"sqlite:///{self.root}/gradebook.db", "cnnbook") as gradebook:
            return {s.student_id: s.score for s in gradebook.assignment_submissions(ASSIGNMENT)}


def _watch(process: subprocess.Popen[bytes]) -> list[int]:
    """Sample a process's resident set until it ends."""
    sizes = []
    me = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            sizes.append(me.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(SAMPLE_SECONDS)
    process.wait()
    return sizes


def compare(questions: tuple[Question, ...], students: int) -> dict[str, object]:
    """Grade one class twice, plain and with the engine.

    Raises
    ------
    RuntimeError
        If a grader fails or their marks differ.
    """
    runs, scores = {}, {}
    with tempfile.TemporaryDirectory(prefix="bench-grading-") as folder:
        for name, config in (("plain", STOCK), ("engine", ENGINE)):
            course = Course(Path(folder, name), config, questions, students)
            runs[name] = course.grade()
            scores[name] = course.scores()
            print(f"{name:>7}: {runs[name]}", flush=True)
    if scores["plain"] != scores["engine"] or len(scores["engine"]) != students:
        raise RuntimeError(f"the marks differ: {scores}")
    ratio = runs["plain"].seconds / runs["engine"].seconds
    print(f"  ratio: {ratio:.1f}", flush=True)
    return {name: asdict(run) for name, run in runs.items()} | {"ratio": round(ratio, 2)}


def scale(students: int) -> dict[str, object]:
    """Grade a class of 100 and a large one with the engine.

    Raises
    ------
    RuntimeError
        If somebody has no grade.
    """
    runs = {}
    with tempfile.TemporaryDirectory(prefix="bench-grading-") as folder:
        for size in (100, students):
            course = Course(Path(folder, str(size)), ENGINE, TINY, size)
            runs[f"class_of_{size}"] = course.grade()
            print(runs[f"class_of_{size}"], flush=True)
            right = sum(score == 2 for score in course.scores().values())
            if len(course.scores()) != size or right != size - size // 8:
                raise RuntimeError(f"{right} of {len(course.scores())} at full marks, of a class of {size}")
    return {name: asdict(run) for name, run in runs.items()}


def main() -> None:
    """Measure, store and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.grading", description=__doc__.split("\n")[0])
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--heavy", action="store_true", help="an assignment that trains a small CNN")
    kind.add_argument("--class", dest="size", type=int, help="grade a class of 100 and one of this size")
    parser.add_argument(
        "--students", type=int, help="size of the class that both grade (default 96, heavy 24)"
    )
    arguments = parser.parse_args()
    if arguments.size:
        name, option, data = "grading-class", f" --class {arguments.size}", scale(arguments.size)
    elif arguments.heavy:
        name, option = "grading-heavy", " --heavy"
        data = compare(HEAVY, arguments.students or 24)
    else:
        name, option = "grading-tiny", ""
        data = compare(TINY, arguments.students or 96)
    if arguments.students:
        option += f" --students {arguments.students}"
    FOLDER.mkdir(exist_ok=True)
    command = f"python -m bench.grading{option}"
    path = results.save(name, data, command=command, packages=("torch", "nbgrader", "ipython"), folder=FOLDER)
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
