"""The command `python -m autograders`: what nbgrader has no word for, in one place."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nbgrader.apps import NbGraderApp


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
    app = course()
    if args.command == "explain":
        from .explain import explain

        try:
            print(explain(app.coursedir, args.student, args.assignment))
        except LookupError as error:
            print(error.args[0], file=sys.stderr)
            return 1
        return 0
    from .collect import collect

    return collect(app.coursedir, args.assignment, args.archives, pattern=args.pattern)


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
