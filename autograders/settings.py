"""How grading is set up: the `Engine` section of `nbgrader_config.py`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil
from traitlets import Bool, Dict, Integer, TraitError, Unicode, validate
from traitlets.config import LoggingConfigurable

from .job import Limits


@dataclass(frozen=True)
class Settings:
    """What one assignment's submissions are run with; part of what decides whether a grade is still good."""

    limits: Limits = field(default_factory=Limits)
    datasets: Mapping[str, str] = field(default_factory=dict)
    checker: bool = True
    seed: int = 0


class Engine(LoggingConfigurable):
    """The grading engine behind `nbgrader autograde`.

    Per-assignment dictionaries are keyed by the assignment's name; the key `"*"` holds for all.
    """

    workers = Integer(
        0, help="Submissions run at once; 0 means one for each core, as far as memory allows."
    ).tag(config=True)
    scheduler = Unicode(
        "", help="A dask scheduler whose workers run the submissions, or 'local' for one on this machine."
    ).tag(config=True)
    unsandboxed = Bool(
        False, help="Grade without a sandbox where there is none. Students' code then runs with your rights."
    ).tag(config=True)
    checker = Bool(True, help="Run test cells out of the student's reach.").tag(config=True)
    limits = Dict(help="Limits of autograders.job.Limits, e.g. {'*': {'cell_seconds': 60}}.").tag(config=True)
    datasets = Dict(
        help="Data sets to mount read-only at data/NAME: {'cifar10': {'cifar10': '/srv/cifar10'}}."
    ).tag(config=True)

    @validate("limits")
    def _known_limits(self, proposal: Any) -> dict:
        for name, limits in proposal["value"].items():
            unknown = set(limits) - set(Limits.__dataclass_fields__)
            if unknown:
                known = ", ".join(Limits.__dataclass_fields__)
                raise TraitError(f"Engine.limits[{name!r}] has no {', '.join(unknown)}; limits are {known}")
        return proposal["value"]

    def settings(self, assignment: str) -> Settings:
        """Return what holds for one assignment."""
        limits = {**self.limits.get("*", {}), **self.limits.get(assignment, {})}
        datasets = {**self.datasets.get("*", {}), **self.datasets.get(assignment, {})}
        return Settings(limits=Limits(**limits), datasets=datasets, checker=self.checker)

    def worker_count(self, limits: Limits) -> int:
        """Return how many submissions run at once on this machine: what its cores and its memory hold."""
        if self.workers > 0:
            return self.workers
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, min(cores, psutil.virtual_memory().total // limits.memory_bytes))
