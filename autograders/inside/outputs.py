"""The outputs of a cell as the supervisor keeps them: in nbformat's shape, within the limits."""

from __future__ import annotations

import json
from typing import Any

ERROR_CHARACTERS = 20_000
PARSED_BYTES = 8 * 2**20
"""A larger output is not even read: a few bytes of JSON can take fifty times their size in memory."""
NOTEBOOK_OF_CELLS = 8
"""How many times the limit of one cell a whole notebook may keep."""


class Record:
    """Outputs of the cell that runs now.

    Parameters
    ----------
    limit : int
        Bytes of one cell.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.outputs: list[dict[str, Any]] = []
        self.size = 0
        self.total = 0

    def begin(self) -> None:
        """Start a new cell."""
        self.outputs, self.size = [], 0

    def keep(self, payload: bytes, *, streams_only: bool = False) -> None:
        """Keep an output that a process sent, if it is one and there is room."""
        output = _valid(payload) if len(payload) < PARSED_BYTES else _text_output("")
        if output is None or (streams_only and output["output_type"] != "stream"):
            return
        if output["output_type"] == "error":
            self._put_error(output)
        elif not self._full():
            self.size += len(payload)
            self.total += len(payload)
            if self._full():
                output = _text_output(f"\n[출력이 {self.limit:,}바이트를 넘어 나머지를 버렸습니다]\n")
            self._append(output)

    def fail(self, name: str, reason: str) -> None:
        """Put an error that says why the cell was cut short, in place of the one that this caused."""
        line = f"{name}: {reason}"
        self._put_error({"output_type": "error", "ename": name, "evalue": reason, "traceback": [line]})

    def verdict(self) -> list[dict[str, Any]]:
        """Leave out of a test stderr, which would cost a mark, and the traceback, which shows its source."""
        kept = []
        for output in self.outputs:
            if output["output_type"] == "error":
                line = f"{output['ename']}: {output['evalue']}"
                kept.append({**output, "traceback": [line]})
            elif output.get("name") != "stderr":
                kept.append(output)
        return kept

    def _full(self) -> bool:
        return self.size > self.limit or self.total > NOTEBOOK_OF_CELLS * self.limit

    def _put_error(self, output: dict[str, Any]) -> None:
        self.outputs = [kept for kept in self.outputs if kept["output_type"] != "error"]
        self.outputs.append(output)

    def _append(self, output: dict[str, Any]) -> None:
        last = self.outputs[-1] if self.outputs else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            self.outputs.append(output)


def _valid(payload: bytes) -> dict[str, Any] | None:
    """Bring an output into nbformat's shape, or give None: it may come from an enemy."""
    try:
        output = json.loads(payload)
        kind = output["output_type"]
        if kind == "stream":
            name = "stderr" if output["name"] == "stderr" else "stdout"
            return _text_output(_text(output["text"]), name)
        if kind == "error":
            ename, evalue = _text(output["ename"])[:200], _text(output["evalue"])[:ERROR_CHARACTERS]
            text = "\n".join(_text(line) for line in output.get("traceback", []))[:ERROR_CHARACTERS]
            return {"output_type": kind, "ename": ename, "evalue": evalue, "traceback": [text]}
        data = {_text(k): _text(v) for k, v in output["data"].items()}
        shown = {"output_type": kind, "data": data, "metadata": {}}
        if kind == "display_data":
            return shown
        if kind == "execute_result":
            return {**shown, "execution_count": None}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    return None


def _text_output(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def _text(value: Any) -> str:
    """Write a value as text that UTF-8 can hold, which a lone surrogate is not."""
    return str(value).encode(errors="replace").decode()
