"""The course for nbgrader. `nbgrader autograde`, formgrader, feedback and export read it from here.

A course directory elsewhere needs one file, its own nbgrader_config.py, with the two lines

    c = get_config()
    load_subconfig("/path/to/this/folder/nbgrader_config.py")

and may then set anything again after them.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from autograders.plugin import configure

c = get_config()  # noqa: F821  (nbgrader provides it)

c.CourseDirectory.course_id = "cnnbook"
# The gradebook is gradebook.db in the course directory, unless a database is named:
# c.CourseDirectory.db_url = "postgresql+psycopg://user@host/gradebook"

# A solution region leaves nothing behind: what a student finds in an answer's cell is in the source, in
# plain sight.
c.ClearSolutions.code_stub = {"python": ""}
# On top of it stands the badge that opens it in Colab.
c.GenerateAssignment.preprocessors.append("tools.release.ColabBadge")

# How students' code is run. Limits not named keep their defaults (autograders/job.py).
c.Engine.limits = {
    "*": {"cell_seconds": 60, "notebook_seconds": 300},
}
# Data sets an assignment may read, mounted read-only at data/NAME beside the notebook.
c.Engine.datasets = {}
# Submissions run at once; 0 means one for each core, as far as memory allows.
c.Engine.workers = 0
# A dask scheduler whose workers run them, e.g. "tcp://10.0.0.5:8786"; "" means this machine.
c.Engine.scheduler = ""
# Where no sandbox is to be had (`python -m autograders doctor` says why), grading refuses. True grades all
# the same: students' code then runs with your rights, on your files.
c.Engine.unsandboxed = False
# Feedback explains a wrong choice; which one is right it tells for the assignments named here alone.
# Then: nbgrader generate_feedback ASSIGNMENT --force
c.StudentView.reveal = []

configure(c)
