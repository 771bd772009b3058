"""The student's process: an IPython shell that runs cells, and an agent that answers the checker.

Nothing here is safe from the student, who owns this interpreter. So nothing here knows a test or a score, and
whatever leaves this process is data that a stranger may have written.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import subprocess
import sys
import warnings
from typing import Any

import torch
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from . import codec, frames, shared, worker
from .colab import STAND_IN, Nothing, WithoutColab


class _Publisher(DisplayPublisher):
    """``display(...)`` and figures."""

    def publish(self, data: dict[str, Any], metadata: dict[str, Any] | None = None, **options: Any) -> None:
        """Send a new display; an update of an old one would only repeat it."""
        if not options.get("update"):
            self.shell.put({"output_type": "display_data", "data": data, "metadata": metadata or {}})

    def clear_output(self, wait: bool = False) -> None:
        """Keep what is there."""


class _Hook(DisplayHook):
    """The value of a cell's last expression."""

    def write_output_prompt(self) -> None:
        """No prompt."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Send the value."""
        output = {"output_type": "execute_result", "execution_count": self.prompt_count}
        self.shell.put({**output, "data": format_dict, "metadata": md_dict or {}})

    def finish_displayhook(self) -> None:
        """No newline."""


class Shell(InteractiveShell):
    """IPython as a notebook kernel shows it, without a kernel."""

    outputs: worker.Outputs | None = None

    def put(self, output: dict[str, Any]) -> None:
        """Send an output, with binary data as base64."""
        if self.outputs is None:
            return
        for key in ("data", "metadata"):
            if key in output:
                output[key] = json.loads(json.dumps(output[key], default=_text))
        self.outputs.put(output)

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        text = worker.message(evalue)
        self.put({"output_type": "error", "ename": etype.__name__, "evalue": text, "traceback": list(stb)})

    def _tee(self, channel: str) -> contextlib.AbstractContextManager[None]:
        """Keep no second copy of the output in the history, where a flood would stay."""
        return contextlib.nullcontext()

    def system(self, cmd: str) -> None:
        """``!cmd``: run it, show what it wrote, never raise for its exit status."""
        done = subprocess.run(
            self.var_expand(cmd, depth=1),
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        print(done.stdout.decode(errors="replace"), end="")
        self.user_ns["_exit_code"] = done.returncode

    system_piped = system_raw = system

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no screen."""

    def ask_exit(self) -> None:
        """``exit`` does not end a notebook."""


def _text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def make_shell() -> Shell:
    """Make the shell, once in the fork server, for every fork."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    shell = Shell.instance(config=config, displayhook_class=_Hook, display_pub_class=_Publisher)
    shell.run_line_magic("matplotlib", "inline")
    shell.ast_transformers.append(WithoutColab())
    shell.user_ns[STAND_IN] = Nothing()
    warnings.filterwarnings("ignore", message="To exit: use")
    return shell


class Agent:
    """Answers the checker's requests with the student's objects."""

    def __init__(self, shell: Shell, generation: int) -> None:
        self.shell = shell
        self.generation = generation
        self.objects: list[Any] = []
        self.numbers: dict[int, int] = {}
        self.sources: dict[str, str] = {}
        self.probes: dict[str, Any] = shared.Fallback(lambda name: shell.user_ns[name])

    def answer(self, payload: bytes) -> bytes:
        """Do what is asked; the answer is ``value`` or ``error``."""
        try:
            request = codec.decode(
                payload, {"ref": self._object, "named": shared.find, "module": shared.module}
            )
            shared.sow(request["seeds"])
            with torch.set_grad_enabled(request["grad"]):
                value = getattr(self, "do_" + request["op"])(*request["args"])
            return codec.encode({"value": value}, self._reference)
        except BaseException as error:  # a student's SystemExit and KeyboardInterrupt too
            names = [kind.__name__ for kind in type(error).__mro__]
            return codec.encode({"error": [names, worker.message(error)]}, self._reference)

    def _object(self, reference: list[Any]) -> Any:
        generation, number = reference[:2]
        if generation != self.generation:
            raise LookupError("학생 코드의 프로세스가 다시 시작되어 앞서 받은 값은 쓸 수 없습니다")
        return self.objects[number]

    def _reference(self, value: Any) -> dict[str, Any]:
        number = self.numbers.get(id(value))
        if number is None:
            number = self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)  # kept alive, so that no other object gets its id
        return {"ref": [self.generation, number, type(value).__name__[:80], callable(value)]}

    def do_get(self, name: str) -> Any:
        """Look up a global of the student's."""
        try:
            return self.shell.user_ns[name]
        except KeyError:
            raise NameError(name) from None

    def do_call(self, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call it."""
        return function(*args, **kwargs)

    def do_attribute(self, value: Any, name: str) -> Any:
        """Get an attribute."""
        return getattr(value, name)

    def do_item(self, value: Any, key: Any) -> Any:
        """Get an item."""
        return value[key]

    def do_length(self, value: Any) -> int:
        """Measure its length."""
        return len(value)

    def do_truth(self, value: Any) -> bool:
        """Ask whether it is true."""
        return bool(value)

    def do_iterate(self, value: Any) -> Any:
        """Make an iterator."""
        return iter(value)

    def do_next(self, iterator: Any) -> list[Any]:
        """Take the next item in a list, or an empty list at the end."""
        for item in iterator:
            return [item]
        return []

    def do_text(self, value: Any) -> str:
        """Write it as ``str`` does."""
        return str(value)

    def do_probe(self, name: str, source: str, imports: list[str], args: list[Any], kwargs: Any) -> Any:
        """Define a probe of the test's, if it is new, and call it."""
        if self.sources.get(name) != source:
            for statement in imports:
                with contextlib.suppress(ImportError):
                    exec(compile(statement, "<import>", "exec"), self.probes)
            exec(compile(source, "<probe>", "exec"), self.probes)
            self.sources[name] = source
        return self.probes[name](*args, **kwargs)


def main(sock: socket.socket, limits: dict[str, Any], seed: int, generation: int, shell: Shell) -> None:
    """Run cells and answer requests until the supervisor closes the socket."""
    outputs = worker.begin(sock, int(limits["output_bytes"]), seed)
    shell.outputs = outputs
    sys.path.insert(0, "")  # modules that lie beside the notebook
    agent = Agent(shell, generation)
    while True:
        kind, payload = frames.receive(sock)
        outputs.begin()
        try:
            with outputs.interruptible():
                if kind == "C":
                    shell.run_cell(json.loads(payload)["source"], store_history=True)
                else:
                    answer = agent.answer(payload)
        except KeyboardInterrupt:
            answer = agent.answer(b"")  # an interrupt between two steps: answer something
        outputs.flush()
        outputs.send(*(("C", b"") if kind == "C" else ("R", answer)))
