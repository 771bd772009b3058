"""The engine inside nbgrader: the command, its API and formgrader, by `nbgrader_config.py` alone.

nbgrader keeps its loop over the class, its gradebook and its folders; what changes is how one submission
becomes a graded notebook. The order of writing makes a kill harmless: the grades of a notebook are
committed in one transaction, and the graded notebook, which carries the key of what it was made from, is
written last. Without a notebook with the right key, the submission is graded again.
"""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import json
import os
import shutil
import warnings
from collections import defaultdict
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import nbformat
from filelock import FileLock, Timeout
from nbformat.v4 import new_notebook
from nbgrader import utils
from nbgrader.api import (
    BaseCell,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, Execute, SaveAutoGrades
from sqlalchemy.exc import SAWarning
from traitlets import List

from . import student_id
from .fingerprint import MAX_SIDE_COUNT, engine_version, folder_hash, key_of, side_files
from .grading import REPORT, Prepared, finish, prepare
from .mend import Broken, Note
from .pool import Ahead, ClusterUnavailable, Pool, cluster_pool, drop_pools, local_pool
from .progress import Progress
from .sandbox import SandboxUnavailable
from .settings import Engine
from .submission import choose, grade_id, notebook_files, plain_name, quotable
from .template import Template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat.notebooknode import NotebookNode


def configure(c: Any) -> None:
    """Complete an nbgrader configuration: the one call in `nbgrader_config.py`."""
    from nbgrader.apps import api, autogradeapp
    from nbgrader.server_extensions.formgrader import handlers

    # nbgrader names its converter in the code of these two modules, not in a trait: the one place that is
    # patched.
    api.Autograde = autogradeapp.Autograde = EngineAutograde

    # nbgrader links a submission up before it adds it to the session; its grades are complete all the same.
    warnings.filterwarnings("ignore", category=SAWarning, module=r"nbgrader\.api")

    # Ours first: the student's page in Korean. Formgrader's pages are nbgrader's.
    c.HTMLExporter.extra_template_basedirs = [
        str(Path(__file__).parent / "templates"),
        handlers.template_path,
    ]
    c.GenerateFeedback.preprocessors = [
        "autograders.feedback.StudentView",
        "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    ]
    c.ZipCollectApp.extractor_plugin = "autograders.collect.SafeExtractor"
    c.ZipCollectApp.collector_plugin = "autograders.collect.LmsCollector"


@contextmanager
def transaction(gradebook: Gradebook) -> Iterator[Gradebook]:
    """Make one transaction of many steps of the gradebook, each of which would commit by itself."""
    gradebook.db.commit = gradebook.db.flush
    try:
        yield gradebook
    except BaseException:
        gradebook.db.rollback()
        raise
    finally:
        del gradebook.db.commit
    gradebook.db.commit()


class SaveGrades(SaveAutoGrades):
    """nbgrader's `SaveAutoGrades` in one transaction, with the mending notes as automatic comments.

    As there, a manual score or comment is never touched; one that exists asks for a second look.
    """

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Save the grades of a graded notebook."""
        where = resources["nbgrader"]
        with transaction(self.parent.parent.gradebook) as gradebook:  # of the converter's exporter
            saved = gradebook.find_submission_notebook(
                where["notebook"], where["assignment"], where["student"]
            )
            # In the session, the cells spare a query for the name of each grade and comment.
            cells = gradebook.db.query(BaseCell).filter(BaseCell.notebook_id == saved.notebook_id).all()
            self.log.debug("Saving the grades of %s's %d cells", where["student"], len(cells))
            grades = {grade.name: grade for grade in saved.grades}
            comments = {comment.name: comment for comment in saved.comments}
            notes = _notes_by_cell(nb)
            scored = nb.metadata[REPORT].get("scored", {})
            for cell in nb.cells:
                name = grade_id(cell)
                if utils.is_grade(cell):
                    grade = grades[name]
                    grade.auto_score, _ = utils.determine_grade(cell, self.log)
                    grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
                if name in scored:  # a task that the engine could mark; else it waits for a person
                    grades[name].auto_score = scored[name]
                    by_hand = grades[name].manual_score is not None or scored[name] is None
                    grades[name].needs_manual_grade = by_hand
                if utils.is_solution(cell) or utils.is_task(cell):
                    blank = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
                    expected = not utils.is_task(cell) and name != student_id.CELL
                    own = [*notes[name], *(["답을 쓰지 않았습니다."] if blank and expected else [])]
                    comments[name].auto_comment = "\n\n".join(own) or None
        return nb, resources


def _notes_by_cell(nb: NotebookNode) -> dict[str | None, list[str]]:
    record = nb.metadata[REPORT]
    notes: dict[str | None, list[str]] = defaultdict(list)
    for note in record["notes"]:
        notes[note["grade_id"]].append(note["text"])
    return notes


class EngineAutograde(Autograde):
    """`nbgrader autograde` that mends, sandboxes, looks ahead, and never runs the same thing twice."""

    autograde_preprocessors = List([SaveGrades, AssignLatePenalties]).tag(config=True)

    # The class, as found in submitted/

    def start(self) -> None:
        """Grade everything that was asked for, unless another run is at it."""
        self.engine = Engine(parent=self)
        self.settings = self.engine.settings(self.coursedir.assignment_id)
        self.workers = self.engine.worker_count(self.settings.limits)
        with self._alone():
            super().start()

    def _pool(self) -> Pool:
        try:
            if self.engine.scheduler:
                return cluster_pool(self.engine.scheduler, self.workers, self.engine.unsandboxed)
            return local_pool(self.workers, self.engine.unsandboxed)
        except SandboxUnavailable as cause:
            self._refuse(
                f"{cause}\nNothing was graded. To grade without a sandbox, set c.Engine.unsandboxed = True "
                "in nbgrader_config.py: students' code then runs with your rights."
            )
        except ClusterUnavailable as cause:
            self._refuse(f"{cause}\nNothing was graded.")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one grader work at a time: two would write the same rows. The lock ends with the process."""
        try:
            with FileLock(Path(self.coursedir.root, "gradebook.db.lock"), timeout=0):
                yield
        except Timeout:
            self._refuse(
                f"Another autograde is running in {self.coursedir.root}. Wait for it, or stop it first."
            )

    def _refuse(self, message: str) -> NoReturn:
        self.log.error(message)
        raise NbGraderException(message)

    def init_notebooks(self) -> None:
        """Find the submissions by their folders, so that one without a readable notebook is graded too.

        Whatever its files are called, a folder is graded as the notebooks of the assignment.
        """
        self.templates = self._load_templates()
        own = self.exclude_overwriting.get(self.coursedir.assignment_id, [])
        self._beside = {name: data for name, data in side_files(self._source).items() if name not in own}
        names = [name for name in self.templates if fnmatch.fnmatchcase(name, self.coursedir.notebook_id)]
        pattern = self._format_source(self.coursedir.assignment_id, self.coursedir.student_id)
        folders = [folder for folder in glob.glob(pattern) if Path(folder).is_dir()]
        self.assignments = {f: [os.path.join(f, f"{name}.ipynb") for name in names] for f in folders}
        if not folders or not names:
            self._refuse(f"No submissions match {pattern} (notebook {self.coursedir.notebook_id!r}).")

    def _load_templates(self) -> dict[str, Template]:
        """Read the assignment's notebooks from source/, held against what the gradebook knows of them."""
        assignment = self.coursedir.assignment_id
        hint = f"Run 'nbgrader generate_assignment {assignment}' (or 'make release') first."
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                notebooks = gradebook.find_assignment(assignment).notebooks
            except MissingEntry:
                self._refuse(f"The gradebook has no assignment {assignment!r}. {hint}")
            points = {n.name: {c.name: c.max_score for c in n.grade_cells} for n in notebooks}
        templates = {}
        for name in sorted(points):
            path = self._source / f"{name}.ipynb"
            if not path.is_file():
                self._refuse(f"{path} is missing: the tests come from it. Restore it.")
            templates[name] = template = Template.of(nbformat.read(path, as_version=4), self.config)
            # Once for the class: every graded notebook takes its nbgrader metadata from the template.
            CheckCellMetadata(parent=self).preprocess(new_notebook(cells=list(template.cells)), {})
            now = {
                grade_id(c): float(c.metadata.nbgrader["points"]) for c in template.cells if utils.is_grade(c)
            }
            if now != points[name]:
                differ = ", ".join(sorted({k for k, _ in set(now.items()) ^ set(points[name].items())}))
                self._refuse(f"{path} and the gradebook differ in {differ}. {hint}")
        return templates

    @property
    def _source(self) -> Path:
        return Path(
            self.coursedir.format_path(self.coursedir.source_directory, ".", self.coursedir.assignment_id)
        )

    # What has to be graded

    def convert_notebooks(self) -> None:
        """Run nbgrader's loop over the class while the next submissions are already being run."""
        if not Execute(parent=self).enabled:
            self.log.warning(
                "--no-execute is ignored: outputs that students saved are no grounds for a grade."
            )
        self._keys = self._stale()
        self.pool = self._pool() if self._keys else None
        todo = [path for folder in sorted(self._keys) for path in self.assignments[folder]]
        skipped = len(self.assignments) - len(self._keys)
        self.log.info(
            "%d submissions to grade, %d unchanged since they were graded", len(self._keys), skipped
        )
        self._ahead = Ahead(todo, self._begin, window=3 * (self.pool.size if self.pool else 1))
        self._progress = Progress(len(todo), self.log)
        try:
            # One for the class: each new one would make the database's statements anew.
            with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as self.gradebook:
                super().convert_notebooks()
        except BaseException:  # Ctrl-C too: what still runs for submissions further on is not waited for
            drop_pools()
            raise
        finally:
            self._progress.close()

    def _stale(self) -> dict[str, str]:
        """Submission folders that need grading, each with the key of what it holds now."""
        fixed = hashlib.sha256()
        fixed.update(json.dumps(asdict(self.settings), sort_keys=True).encode() + engine_version().encode())
        fixed.update(folder_hash(self._source))
        complete = self._complete_students()
        stale = {}
        for folder, paths in self.assignments.items():
            student = self._student(paths[0])
            key = hashlib.sha256(fixed.digest() + folder_hash(Path(folder))).hexdigest()
            dest = Path(self._format_dest(self.coursedir.assignment_id, student))
            graded = student in complete and all(key_of(dest / Path(p).name) == key for p in paths)
            if self.force or not graded:
                stale[folder] = key
        return stale

    def _student(self, path: str) -> str:
        return self.init_single_notebook_resources(path)["nbgrader"]["student"]

    def _complete_students(self) -> set[str]:
        """Return the students whose submission has every automatic mark in the gradebook."""
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            submissions = gradebook.assignment_submissions(self.coursedir.assignment_id)
            open_marks = (
                gradebook.db.query(SubmittedAssignment.id)
                .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
                .join(GradeCell, GradeCell.id == Grade.cell_id)
                .filter(Grade.auto_score.is_(None), Grade.needs_manual_grade.is_(False))
            )
            unfinished = {row[0] for row in open_marks}
            return {s.student_id for s in submissions if s.id not in unfinished}

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Clear what an older or a killed run left, and say whether to grade."""
        folder = self._format_source(assignment_id, student_id)
        excluded = student_id in self.coursedir.student_id_exclude.split(",")
        if folder not in self._keys or excluded:
            return False
        dest = Path(self._format_dest(assignment_id, student_id))
        if self.coursedir.notebook_id == "*":
            shutil.rmtree(dest, ignore_errors=True)
        else:
            for path in self.notebooks:
                (dest / Path(path).name).unlink(missing_ok=True)
        return True

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Register the submission and copy the student's other files, as nbgrader does, in one transaction.

        Files of the source are not copied: they go into the run, and from autograded/ nbgrader would copy
        them on into the students' feedback/.
        """
        folder = Path(self._format_source(assignment_id, student_id))
        self._copy_files(folder, Path(self._format_dest(assignment_id, student_id)))
        timestamp = self._timestamp(str(folder))
        with transaction(self.gradebook) as gradebook:
            if self.create_student:
                gradebook.update_or_create_student(student_id)
            submission = gradebook.update_or_create_submission(
                assignment_id, student_id, **({"timestamp": timestamp} if timestamp else {})
            )
            if submission.total_seconds_late > 0:
                self.log.warning("%s is %s seconds late", submission, submission.total_seconds_late)
            penalties = [notebook.late_submission_penalty for notebook in submission.notebooks]
            self._late = submission.total_seconds_late > 0 or any(penalties)

    def _copy_files(self, folder: Path, dest: Path) -> None:
        """Copy the regular files beside the notebooks, those at the top first.

        nbgrader's own copying follows links, stops at a named pipe, and searches the whole folder again for
        each file: hours for the thousands of pictures of an unpacked data set. So there is a limit too.
        """
        ignored = [*self.coursedir.ignore, "*.ipynb"]
        copied = 0
        for path in sorted(folder.rglob("*"), key=lambda path: (len(path.parts), path)):
            relative = path.relative_to(folder)
            unwanted = any(fnmatch.fnmatch(part, word) for part in relative.parts for word in ignored)
            if unwanted or path.is_symlink() or not path.is_file():
                continue
            if copied == MAX_SIDE_COUNT:
                self.log.warning("Only %d files of %s were copied", copied, folder)
                return
            (dest / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, dest / relative)
            copied += 1

    def _timestamp(self, folder: str) -> datetime | None:
        try:
            return CourseDirectory.get_existing_timestamp(self.coursedir, folder)
        except (AttributeError, OSError, ValueError, OverflowError):
            self.log.warning("Unreadable timestamp.txt in %s: the submission is graded as on time", folder)
            return None

    # One submission

    def _begin(self, path: str) -> Future:
        """Mend one submission and queue its run; the future gives what is left to put together."""
        folder, name = Path(path).parent, Path(path).stem
        template = self.templates[name]
        files = notebook_files(folder)
        if len(self.templates) > 1:  # each notebook of the assignment may take only what looks like it
            others = set(self.templates) - {name}
            files = [f for f in files if plain_name(Path(f.path).name) not in others]
        best, remark = choose(
            name,
            files,
            [i for i in map(grade_id, template.cells) if i],
            template.released,
        )
        prepared = prepare(
            template,
            best.data if best else Broken(_nothing_to_grade(folder)),
            settings=self.settings,
            files=self._beside,
            handed_in=side_files(folder),
            name=self._student(path),
            notes=(Note(remark),) if remark else (),
        )
        future: Future[tuple[Prepared, Any]] = Future()
        if prepared.job is None:
            future.set_result((prepared, None))
            return future
        run = self.pool.submit(prepared.job)
        run.add_done_callback(lambda done: _pass_on(done, future, prepared))
        return future

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Take a finished run, save its grades, and only then write the graded notebook."""
        prepared, result = self._ahead.take(notebook_filename).result()
        graded = finish(prepared, result)
        graded.notebook.metadata[REPORT]["key"] = self._keys[os.path.dirname(notebook_filename)]
        resources = self.init_single_notebook_resources(notebook_filename)
        resources["nbgrader"]["course_id"] = self.coursedir.course_id
        self._sanitizing = False
        try:
            self._init_preprocessors()
            output, resources = self.exporter.from_notebook_node(graded.notebook, resources=resources)
            self.write_single_notebook(output, resources)
        finally:
            self._sanitizing = True
        self._progress.step()

    def _init_preprocessors(self) -> None:
        # Mending and running are done; a configuration written for plain nbgrader may still list them.
        self.exporter._preprocessors = []
        done = {Execute, SaveAutoGrades, CheckCellMetadata}
        if not self._late:
            done.add(AssignLatePenalties)
        for step in self.autograde_preprocessors:
            if step not in done:
                self.exporter.register_preprocessor(step)


def _pass_on(done: Future, future: Future, prepared: Prepared) -> None:
    if done.cancelled():
        future.cancel()
    elif done.exception():
        future.set_exception(done.exception())
    else:
        future.set_result((prepared, done.result()))


def _nothing_to_grade(folder: Path) -> str:
    names = sorted(p.name for p in folder.rglob("*") if p.is_file() and p.name != "timestamp.txt")
    listed = ", ".join(map(quotable, names[:5])) if names else "없음"
    return f"제출한 폴더에 노트북(.ipynb)이 없습니다. 들어 있는 파일: {listed}"
