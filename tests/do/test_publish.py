"""The public tree: all that Colab and readers need, nothing that is private."""

import shutil

import pytest

from tools.publish import PublishError, leaks, publish
from tools.release import ROOT


@pytest.fixture
def course(tmp_path):
    """A small copy of the course with a built book of one page."""
    root = tmp_path / "course"
    for name in ("chapters", "release", "source", "cnnbook"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("_config.yml", "_toc.yml", "intro.md", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    (root / "submitted" / "20260001").mkdir(parents=True)
    (root / "autograders").mkdir()
    (root / "_build" / "html").mkdir(parents=True)
    (root / "_build" / "html" / "index.html").write_text("<h1>책</h1>", "utf-8")
    return root


def test_public_tree_has_what_badges_and_readers_need(course):
    public = publish(course / "public", course)
    for path in ("release/counting/counting.ipynb", "cnnbook/__init__.py", "_config.yml", "docs/index.html"):
        assert (public / path).is_file(), path


def test_public_tree_has_nothing_private(course):
    public = publish(course / "public", course)
    folders = {path.name for path in public.rglob("*") if path.is_dir()}
    assert folders.isdisjoint({"source", "autograders", "submitted", "autograded", "feedback"})
    assert leaks(public, course) == []


@pytest.mark.parametrize(
    "where", ["release/counting/counting.ipynb", "chapters/solution.md", "cnnbook/answers.py"]
)
def test_planted_solution_is_refused_and_nothing_is_written(course, where):
    solution = "    room = n + 2 * padding - span\n"
    whole = "    span = dilation * (kernel - 1) + 1\n" + solution
    whole += '    if room < 0:\n        raise ValueError("the kernel does not fit into the padded input")\n'
    whole += "    return room // stride + 1"
    if where.endswith(".ipynb"):
        shutil.copy(course / "source" / "counting" / "counting.ipynb", course / where)
    else:
        (course / where).write_text(f"def f():\n{whole}\n", "utf-8")
    with pytest.raises(PublishError, match=where):
        publish(course / "public", course)
    assert not (course / "public").exists()


def test_solution_in_a_built_page_is_seen_through_the_markup(course):
    page = course / "_build" / "html" / "page.html"
    page.write_text('<pre><span class="n">dilation_choice</span> = <span>&quot;③&quot;</span></pre>', "utf-8")
    with pytest.raises(PublishError, match=r"docs/page\.html"):
        publish(course / "public", course)


def test_clone_of_the_public_repository_keeps_its_history_and_loses_stale_files(course):
    public = publish(course / "public", course)
    (public / ".git").mkdir()
    (public / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (public / "chapters" / "gone.md").write_text("예전 쪽", "utf-8")
    publish(public, course)
    assert (public / ".git" / "HEAD").exists()
    assert not (public / "chapters" / "gone.md").exists()


def test_folder_with_something_else_in_it_is_left_alone(course):
    (course / "public").mkdir()
    (course / "public" / "thesis.txt").write_text("논문", "utf-8")
    with pytest.raises(PublishError, match=r"thesis\.txt"):
        publish(course / "public", course)
    assert (course / "public" / "thesis.txt").read_text("utf-8") == "논문"


def test_book_must_be_built_first(course):
    shutil.rmtree(course / "_build")
    with pytest.raises(PublishError, match="make book"):
        publish(course / "public", course)
