"""The notebooks run where Colab's own versions of Jupyter are installed, and their demos arrive there.

Colab itself cannot be run here, an environment with its versions can. Only the small packages that differ are
installed, in ``_build/colab-env``; torch, numpy and matplotlib come from the main environment.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.pages import ROOT, Page, pages

# googlecolab/backend-info, August 2026. Colab's kernel is older than our client, which speaks to both.
COLAB = (
    "ipywidgets==7.7.1",
    "anywidget==0.9.21",
    "ipython==7.34.0",
    "ipykernel==6.17.1",
    "jupyter_client==7.4.9",
    "traitlets==5.7.1",
)
# What those need beyond the main environment; the front-end halves of ipywidgets would bring all of Jupyter.
BESIDE = (
    "backcall",
    "decorator",
    "entrypoints",
    "ipython_genutils",
    "nest_asyncio",
    "pickleshare",
    "psygnal",
)
VIEW, STATE = "application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json"
ENVIRONMENT = ROOT / "_build" / "colab-env"
NOTEBOOKS = [page for page in pages() if page.is_notebook]


@pytest.fixture(scope="session")
def colab() -> Path:
    """Python of an environment with Colab's versions; made once, and again when the list above changes."""
    wanted = hashlib.sha256(
        " ".join([*COLAB, *BESIDE, sys.version, *site.getsitepackages()]).encode()
    ).hexdigest()
    stamp = ENVIRONMENT / ".made"
    python = ENVIRONMENT / "bin" / "python"
    ENVIRONMENT.parent.mkdir(exist_ok=True)
    with (ENVIRONMENT.parent / "colab-env.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(ENVIRONMENT, ignore_errors=True)
            venv.create(ENVIRONMENT, with_pip=False)
            pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
            subprocess.run([*pip, "install", "-q", "--no-deps", *COLAB, *BESIDE], check=True)
            # After the environment's own packages on the path: torch and what else Colab's list leaves open.
            (packages,) = ENVIRONMENT.glob("lib/python*/site-packages")
            (packages / "zz-main.pth").write_text("\n".join([str(ROOT), *site.getsitepackages()]) + "\n")
            stamp.write_text(wanted)
    return python


@pytest.fixture
def kernels(colab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernel name ``python3`` mean that environment."""
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    command = [str(colab), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": command, "display_name": "Colab", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    monkeypatch.delenv("PYTHONPATH", raising=False)


def run(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """Execute a notebook in ``folder``, where no repository lies around it; the first failing cell raises."""
    # The main environment's own kernel would win over JUPYTER_PATH: name the folder itself.
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    manager = AsyncKernelManager(kernel_name="python3")
    manager.kernel_spec_manager = KernelSpecManager(
        kernel_dirs=[str(Path(os.environ["JUPYTER_PATH"]) / "kernels")], ensure_native_kernel=False
    )
    client = NotebookClient(notebook, km=manager, timeout=300, resources={"metadata": {"path": str(folder)}})
    client.owns_km = True  # it shuts down what it owns: else every kernel would live as long as the tests
    return client.execute()


def test_the_environment_has_colabs_versions(kernels: None, tmp_path: Path) -> None:
    names = [requirement.split("==")[0] for requirement in COLAB]
    code = f"from importlib.metadata import version\nprint({{name: version(name) for name in {names}}})"
    done = run(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), tmp_path)
    assert done.cells[0].outputs[0]["text"].strip() == str(dict(each.split("==") for each in COLAB))


@pytest.mark.parametrize("page", NOTEBOOKS, ids=lambda page: page.name)
def test_a_notebook_runs_with_colabs_versions(page: Page, kernels: None, tmp_path: Path) -> None:
    notebook = nbformat.read(page.source.with_suffix(".ipynb"), as_version=4)
    done = run(notebook, tmp_path)
    outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
    views = [
        o["data"][kind]
        for o in outputs
        if (kind := "application/vnd.jupyter.widget-view+json") in o.get("data", {})
    ]
    state = (
        done.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    )
    shown = [cell.source for cell in done.cells if cell.cell_type == "code"]
    if any("cnnbook.demos" in source for source in shown):
        assert views, "the demos left no view"
    for view in views:
        model = state[view["model_id"]]
        if model["model_module"] == "anywidget":
            assert "export default" in model["state"]["_esm"]
        else:  # sliders that run the reader's own Python
            assert model["model_module"] == "@jupyter-widgets/controls"


def test_a_failing_cell_fails(kernels: None, tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), tmp_path)
