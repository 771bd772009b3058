"""What the documents promise is there, what is derived is clean, and one fact has one place."""

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "README.ko.md", "CONTRIBUTING.md")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
URL = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def run(*command, **options):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **options)


def files():
    """Every file that is or will be committed."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def text(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def commands(document):
    """The code of a document: spans in backquotes and fenced blocks."""
    source = (ROOT / document).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"```sh\n(.*?)```", source, re.S) + re.findall(r"`([^`\n]+)`", source))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_command_of_a_document_is_a_target(document):
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    named = {
        word for line in re.findall(r"\bmake((?: [a-z-]+)*)", commands(document)) for word in line.split()
    }
    assert named, "a document without a command"
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_module_of_a_document_can_be_found(document):
    source = (ROOT / document).read_text(encoding="utf-8")
    modules = set(re.findall(r"python -m ([\w.]+)", source)) | set(
        re.findall(r"`((?:cnnbook|autograders|tools)(?:\.\w+)+)`", source)
    )
    missing = {module for module in modules if find_spec(module) is None}
    assert not missing


@pytest.mark.parametrize("command", ["collect", "doctor", "sample"])
def test_the_grading_commands_of_the_documents_have_help(command):
    result = run(sys.executable, "-m", "autograders", command, "--help")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_of_a_document_is_there(document):
    source = (ROOT / document).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", source) + re.findall(r'src="([^"]+)"', source)
    named = re.findall(r"`([\w./-]+/[\w.-]+\.(?:md|py|yml|json|bib|txt))`", source)
    local = [path for path in links + named if "://" not in path]
    assert local, "a document that points at nothing"
    assert [path for path in local if not (ROOT / path).exists()] == []


def test_both_readmes_name_the_same_commands_and_files():
    def facts(document):
        # a placeholder is a word of the language, a path or a command is not
        return {
            re.sub("<[^>]+>", "<>", code)
            for code in re.findall(r"`([^`\n]+)`", (ROOT / document).read_text())
        }

    assert facts("README.md") == facts("README.ko.md")


def test_the_code_of_the_readme_runs():
    source = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", source, re.S)
    given = "import torch\nimages, kernels = torch.zeros(1, 1, 5, 5), torch.zeros(1, 1, 3, 3)\n"
    result = run(sys.executable, "-c", given + code)
    assert result.returncode == 0, result.stderr


def test_make_help_lists_every_target():
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    printed = run("make", "--no-print-directory", "help", check=True).stdout
    listed = {line.split()[1] for line in printed.splitlines()}
    assert listed == targets


def test_style_is_clean():
    for command in (["check"], ["format", "--check"]):
        result = run(sys.executable, "-m", "ruff", *command, ".")
        assert result.returncode == 0, result.stdout


def test_notebooks_carry_no_output():
    dirty = []
    for path in files():
        if path.suffix != ".ipynb":
            continue
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and (cell.outputs or cell.execution_count is not None):
                dirty.append(path.relative_to(ROOT))
    assert not dirty


def test_the_repository_has_one_address():
    """Derived notebooks get it from `_config.yml`; a README may name it."""
    derived = {path for path in files() if path.suffix == ".ipynb"}
    allowed = {ROOT / "_config.yml", *(ROOT / name for name in DOCUMENTS)} | derived
    assert [path.relative_to(ROOT) for path in files() if URL in text(path) and path not in allowed] == []


def test_nothing_private_is_committed():
    private = ("submitted", "downloaded", "autograded", "feedback", "reports", "gradebook")
    named = [path.relative_to(ROOT) for path in files()]
    assert [path for path in named if path.parts[0].startswith(private)] == []


def test_no_file_names_a_place_on_someones_machine():
    home = re.compile(r"(?<![\w.])/(?:root|home/(?!user|student|nobody)\w+|Users/\w+)/")
    own = {path for path in files() if "vendor" not in path.parts}
    assert [path.relative_to(ROOT) for path in own if home.search(text(path))] == []


def test_no_file_is_too_large_to_clone():
    assert [path.relative_to(ROOT) for path in files() if path.stat().st_size > 5 * 2**20] == []


def test_ci_entry_runs_the_tests_and_stops_at_the_first_error():
    script = ROOT / ".ci" / "run"
    source = script.read_text(encoding="utf-8")
    assert os.access(script, os.X_OK)
    assert run("bash", "-n", script).returncode == 0
    assert "set -euo pipefail" in source
    assert source.splitlines()[-1].startswith("make test")


def test_hooks_download_nothing_and_call_tools_of_the_environment():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert {repo["repo"] for repo in hooks} == {"local"}
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for hook in hooks[0]["hooks"]:
        tool = Path(hook["entry"].split()[0])
        assert tool.parent == Path(".venv/bin")
        assert {"ruff": "ruff", "jupyter": "nbgrader"}[tool.name] in requirements


def test_code_and_text_have_their_licences():
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert (
        (ROOT / "LICENSE-CC-BY-4.0.txt")
        .read_text()
        .startswith("Creative Commons Attribution 4.0 International")
    )
    for readme in ("README.md", "README.ko.md"):
        assert "이건명" in (ROOT / readme).read_text(encoding="utf-8"), (
            "the course thanks the lecture it grew from"
        )


def test_an_installed_package_holds_everything_that_pages_import(tmp_path):
    """What Colab gets by `pip install git+…` has the font, colours, words, photographs and stored results."""
    source = tmp_path / "source"
    for path in files():
        if path.is_relative_to(ROOT / "cnnbook") or path.name in ("pyproject.toml", "README.md"):
            copy = source / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("cnnbook-*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        str(path.relative_to(source))
        for path in (source / "cnnbook").rglob("*")
        if path.is_file() and path.suffix != ".md"
    }
    assert needed - packed == set()


@pytest.mark.parametrize(
    "notice", [p for p in files() if p.name == "NOTICE.txt"], ids=lambda p: p.parent.name
)
def test_a_file_of_others_is_the_one_its_notice_speaks_of(notice):
    pinned = re.findall(r"^sha256 ([0-9a-f]{64})  (\S+)$", notice.read_text(encoding="utf-8"), re.MULTILINE)
    assert pinned
    for digest, name in pinned:
        assert hashlib.sha256((notice.parent / name).read_bytes()).hexdigest() == digest, name
