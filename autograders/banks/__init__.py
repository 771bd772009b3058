"""Answer banks: for every test cell, answers that must lose its points and answers that must keep them.

A bank tests the tests. ``autograders/banks/NAME.py`` belongs to ``source/NAME/NAME.ipynb`` and holds one
:class:`Question` for each test cell in a tuple named ``QUESTIONS``. ``make release`` grades every answer.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent, indent


@dataclass(frozen=True)
class Question:
    """What students answer to one test cell.

    Attributes
    ----------
    test : str
        The ``grade_id`` of the test cell.
    cell : str
        The ``grade_id`` of the solution cell that the test cell looks at.
    wrong : Mapping[str, str]
        Name of a mistake to the text of the solution cell that makes it. At least three, at least one of
        which passes the public tests; each must lose points in the test cell.
    right : Mapping[str, str]
        Name of a method to the text of the solution cell that uses it. At least two, by methods that differ
        from each other and from the instructor's; each must score full marks in every test cell of its
        solution cell.
    also_loses : Mapping[str, tuple[str, ...]]
        Where several test cells look at one solution cell: name of a mistake to the other test cells that it
        loses; ``"*"`` stands for every mistake not named. All other test cells keep their points.
    """

    test: str
    cell: str
    wrong: Mapping[str, str]
    right: Mapping[str, str]
    also_loses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def loses(self, mistake: str) -> frozenset[str]:
        """Return all test cells in which a mistake loses points."""
        return frozenset((self.test, *self.also_loses.get(mistake, self.also_loses.get("*", ()))))


def cells(bodies: Mapping[str, str]) -> dict[str, str]:
    """Give the texts of whole cells without the indentation they have in the bank."""
    return {name: dedent(body).strip("\n") for name, body in bodies.items()}


def numbers(names: str, answers: Mapping[str, tuple]) -> dict[str, str]:
    r"""Give the texts of cells that assign one value to each name, in order.

    >>> numbers("depth params", {"bias forgotten": (128, 8192)})
    {'bias forgotten': 'depth = 128\nparams = 8192'}
    """
    return {
        label: "\n".join(f"{name} = {value!r}" for name, value in zip(names.split(), values, strict=True))
        for label, values in answers.items()
    }


def functions(head: str, bodies: Mapping[str, str]) -> dict[str, str]:
    r"""Give the texts of cells that define one function, from its ``def`` line and its possible bodies.

    >>> functions("def double(x):", {"by adding": "return x + x"})
    {'by adding': 'def double(x):\n    return x + x'}
    """
    return {name: f"{head}\n{indent(text, '    ')}" for name, text in cells(bodies).items()}


def slip(answer: str, *pieces: str) -> str:
    """Give the text of an answer with pieces of it replaced: old, new, old, new, ...

    >>> slip("return x + y", "+", "-")
    'return x - y'

    Raises
    ------
    ValueError
        If the answer does not have an old piece: the slip would change nothing.
    """
    for old, new in zip(pieces[::2], pieces[1::2], strict=True):
        if old not in answer:
            raise ValueError(f"{old!r} is to become {new!r}, but the answer does not have it:\n{answer}")
        answer = answer.replace(old, new)
    return answer


def slips(answer: str, changes: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Give texts of one answer with a slip each: name -> (old, new, old, new, ...), as in :func:`slip`."""
    return {name: slip(answer, *pieces) for name, pieces in changes.items()}


def choice(cell: str, right: str, wrong: Mapping[str, str]) -> Question:
    """Give the question of a dropdown, from its right option and the misconception behind each other one.

    The cell ``dual-path`` binds ``dual_path``, and ``test-dual-path`` looks at it.
    """
    name, form = cell.replace("-", "_"), '#@param ["선택", "①", "②", "③", "④"]'
    return Question(
        test=f"test-{cell}",
        cell=cell,
        wrong={mistake: f'{name} = "{option}"  {form}' for option, mistake in wrong.items()},
        right={
            "chosen in Colab's form": f'{name} = "{right}"  {form}',
            "typed on a line of its own": f'{name} = "선택"  {form}\n{name} = "{right}"',
        },
    )


def load(assignment: str) -> tuple[Question, ...]:
    """Return the bank of an assignment.

    Raises
    ------
    FileNotFoundError
        If the assignment has no bank.
    """
    module = f"{__name__}.{assignment}"
    if importlib.util.find_spec(module) is None:
        raise FileNotFoundError(
            f"{assignment} has no answer bank: write autograders/banks/{assignment}.py, "
            "as autograders/banks/counting.py shows"
        )
    return importlib.import_module(module).QUESTIONS
