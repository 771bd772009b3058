"""A runner on a plain Jupyter kernel, as nbgrader itself would run the notebook: no sandbox, no checker.

For the release gate's comparison with a stock nbgrader, on notebooks that are the instructor's own. Never
for submissions.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from .job import CellResult, Job, Result


class StockRunner:
    """Runs each job in a fresh kernel."""

    def run(self, job: Job) -> Result:
        """Run the job's cells in order in one kernel, going on after errors."""
        start = time.monotonic()
        notebook = new_notebook(cells=[new_code_cell(cell.source) for cell in job.cells])
        with tempfile.TemporaryDirectory() as folder:
            for name, data in job.files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            client = NotebookClient(
                notebook,
                timeout=job.limits.cell_seconds,
                allow_errors=True,
                kernel_name="python3",
                resources={"metadata": {"path": folder}},
            )
            client.execute()
        cells = tuple(CellResult(outputs=[dict(o) for o in cell.outputs]) for cell in notebook.cells)
        return Result(cells, seconds=time.monotonic() - start)
