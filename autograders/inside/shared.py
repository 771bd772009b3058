"""Small things that both sides of the wall do in the same way."""

from __future__ import annotations

import importlib
import itertools
import random
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch

from .codec import ALLOWED_MODULES, NotPlain


class Fallback(dict[str, Any]):
    """Globals that ask elsewhere for a name they do not have (a KeyError then means builtins)."""

    def __init__(self, find: Callable[[str], Any]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, name: str) -> Any:
        return self._find(name)


def module(name: str) -> ModuleType:
    """Import our own module of that name.

    Raises
    ------
    NotPlain
        If it is not one of those that may cross.
    """
    if not isinstance(name, str) or name.split(".")[0] not in ALLOWED_MODULES:
        raise NotPlain(f"모듈 {name!r}은 건너갈 수 없습니다")
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NotPlain(str(error)) from None


def find(path: list[str]) -> Any:
    """Find the function or class that :func:`named` described."""
    value: Any = importlib.import_module(path[0])
    for part in path[1].split("."):
        value = getattr(value, part)
    return value


def named(value: Any) -> dict[str, Any] | None:
    """Name a function or class of a library, such as ``nn.ReLU`` (None if it is not one)."""
    names = {getattr(value, "__qualname__", None), getattr(value, "__name__", None)}
    homes = [getattr(value, "__module__", None), "torch", "torch.nn.functional", "numpy", "math"]
    for home, name in itertools.product(homes, names):
        if not isinstance(home, str) or not isinstance(name, str):
            continue
        if home.split(".")[0] not in ALLOWED_MODULES | {"builtins"}:
            continue
        try:
            if find([home, name]) is value:
                return {"named": [home, name]}
        except (ImportError, AttributeError):
            continue
    return None


SEEDERS: dict[str, Callable[[int], Any]] = {
    "torch": torch.manual_seed,
    "numpy": np.random.seed,
    "random": random.seed,
}


def sow(seeds: list[tuple[str, int]]) -> None:
    """Seed generators as the test did on its side."""
    for name, seed in seeds:
        SEEDERS[name](seed)
