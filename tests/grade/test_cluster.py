"""The same jobs on a cluster: the same marks, a worker that dies loses nothing, and refusals that say why."""

import os
import signal

import pytest
from distributed import LocalCluster
from distributed.security import Security
from nbgrader.converters.base import NbGraderException

from autograders import cluster, pool
from autograders.cluster import ClusterPool
from autograders.job import Cell, Job
from autograders.pool import ClusterUnavailable
from tests.grade.tiny import Course, filled


@pytest.fixture(scope="module")
def workers():
    """A scheduler and two workers, one job at a time each, in processes of their own."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, memory_limit=None, dashboard_address=":0", security=Security()
    ) as made:
        yield made
    pool.drop_pools()


@pytest.fixture
def clustered(workers):
    made = ClusterPool(workers.scheduler_address, workers=1)
    yield made
    made.close()


def printed(result):
    return "".join(output.get("text", "") for output in result.cells[-1].outputs).strip()


def test_a_job_runs_on_a_worker_in_its_sandbox(clustered):
    source = (
        "import os\nprint(os.path.exists('nbgrader_config.py'), os.environ['HOME'], open('seven').read())"
    )
    result = clustered.submit(Job((Cell("student", source),), files={"seven": b"7"})).result(60)
    assert printed(result) == "False /home/student 7"


def test_as_many_are_kept_under_way_as_the_workers_can_take(clustered):
    assert clustered.size == 2


def test_a_worker_that_dies_loses_nothing(clustered, workers):
    jobs = [Job((Cell("student", f"import time\ntime.sleep(1)\nprint({i})"),)) for i in range(8)]
    futures = [clustered.submit(job) for job in jobs]
    assert printed(futures[0].result(60)) == "0"  # the others are under way or wait
    busy = clustered.client.run(os.getpid)
    os.kill(next(iter(busy.values())), signal.SIGKILL)
    assert [printed(future.result(60)) for future in futures] == [str(i) for i in range(8)]


def test_a_class_graded_on_a_cluster_has_the_marks_of_one_graded_here(tmp_path, workers):
    course = Course(tmp_path / "course")
    course.hand_in("right", filled())
    course.hand_in("wrong", filled(double="def double(x): return 2"))
    course.hand_in("dead", filled(seven="import os\nos._exit(0)"))
    course.hand_in("html", b"<html>")
    course.grade(scheduler=workers.scheduler_address)
    there = course.dump()
    course.grade(force=True)
    assert there == course.dump()
    assert len(course.scores()) == 4


def test_local_starts_a_cluster_that_no_other_user_can_give_work(tmp_path):
    made = ClusterPool("local", workers=2)
    try:
        assert made.size == 2
        assert made.client.scheduler.address.startswith("tls://127.0.0.1:")
        assert printed(made.submit(Job((Cell("student", "print(6 * 7)"),))).result(60)) == "42"
    finally:
        made.close()


def test_a_worker_of_another_version_is_refused_before_anything_is_graded(workers, monkeypatch):
    monkeypatch.setattr(cluster, "engine_version", lambda: "newer")
    with pytest.raises(ClusterUnavailable, match="another version"):
        ClusterPool(workers.scheduler_address, workers=1)


def test_where_no_scheduler_answers_the_address_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    course = Course(tmp_path / "course")
    course.hand_in("a", filled())
    with pytest.raises(NbGraderException, match=r"tcp://127\.0\.0\.1:9"):
        course.grade(scheduler="tcp://127.0.0.1:9")
    assert course.scores() == {}


def test_the_command_hands_the_scheduler_on(monkeypatch):
    from autograders import __main__ as command

    words = []
    monkeypatch.setattr(command.NbGraderApp, "launch_instance", words.extend)
    assert command.main(["grade", "tiny", "--scheduler", "tcp://10.0.0.5:8786"]) == 0
    assert "--Engine.scheduler=tcp://10.0.0.5:8786" in words
