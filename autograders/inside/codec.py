"""Plain data across the wall between the student's process and the checker's.

Values are written as JSON plus raw buffers, so nothing that is read can run code: no pickle, no class of
the student's. What has no plain form crosses as an opaque reference (see ``encode``'s `refer`).

JSON scalars and arrays stand for themselves (an array is a ``list``); everything else is an object with one
key that names its type.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch

from .frames import FRAME_BYTES, pack, unpack

MAX_DEPTH = 32
MAX_ITEMS = 1_000_000

_TORCH_DTYPES = {str(d).removeprefix("torch."): d for d in vars(torch).values() if isinstance(d, torch.dtype)}
_PLAIN_DTYPES = re.compile(r"(bfloat16|float(16|32|64)|complex(32|64|128)|u?int(8|16|32|64)|bool|float8_\w+)")
_NUMPY_DTYPES = re.compile(r"[<>|=]?([?biufcSU]\d+|[mM]8(\[\w+\])?)")
_NUMBERS = {
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "pandas",
    "sklearn",
    "math",
    "cmath",
    "statistics",
    "random",
}
ALLOWED_MODULES = frozenset({"itertools", "functools", "collections", "copy", "matplotlib", "PIL"} | _NUMBERS)
"""Packages that both processes may import under the same name."""


class NotPlain(TypeError):
    """The value has no plain form, or is too large or too deep to cross."""


Refer = Callable[[Any], dict[str, Any] | None]


def encode(value: Any, refer: Refer) -> bytes:
    """Write a value.

    Parameters
    ----------
    value : object
        Subclasses of plain types are reduced to the plain type.
    refer : callable
        Gives the reference that stands for an object without plain form, or None to refuse it.

    Raises
    ------
    NotPlain
        If something in the value can not cross.
    """
    buffers: list[bytes] = []
    payload = pack(_Writer(refer, buffers).node(value, 0), buffers)
    if len(payload) > FRAME_BYTES - 1024:
        raise NotPlain(f"값이 너무 큽니다({len(payload):,}바이트)")
    return payload


class _Writer:
    def __init__(self, refer: Refer, buffers: list[bytes]) -> None:
        self.refer = refer
        self.buffers = buffers
        self.items = 0

    def node(self, value: Any, depth: int) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise NotPlain("값이 너무 깊거나 큽니다(자기 자신을 담은 목록은 아닌지 보십시오)")
        if value is None or value is True or value is False:
            return value
        for kind, write in self.WRITERS:
            if isinstance(value, kind):
                written = write(self, value, depth + 1)
                if written is not None:
                    return written
                break
        reference = self.refer(value)
        if reference is None:
            raise NotPlain(f"{type(value).__name__} 형의 값은 건너갈 수 없습니다")
        return reference

    def buffer(self, data: bytes) -> int:
        self.buffers.append(data)
        return len(self.buffers) - 1

    # The base class's own methods are called, so that a subclass's overrides have no say.
    def _int(self, value: int, _: int) -> Any:
        plain = int.__int__(value)
        return plain if -(2**63) <= plain < 2**63 else {"int": hex(plain)}

    def _float(self, value: float, _: int) -> Any:
        return float.__float__(value)

    def _str(self, value: str, _: int) -> Any:
        return str.__str__(value)

    def _complex(self, value: complex, _: int) -> Any:
        return {"complex": [complex.real.__get__(value), complex.imag.__get__(value)]}

    def _bytes(self, value: bytes | bytearray, _: int) -> Any:
        name = "bytes" if isinstance(value, bytes) else "bytearray"
        return {name: self.buffer(b"".join([value]))}

    def _size(self, value: torch.Size, _: int) -> Any:
        return {"size": [int(n) for n in tuple.__iter__(value)]}

    def _list(self, value: list[Any], depth: int) -> Any:
        return [self.node(item, depth) for item in list.__iter__(value)]

    def _tuple(self, value: tuple[Any, ...], depth: int) -> Any:
        return {"tuple": [self.node(item, depth) for item in tuple.__iter__(value)]}

    def _set(self, value: set[Any], depth: int) -> Any:
        return {"set": [self.node(item, depth) for item in set.__iter__(value)]}

    def _frozenset(self, value: frozenset[Any], depth: int) -> Any:
        return {"frozenset": [self.node(item, depth) for item in frozenset.__iter__(value)]}

    def _dict(self, value: dict[Any, Any], depth: int) -> Any:
        return {"dict": [[self.node(k, depth), self.node(v, depth)] for k, v in dict.items(value)]}

    def _range(self, value: range, depth: int) -> Any:
        return {"range": [self.node(n, depth) for n in (value.start, value.stop, value.step)]}

    def _slice(self, value: slice, depth: int) -> Any:
        return {"slice": [self.node(n, depth) for n in (value.start, value.stop, value.step)]}

    def _tensor(self, value: torch.Tensor, _: int) -> Any:
        with torch._C.DisableTorchFunctionSubclass(), torch.no_grad():
            parameter = isinstance(value, torch.nn.Parameter)
            if value.layout is not torch.strided or value.is_quantized or value.is_meta:
                return None
            plain = value.detach().as_subclass(torch.Tensor)
            name = str(plain.dtype).removeprefix("torch.")
            if not _PLAIN_DTYPES.fullmatch(name):
                return None
            if plain.numel() * plain.element_size() > FRAME_BYTES:
                raise NotPlain(f"텐서가 너무 큽니다({plain.numel():,}개)")
            plain = plain.cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
            data = plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b""
            shape = [int(n) for n in value.shape]
        return {"tensor": [name, shape, bool(value.requires_grad), parameter, self.buffer(data)]}

    def _array(self, value: np.ndarray | np.generic, _: int) -> Any:
        scalar = isinstance(value, np.generic)
        plain = np.asarray(value).view(np.ndarray) if scalar else np.ndarray.view(value, np.ndarray)
        if not _NUMPY_DTYPES.fullmatch(plain.dtype.str) or plain.dtype.itemsize == 0:
            return None
        if plain.nbytes > FRAME_BYTES:
            raise NotPlain(f"배열이 너무 큽니다({plain.size:,}개)")
        return {"array": [plain.dtype.str, list(plain.shape), scalar, self.buffer(plain.tobytes())]}

    def _module(self, value: types.ModuleType, _: int) -> Any:
        name = getattr(value, "__name__", "")
        return {"module": name} if isinstance(name, str) and name.split(".")[0] in ALLOWED_MODULES else None

    # numpy's float64 is a float too, torch.Size a tuple: the narrower type comes first.
    WRITERS: tuple[tuple[type | tuple[type, ...], Callable[..., Any]], ...] = (
        ((np.ndarray, np.generic), _array),
        (torch.Tensor, _tensor),
        (torch.Size, _size),
        (int, _int),
        (float, _float),
        (str, _str),
        (complex, _complex),
        ((bytes, bytearray), _bytes),
        (list, _list),
        (tuple, _tuple),
        (dict, _dict),
        (set, _set),
        (frozenset, _frozenset),
        (range, _range),
        (slice, _slice),
        (torch.dtype, lambda self, value, _: {"dtype": str(value).removeprefix("torch.")}),
        (torch.device, lambda self, value, _: {"device": str(value)}),
        (np.dtype, lambda self, value, _: {"npdtype": value.str} if not value.hasobject else None),
        (types.EllipsisType, lambda self, value, _: {"ellipsis": 0}),
        (types.ModuleType, _module),
    )


def decode(payload: bytes, special: dict[str, Callable[[Any], Any]]) -> Any:
    """Read a value.

    Parameters
    ----------
    payload : bytes
        What :func:`encode` wrote, or what an enemy made of it.
    special : dict
        Readers of the kinds that are not plain data on this side: ``ref``, ``module``, ``named``.

    Raises
    ------
    NotPlain
        If the payload is malformed.
    """
    try:
        tree, buffers = unpack(payload)
        return _Reader(buffers, special).node(tree, 0)
    except NotPlain:
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, AttributeError) as error:
        raise NotPlain(f"읽을 수 없는 값입니다({type(error).__name__})") from None


class _Reader:
    def __init__(self, buffers: list[memoryview], special: dict[str, Callable[[Any], Any]]) -> None:
        self.buffers = buffers
        self.special = special

    def node(self, tree: Any, depth: int) -> Any:
        if depth > MAX_DEPTH + 1:
            raise NotPlain("값이 너무 깊습니다")
        if tree is None or isinstance(tree, (bool, int, float, str)):
            return tree
        if isinstance(tree, list):
            return [self.node(item, depth + 1) for item in tree]
        ((kind, body),) = tree.items()
        if kind in self.special:
            return self.special[kind](body)
        return self.READERS[kind](self, body, depth + 1)

    def _items(self, body: list[Any], depth: int) -> list[Any]:
        return [self.node(item, depth) for item in body]

    def _pairs(self, body: list[Any], depth: int) -> dict[Any, Any]:
        return {self.node(key, depth): self.node(value, depth) for key, value in body}

    def _tensor(self, body: list[Any], _: int) -> torch.Tensor:
        name, shape, requires_grad, parameter, index = body
        dtype = _TORCH_DTYPES[name] if _PLAIN_DTYPES.fullmatch(name) else None
        if dtype is None:
            raise ValueError(name)
        data = bytearray(self.buffers[index])
        if not data:
            if 0 not in shape:
                raise ValueError("a tensor without data")
            value = torch.empty(shape, dtype=dtype)
        elif dtype is torch.bool:  # any byte but 0 and 1 would be undefined behaviour
            value = torch.frombuffer(data, dtype=torch.uint8).ne(0).reshape(shape)
        else:
            value = torch.frombuffer(data, dtype=dtype).reshape(shape)
        if parameter:
            return torch.nn.Parameter(value, requires_grad=bool(requires_grad))
        return value.requires_grad_() if requires_grad else value

    def _array(self, body: list[Any], _: int) -> np.ndarray | np.generic:
        name, shape, scalar, index = body
        dtype = _numpy_dtype(name)
        if dtype == np.bool_:
            value = (np.frombuffer(self.buffers[index], np.uint8) != 0).reshape(shape)
        else:
            value = np.frombuffer(self.buffers[index], dtype).reshape(shape).copy()
        return value[()] if scalar else value

    READERS: ClassVar[dict[str, Callable[..., Any]]] = {
        "int": lambda self, body, _: int(body, 16),
        "complex": lambda self, body, _: complex(*map(float, body)),
        "bytes": lambda self, body, _: bytes(self.buffers[body]),
        "bytearray": lambda self, body, _: bytearray(self.buffers[body]),
        "tuple": lambda self, body, depth: tuple(self._items(body, depth)),
        "set": lambda self, body, depth: set(self._items(body, depth)),
        "frozenset": lambda self, body, depth: frozenset(self._items(body, depth)),
        "range": lambda self, body, depth: range(*self._items(body, depth)),
        "slice": lambda self, body, depth: slice(*self._items(body, depth)),
        "size": lambda self, body, _: torch.Size(body),
        "ellipsis": lambda self, body, _: ...,
        "dtype": lambda self, body, _: _TORCH_DTYPES[body],
        "device": lambda self, body, _: torch.device(body),
        "npdtype": lambda self, body, _: _numpy_dtype(body),
        "dict": _pairs,
        "tensor": _tensor,
        "array": _array,
    }


def _numpy_dtype(name: str) -> np.dtype:
    if not _NUMPY_DTYPES.fullmatch(name):
        raise ValueError(name)
    return np.dtype(name)
