"""Frames on a stream socket: four bytes of length, one byte of kind, then the payload.

Kinds: ``J`` the environment of a job, ``N`` its cells, ``D`` it is done; ``P`` the process id of a jail,
``S`` it stands, ``E`` it could not be built; ``C`` run a cell, or a cell has run; ``O`` one output;
``Q`` a request of the checker, ``R`` the answer.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

HEAD = struct.Struct(">IB")
LENGTH = struct.Struct(">I")

FRAME_BYTES = 64 * 2**20
"""The largest frame accepted from a process that runs a student's code."""


class FrameError(Exception):
    """The peer sent something that is no frame, or one that is too large."""


def send(sock: socket.socket, kind: str, payload: bytes | dict[str, Any] = b"") -> None:
    """Send one frame; a dict is sent as JSON.

    Raises
    ------
    OSError
        If the peer is gone (or, on a socket with a timeout, does not read).
    FrameError
        If the payload does not fit into a frame.
    """
    sock.sendall(frame(kind, payload))


def frame(kind: str, payload: bytes | dict[str, Any] = b"") -> bytes:
    """Write one frame; a dict is written as JSON.

    Raises
    ------
    FrameError
        If the payload does not fit into a frame.
    """
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    if len(data) > 2**32 - 1:
        raise FrameError("frame too large to send")
    return HEAD.pack(len(data), ord(kind)) + data


def loads(payload: bytes) -> Any:
    """Read a JSON payload."""
    return json.loads(payload)


def receive(sock: socket.socket, limit: int = 2**32 - 1) -> tuple[str, bytes]:
    """Wait for one frame from a peer that is trusted not to stall.

    Raises
    ------
    EOFError
        If the peer closed the socket.
    FrameError
        If the frame is larger than `limit`.
    """
    length, kind = HEAD.unpack(_exactly(sock, HEAD.size))
    if length > limit:
        raise FrameError(f"a frame of {length} bytes")
    return chr(kind), _exactly(sock, length)


def _exactly(sock: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        try:
            chunk = sock.recv(min(count - len(data), 2**20))
        except ConnectionError as error:
            raise EOFError from error
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)


class Inbox:
    """Frames from a peer that is not trusted: never blocks, never holds more than one large frame."""

    def __init__(self, sock: socket.socket, limit: int = FRAME_BYTES) -> None:
        self.sock = sock
        self.limit = limit
        self._data = bytearray()

    def pull(self) -> None:
        """Read what is there (call when the socket is readable).

        Raises
        ------
        EOFError
            If the peer is gone.
        """
        try:
            chunk = self.sock.recv(2**18, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError as error:
            raise EOFError from error
        if not chunk:
            raise EOFError
        self._data += chunk

    def next(self) -> tuple[str, bytes] | None:
        """Take the next whole frame, or None.

        Raises
        ------
        FrameError
            If it is larger than the limit.
        """
        if len(self._data) < HEAD.size:
            return None
        length, kind = HEAD.unpack_from(self._data)
        if length > self.limit:
            raise FrameError(f"a frame of {length} bytes")
        if len(self._data) < HEAD.size + length:
            return None
        payload = bytes(self._data[HEAD.size : HEAD.size + length])
        del self._data[: HEAD.size + length]
        return chr(kind), payload


def pack(value: Any, buffers: list[bytes]) -> bytes:
    """JSON followed by binary buffers, in one payload."""
    head = json.dumps([value, [len(buffer) for buffer in buffers]]).encode()
    return b"".join([LENGTH.pack(len(head)), head, *buffers])


def unpack(payload: bytes) -> tuple[Any, list[memoryview]]:
    """Undo :func:`pack`; the buffers are views, not copies.

    Raises
    ------
    ValueError
        If the payload is malformed.
    """
    if len(payload) < LENGTH.size:
        raise ValueError("payload too short")
    (size,) = LENGTH.unpack_from(payload)
    start = LENGTH.size + size
    value, lengths = json.loads(payload[LENGTH.size : start])
    view = memoryview(payload)
    buffers = []
    for length in lengths:
        if type(length) is not int or length < 0 or start + length > len(payload):
            raise ValueError("a buffer that is not there")
        buffers.append(view[start : start + length])
        start += length
    return value, buffers
