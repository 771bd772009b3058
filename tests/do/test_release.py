"""What students get: the same every time, without a solution, and worth nothing untouched."""

import json
import shutil

import nbformat
import pytest
import yaml
from nbgrader.utils import is_solution

from tools import release
from tools.publish import regions
from tools.release import ROOT, ReleaseError, generate, names, write


@pytest.fixture
def course(tmp_path):
    """A course with the assignment ``counting`` that a test may break."""
    for name in ("_config.yml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "source" / "counting", tmp_path / "source" / "counting")
    return tmp_path


@pytest.mark.parametrize("name", names())
def test_committed_release_is_what_the_source_gives(name):
    committed = (ROOT / "release" / name / f"{name}.ipynb").read_text("utf-8")
    assert committed == nbformat.writes(generate(name)) + "\n"


@pytest.mark.parametrize("name", names())
def test_release_holds_no_solution_and_no_hidden_test(name):
    text = "\n".join(c.source for c in nbformat.read(ROOT / "release" / name / f"{name}.ipynb", 4).cells)
    hidden = regions(ROOT / "source" / name / f"{name}.ipynb")
    assert hidden
    assert [part for part in hidden if part in text] == []
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text


@pytest.mark.parametrize("name", names())
def test_release_is_one_clean_valid_notebook(name):
    (path,) = (ROOT / "release" / name).iterdir()
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


@pytest.mark.parametrize("name", names())
def test_first_cell_opens_this_very_file_in_colab(name):
    repository = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]
    owner_and_name = repository["url"].removeprefix("https://github.com/")
    first = nbformat.read(ROOT / "release" / name / f"{name}.ipynb", 4).cells[0].source
    address = f"/github/{owner_and_name}/blob/{repository['branch']}/release/{name}/{name}.ipynb"
    assert f'href="https://colab.research.google.com{address}"' in first


def test_nothing_stands_under_choices_and_numbers(released):
    answers = {c.metadata.nbgrader["grade_id"]: c.source for c in released.cells if is_solution(c)}
    assert answers["dilation"].strip() == 'dilation_choice = "선택"  #@param ["선택", "①", "②", "③", "④"]'
    assert answers["single"].strip().splitlines()[-1].startswith("single_macs = None")
    assert not any("raise" in text or "YOUR CODE" in text for text in answers.values())


def test_edit_by_hand_is_not_overwritten(course):
    path = write("counting", generate("counting", course), course)
    raw = json.loads(path.read_text("utf-8"))
    raw["cells"][1]["source"] = "고친 제목"
    path.write_text(json.dumps(raw), "utf-8")
    with pytest.raises(ReleaseError, match="edited by hand"):
        write("counting", generate("counting", course), course)
    assert "고친 제목" in json.loads(path.read_text("utf-8"))["cells"][1]["source"]


def test_file_beside_the_source_is_refused(course):
    (course / "source" / "counting" / "data.csv").write_text("1,2")
    with pytest.raises(ReleaseError, match=r"data\.csv"):
        generate("counting", course)


def test_unknown_assignment_is_refused_by_name(capsys):
    assert release.main(["countign"]) == 1
    message = capsys.readouterr().err
    assert "countign" in message
    assert "counting" in message


def test_source_that_nbgrader_cannot_read_is_refused(course):
    path = course / "source" / "counting" / "counting.ipynb"
    path.write_text(path.read_text("utf-8").replace("### END SOLUTION", "### THE END", 1), "utf-8")
    with pytest.raises(ReleaseError, match="nbgrader refuses"):
        generate("counting", course)


@pytest.fixture
def quick_gate(monkeypatch, plain_grader):
    """The gate without the engine's start; returns the list of source notebooks that went through it."""
    graded = []

    def engine(source, config=None):
        graded.append(source)
        return plain_grader(source)

    monkeypatch.setattr(release.gate, "engine", engine)
    return graded


def test_weak_test_keeps_the_assignment_from_being_released(course, quick_gate):
    path = course / "source" / "counting" / "counting.ipynb"
    path.write_text(
        path.read_text("utf-8").replace("for dilation in (1, 2, 3):", "for dilation in (1,):"), "utf-8"
    )
    with pytest.raises(ReleaseError) as refusal:
        release.release("counting", root=course)
    assert "test-output-size-dilation: the wrong answer 'always two gaps' keeps its 2 points" in str(
        refusal.value
    )
    assert not (course / "release").exists()


def test_unchanged_assignment_is_not_graded_again_and_a_changed_one_is(course, quick_gate):
    assert release.release("counting", root=course)
    assert not release.release("counting", root=course)
    assert len(quick_gate) == 1
    path = course / "source" / "counting" / "counting.ipynb"
    path.write_text(path.read_text("utf-8").replace("## 정리", "## 맺음"), "utf-8")
    assert release.release("counting", root=course)
    assert len(quick_gate) == 2


def test_lost_release_is_written_again(course, quick_gate):
    release.release("counting", root=course)
    shutil.rmtree(course / "release")
    assert release.release("counting", root=course)
    assert (course / "release" / "counting" / "counting.ipynb").exists()
