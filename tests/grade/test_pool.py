"""Looking ahead keeps the order, keeps memory flat, and keeps one failure to one submission."""

from concurrent.futures import Future

import pytest

from autograders.job import Cell, Job
from autograders.pool import Ahead, LocalPool


class Bench:
    """Records which keys were begun; their futures are done at once."""

    def __init__(self):
        self.begun = []

    def start(self, key):
        self.begun.append(key)
        if key == "bad":
            raise OSError("unreadable")
        future = Future()
        future.set_result(key.upper())
        return future


def test_results_come_in_the_order_they_are_asked_for():
    bench = Bench()
    ahead = Ahead("abc", bench.start, window=2)
    assert [ahead.take(key).result() for key in "abc"] == ["A", "B", "C"]
    assert bench.begun == ["a", "b", "c"]


def test_no_more_than_the_window_is_under_way():
    bench = Bench()
    ahead = Ahead("abcdefgh", bench.start, window=3)
    ahead.take("a")
    assert bench.begun == ["a", "b", "c", "d"]


def test_a_key_that_is_never_asked_for_is_passed_over():
    bench = Bench()
    ahead = Ahead("abc", bench.start, window=2)
    assert ahead.take("c").result() == "C"


def test_a_failure_to_begin_is_that_keys_alone():
    ahead = Ahead(["bad", "b"], Bench().start, window=2)
    with pytest.raises(OSError, match="unreadable"):
        ahead.take("bad").result()
    assert ahead.take("b").result() == "B"


def test_jobs_run_at_once_and_keep_apart():
    jobs = [Job((Cell("student", f"x = {i}"), Cell("student", "print(x)"))) for i in range(6)]
    pool = LocalPool(workers=3)
    try:
        results = [future.result() for future in [pool.submit(job) for job in jobs]]
    finally:
        pool.close()
    assert [r.cells[1].outputs[0]["text"].strip() for r in results] == [str(i) for i in range(6)]
