"""The student's names as the checker holds them: references, and the one way to ask about them."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import torch

from . import codec, frames, shared, worker


class StudentError(Exception):
    """The student's code raised something that has no builtin class, or did not answer."""


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

    # Without a `__contains__`, `in` walks the items and compares here: the student's word is no verdict.
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
