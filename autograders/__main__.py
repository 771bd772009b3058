"""The command `python -m autograders`: what nbgrader has no word for, in one place."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderApp
from nbgrader.coursedir import CourseDirectory


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    top = argparse.ArgumentParser(prog="python -m autograders", description=__doc__)
    top.add_argument("--course-dir", type=Path, default=Path.cwd(), help="where nbgrader_config.py is")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    grade = commands.add_parser("grade", help="grade an assignment, as 'nbgrader autograde' does")
    grade.add_argument("assignment")
    grade.add_argument("--jobs", type=int, metavar="N", help="submissions run at once (default: one a core)")
    grade.add_argument(
        "--scheduler", metavar="ADDR", help="run them on a dask cluster; 'local' starts one on this machine"
    )
    grade.add_argument("--student", metavar="ID", help="only this student")
    grade.add_argument("--force", action="store_true", help="run unchanged submissions again")

    commands.add_parser("doctor", help="what the sandbox can do here; exit status 0 when it holds")

    why = commands.add_parser("explain", help="why each mark of a submission")
    why.add_argument("student")
    why.add_argument("assignment")

    collect = commands.add_parser("collect", help="put the archives of an LMS into submitted/")
    collect.add_argument("assignment")
    collect.add_argument("archives", nargs="+", type=Path, metavar="ARCHIVE")
    collect.add_argument(
        "--pattern", help="a regular expression for paths, with the groups student_id and file_id"
    )

    told = commands.add_parser("report", help="distribution, questions and similar answers of a graded class")
    told.add_argument("assignment")
    told.add_argument("--to", type=Path, metavar="FOLDER", help="default: reports/ASSIGNMENT")

    table = commands.add_parser("export", help="marks as a table for Moodle, Canvas or a spreadsheet")
    table.add_argument("assignment")
    table.add_argument("--format", choices=("csv", "moodle", "canvas"), default="csv")
    table.add_argument("--to", type=Path, metavar="FILE", help="default: reports/ASSIGNMENT-FORMAT.csv")

    commands.add_parser(
        "sample", help="grade the bundled sample class: expected against given marks", add_help=False
    )
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args, rest = parser().parse_known_args(argv)
    if args.command in ("doctor", "sample"):
        return importlib.import_module(f"autograders.{args.command}").main(rest) or 0
    if rest:
        parser().error(f"unknown arguments: {' '.join(rest)}")
    os.chdir(args.course_dir)
    if args.command == "grade":
        return grade(args)
    coursedir = course().coursedir
    if args.command == "collect":
        from .collect import collect

        return collect(coursedir, args.assignment, args.archives, pattern=args.pattern)
    try:
        print(tell(coursedir, args))
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 1
    return 0


def tell(coursedir: CourseDirectory, args: argparse.Namespace) -> str | Path:
    """Answer a question about what has been graded: a text, or the file that was written.

    Raises
    ------
    LookupError
        If it has not been graded; the message says what to run.
    """
    reports = Path(coursedir.root, "reports")
    if args.command == "explain":
        from .explain import explain

        return explain(coursedir, args.student, args.assignment)
    if args.command == "report":
        from .report import report

        return report(coursedir, args.assignment, args.to or reports / args.assignment)
    from .export import export
    from .marks import read_class

    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        marks = read_class(gradebook, args.assignment)
    waiting = sum(one.unfinished for one in marks.submitted)
    if waiting:
        print(f"{waiting} submissions wait for a mark by hand, which counts 0 here.", file=sys.stderr)
    return export(marks, args.format, args.to or reports / f"{args.assignment}-{args.format}.csv")


def grade(args: argparse.Namespace) -> int:
    """Hand over to `nbgrader autograde`, which the configuration has given the engine."""
    words = ["autograde", args.assignment]
    if args.student:
        words.append(f'--CourseDirectory.student_id="{args.student}"')
    if args.jobs:
        words.append(f"--Engine.workers={args.jobs}")
    if args.scheduler:
        words.append(f"--Engine.scheduler={args.scheduler}")
    if args.force:
        words.append("--force")
    try:
        NbGraderApp.launch_instance(words)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def course() -> NbGraderApp:
    """Return nbgrader's application with the course's configuration loaded."""
    app = NbGraderApp()
    app.log_level = "WARN"
    app.initialize([])
    return app


if __name__ == "__main__":
    sys.exit(main())
