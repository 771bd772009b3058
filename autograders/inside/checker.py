"""The checker's process: runs given cells and tests, and asks the student's process for the rest.

No object of the student's ever lives here. A name that neither a given cell nor a test has bound is asked for
when a test first uses it; plain data comes as a value, anything else as a
:class:`~.remote.Remote`.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import random
import socket
import types
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch

from . import frames, shared, worker
from .colab import STAND_IN, Nothing, WithoutColab
from .names import CONVENTIONAL, is_probe, without_magics
from .remote import Link, Probe

PLACEHOLDERS = (None, ..., "선택")
"""A given cell that binds a name to one of these leaves its value to the student."""

FAILED = "검사를 통과하지 못했습니다."


class _NeedsStudent(BaseException):
    """A given cell uses a student's name, so it belongs to the student's process."""


class Checker:
    """The namespace of given cells and tests."""

    def __init__(self, outputs: worker.Outputs) -> None:
        self.outputs = outputs
        self.link = Link(outputs)
        self.imports: list[str] = []
        self.in_given = False
        self.fetched: dict[str, Any] = {}
        self.names = shared.Fallback(self.find)
        self.names.update(__name__="__main__", display=lambda *_, **__: None, __probe__=self._probe)
        self.names[STAND_IN] = Nothing()

    def find(self, name: str) -> Any:
        """Find a name that nothing here has bound."""
        if hasattr(builtins, name):
            raise KeyError(name)
        if name in CONVENTIONAL:
            return importlib.import_module(CONVENTIONAL[name])
        if self.in_given:
            raise _NeedsStudent
        if name not in self.fetched:
            try:
                self.fetched[name] = self.link.request("get", name)
            except NameError:
                raise NameError(f"제출한 노트북에 {name!r}이라는 이름이 없습니다") from None
        return self.fetched[name]

    def given(self, source: str) -> None:
        """Run a given cell as far as it needs nothing of the student's.

        Where it does, its modules, functions and classes stay; its data is the student's.
        """
        before = dict(self.names)
        self.in_given = True
        try:
            tree = WithoutColab().visit(ast.parse(without_magics(source)))
            self._remember_imports(tree)
            tree.body = [node for node in tree.body if not _is_placeholder(node)]
            exec(compile(tree, "<given>", "exec"), self.names)
        except (Exception, SystemExit, _NeedsStudent):
            for name, value in list(self.names.items()):
                kept = isinstance(
                    value, (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)
                )
                if before.get(name, self) is not value and not kept:
                    del self.names[name]
        finally:
            self.in_given = False
            plt.close("all")

    def test(self, source: str) -> None:
        """Run a test; its outcome goes out as outputs."""
        self.fetched.clear()
        try:
            tree = ast.parse(without_magics(source))
            self._remember_imports(tree)
            tree.body = [self._ship(node) for node in tree.body]
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            ast.fix_missing_locations(tree)
            exec(compile(tree, "<test>", "exec"), self.names)
            if last is not None:
                self._show(eval(compile(ast.Expression(last.value), "<test>", "eval"), self.names))
        except (Exception, SystemExit) as error:
            text = worker.message(error) or (FAILED if isinstance(error, AssertionError) else "")
            self.outputs.put({"output_type": "error", "ename": type(error).__name__, "evalue": text})
        finally:
            plt.close("all")

    def _remember_imports(self, tree: ast.Module) -> None:
        new = [ast.unparse(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        self.imports += [statement for statement in new if statement not in self.imports]

    def _ship(self, node: ast.stmt) -> ast.stmt:
        if not is_probe(node):
            return node
        (assign,) = ast.parse(f"{node.name} = __probe__({node.name!r}, {ast.unparse(node)!r})").body
        return assign

    def _probe(self, name: str, source: str) -> Probe:
        return Probe(self.link, name, source, list(self.imports))

    def _show(self, value: Any) -> None:
        if value is None:
            return
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        text = repr(value.item() if isinstance(value, np.number) else value) if number else repr(value)
        data = {"text/plain": text[: worker.MESSAGE_CHARACTERS]}
        output = {"output_type": "execute_result", "execution_count": None, "data": data, "metadata": {}}
        self.outputs.put(output)


def _is_placeholder(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else node
    return isinstance(value, ast.Constant) and value.value in PLACEHOLDERS


def _watch_seeds(link: Link) -> None:
    """Let a test that seeds a generator seed the student's as well, as it would in one process."""

    def watched(name: str, seeder: Callable[..., Any]) -> Callable[..., Any]:
        def seed(value: Any = None, *args: Any, **kwargs: Any) -> Any:
            if isinstance(value, (int, np.integer)):
                link.seeds.append((name, int(value)))
            return seeder(value, *args, **kwargs)

        return seed

    torch.manual_seed = torch.random.manual_seed = watched("torch", torch.manual_seed)
    np.random.seed = watched("numpy", np.random.seed)
    random.seed = watched("random", random.seed)


def main(sock: socket.socket, limits: dict[str, Any], seed: int) -> None:
    """Run given cells and tests until the supervisor closes the socket."""
    outputs = worker.begin(sock, int(limits["output_bytes"]), seed)
    warnings.simplefilter("ignore")
    checker = Checker(outputs)
    _watch_seeds(checker.link)
    while True:
        cell = json.loads(frames.receive(sock)[1])
        outputs.begin()
        try:
            with outputs.interruptible():
                (checker.given if cell["kind"] == "given" else checker.test)(cell["source"])
        except KeyboardInterrupt:
            pass  # the supervisor knows why, and says so
        outputs.flush()
        outputs.send("C")
