"""What the student's process and the checker's have in common: the socket, the outputs, interrupts."""

from __future__ import annotations

import io
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np
import torch

from . import frames

FLUSH_SECONDS = 0.1
FLUSH_CHARACTERS = 16_000
MESSAGE_CHARACTERS = 4_000


class Outputs:
    """Sends outputs to the supervisor as they come, so that those of a cell that is killed are kept.

    Text is joined to larger pieces; what is over `limit` characters in a cell is thrown away here already.
    """

    def __init__(self, sock: socket.socket, limit: int) -> None:
        self.sock = sock
        self.limit = limit
        self.left = limit
        self.busy = False
        self._lock = threading.RLock()
        self._name = ""
        self._text: list[str] = []
        self._size = 0
        self._sent = 0.0

    def begin(self) -> None:
        """Start a new cell, and its limit again."""
        self.left = self.limit

    def stream(self, name: str, text: str) -> None:
        """Text on ``stdout`` or ``stderr``."""
        if self.left <= 0:
            return
        with self._lock:
            self.left -= len(text)
            if name != self._name:
                self.flush()
                self._name = name
            self._text.append(text)
            self._size += len(text)
            if self._size > FLUSH_CHARACTERS or time.monotonic() - self._sent > FLUSH_SECONDS:
                self.flush()

    def flush(self) -> None:
        """Send what is held back."""
        with self._lock:
            if self._text:
                text, self._text, self._size = "".join(self._text), [], 0
                self.send("O", {"output_type": "stream", "name": self._name, "text": text})

    def put(self, output: dict[str, Any]) -> None:
        """Any other output."""
        with self._lock:
            self.flush()
            self.send("O", output)

    def send(self, kind: str, payload: bytes | dict[str, Any] = b"") -> None:
        """Send a frame whole, whatever interrupts."""
        with self._lock, self.uninterrupted():
            frames.send(self.sock, kind, payload)
            self._sent = time.monotonic()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """While this is open, an interrupt raises KeyboardInterrupt."""
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """While this is open, it does not."""
        busy, self.busy = self.busy, False
        try:
            yield
        finally:
            self.busy = busy

    def on_interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        """Handle SIGINT."""
        if self.busy:
            raise KeyboardInterrupt


class Stream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of a cell."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str, outputs: Outputs) -> None:
        self.name = name
        self._outputs: Outputs | None = outputs

    def writable(self) -> bool:
        """As a file says it."""
        return True

    def write(self, text: str) -> int:
        """Hand the text to the outputs."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._outputs is not None:
            self._outputs.stream(self.name, text)
        return len(text)

    def flush(self) -> None:
        """Nothing: text is sent in its own time."""

    def fileno(self) -> int:
        """No file stands behind it, as in Jupyter of old."""
        raise io.UnsupportedOperation("fileno")

    def detach_outputs(self) -> None:
        """In a forked child: the socket is the parent's."""
        self._outputs = None


def begin(sock: socket.socket, output_limit: int, seed: int) -> Outputs:
    """Turn a fresh fork into a worker: streams, interrupts, random generators, descriptors."""
    outputs = Outputs(sock, 2 * output_limit)  # the supervisor cuts, and says so; this spares it the rest
    streams = [Stream("stdout", outputs), Stream("stderr", outputs)]
    sys.stdout, sys.stderr = streams

    def in_child() -> None:
        for stream in streams:
            stream.detach_outputs()
        sock.close()

    os.register_at_fork(after_in_child=in_child)
    signal.signal(signal.SIGINT, outputs.on_interrupt)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    return outputs


def close_descriptors(keep: int) -> None:
    """Close all but the worker's socket, and put /dev/null on 0, 1 and 2."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    limit = os.sysconf("SC_OPEN_MAX")
    os.closerange(3, keep)
    os.closerange(keep + 1, min(limit, 2**16))


def message(error: BaseException) -> str:
    """Write the message of an exception, even of one that defends itself, cut to a readable length."""
    try:
        text = str.__str__(str(error))  # `__str__` may give a subclass, with methods of its own
    except BaseException:
        text = ""
    if len(text) > MESSAGE_CHARACTERS:
        text = text[:MESSAGE_CHARACTERS] + " …"
    return text
