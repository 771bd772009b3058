"""The checker's process: runs given cells and tests, and asks the student's process for the rest.

No object of the student's ever lives here. A name that neither a given cell nor a test has bound is asked for
when a test first uses it; plain data comes as a value, anything else as a :class:`Remote`.
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
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch

from . import codec, frames, shared, worker
from .names import CONVENTIONAL, is_probe, without_magics

PLACEHOLDERS = (None, ..., "선택")
"""A given cell that binds a name to one of these leaves its value to the student."""

FAILED = "검사를 통과하지 못했습니다."


class StudentError(Exception):
    """The student's code raised something that has no builtin class, or did not answer."""


class _NeedsStudent(BaseException):
    """A given cell uses a student's name, so it belongs to the student's process."""


class Remote:
    """Something of the student's that has no plain form: to be called, read and walked, never owned."""

    __slots__ = ("__link", "__reference")

    def __init__(self, link: Link, reference: list[Any]) -> None:
        object.__setattr__(self, "_Remote__link", link)
        object.__setattr__(self, "_Remote__reference", reference)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__name__":
            raise AttributeError(name)
        return self.__link.request("attribute", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("학생의 객체에 값을 넣으려면 probe_ 함수를 쓰십시오")

    def __getitem__(self, key: Any) -> Any:
        return self.__link.request("item", self, key)

    def __len__(self) -> int:
        length = self.__link.request("length", self)
        if type(length) is not int:
            raise StudentError("길이가 정수가 아닙니다")
        return length

    def __bool__(self) -> bool:
        return self.__link.request("truth", self) is True

    def __contains__(self, item: Any) -> bool:
        return self.__link.request("contains", self, item) is True

    def __iter__(self) -> Iterator[Any]:
        iterator = self.__link.request("iterate", self)
        while taken := self.__link.request("next", iterator):
            yield taken[0]

    def __next__(self) -> Any:
        taken = self.__link.request("next", self)
        if not taken:
            raise StopIteration
        return taken[0]

    def __str__(self) -> str:
        try:
            return str.__str__(self.__link.request("text", self))
        except Exception:
            return repr(self)

    def __repr__(self) -> str:
        return f"<학생의 {self.__reference[2]}>"


class RemoteCallable(Remote):
    """A student's function, class, method or callable object."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it, there."""
        return self._Remote__link.request("call", self, list(args), kwargs)


class Link:
    """The one way to the student's process."""

    def __init__(self, outputs: worker.Outputs) -> None:
        self.outputs = outputs
        self.seeds: list[tuple[str, int]] = []
        self.remotes: dict[tuple[int, int], Remote] = {}

    def request(self, op: str, *args: Any) -> Any:
        """Ask, wait, and raise what the student's code raised.

        Raises
        ------
        codec.NotPlain
            If an argument can not cross.
        Exception
            The builtin class of the student's exception, else :class:`StudentError`.
        """
        seeds, self.seeds = self.seeds, []
        request = {"op": op, "args": list(args), "seeds": seeds, "grad": torch.is_grad_enabled()}
        payload = codec.encode(request, self._refer)
        with self.outputs.uninterrupted():  # the supervisor always answers, in time
            self.outputs.flush()
            self.outputs.send("Q", payload)
            answer = frames.receive(self.outputs.sock)[1]
        answer = codec.decode(answer, {"ref": self._remote, "module": shared.module})
        if type(answer) is not dict or len(answer) != 1:
            raise StudentError("읽을 수 없는 답입니다")
        ((kind, value),) = answer.items()
        if kind == "value":
            return value
        raise _exception(value) if kind == "error" else StudentError(str(value))

    def _refer(self, value: Any) -> dict[str, Any] | None:
        if isinstance(value, Remote):
            return {"ref": value._Remote__reference}
        reference = shared.named(value)
        if reference is None and callable(value):
            raise codec.NotPlain(
                "검사 칸의 함수나 객체는 학생 코드로 건너갈 수 없습니다. probe_ 함수를 쓰십시오"
            )
        return reference

    def _remote(self, reference: Any) -> Remote:
        generation, number, kind, can_call = reference
        if type(generation) is not int or type(number) is not int:
            raise codec.NotPlain("읽을 수 없는 참조입니다")
        kind = "".join(c for c in str(kind)[:80] if c.isprintable())
        new = (RemoteCallable if can_call is True else Remote)(
            self, [generation, number, kind, can_call is True]
        )
        return self.remotes.setdefault((generation, number), new)


def _exception(value: Any) -> Exception:
    names, text = [str(name) for name in value[0]], str(value[1])
    for name in names:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception) and kind not in (Exception, StopIteration):
            try:
                return kind(text)
            except TypeError:
                break
    return StudentError(f"{names[0]}: {text}" if names else text)


class Probe:
    """A ``probe_`` function of a test: its text goes to the student's process and runs there."""

    def __init__(self, link: Link, name: str, source: str, imports: list[str]) -> None:
        self.link, self.name, self.source, self.imports = link, name, source, imports

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it in the student's process, where references are the real objects."""
        return self.link.request("probe", self.name, self.source, self.imports, list(args), kwargs)


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
            tree = ast.parse(without_magics(source))
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
