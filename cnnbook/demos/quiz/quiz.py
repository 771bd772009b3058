r"""Quiz: a few questions at the end of a page, answered at once and explained option by option.

``jupyterquiz`` was considered. It grades while arrow keys merely pass over the options, ties no question to
its options, announces no verdict, and leaves nothing on a page without scripts.

Texts may hold ```code```, ``x~i~`` for a subscript, ``x^2^`` for a superscript, and ``$…$`` for a formula,
which needs MathJax on the page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import traitlets

from cnnbook.demos.kit import Demo


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{what} must be text that says something; got {value!r}")
    return value.strip()


@dataclass(frozen=True)
class Option:
    """One answer to choose.

    Parameters
    ----------
    text : str
        The answer.
    explanation : str
        Why someone would choose it and what is wrong with it; for the right one, why it is right.
    right : bool
        Whether it is the right one.

    Raises
    ------
    ValueError
        If a text is empty.
    """

    text: str
    explanation: str
    right: bool = False

    def __post_init__(self) -> None:
        _text(self.text, "an option's text")
        _text(self.explanation, f"the explanation of the option {self.text!r}")


@dataclass(frozen=True)
class Question:
    """A question with two to six options, exactly one of them right.

    Parameters
    ----------
    text : str
        The question.
    options : sequence of Option
        In the order they are shown.
    code : str
        Lines of code that the question is about, shown under it.

    Raises
    ------
    ValueError
        If the number of options is not 2 to 6, not exactly one is right, or two read the same.
    TypeError
        If an option is not an `Option`.
    """

    text: str
    options: Sequence[Option]
    code: str = ""

    def __post_init__(self) -> None:
        _text(self.text, "a question's text")
        name = f"the question {self.text[:30]!r}"
        if not all(isinstance(option, Option) for option in self.options):
            raise TypeError(f"the options of {name} must be Option(text, explanation)")
        if not 2 <= len(self.options) <= 6:
            raise ValueError(f"{name} must have 2 to 6 options; it has {len(self.options)}")
        right = sum(option.right for option in self.options)
        if right != 1:
            raise ValueError(f"{name} must have exactly one option with right=True; it has {right}")
        if len({option.text.strip() for option in self.options}) < len(self.options):
            raise ValueError(f"{name} has two options that read the same")

    @property
    def right(self) -> int:
        """Position of the right option, from 0."""
        return next(i for i, option in enumerate(self.options) if option.right)


class Quiz(Demo):
    """An instant quiz: choose, check, read why.

    Answers stay in the reader's browser. In Jupyter `answers` holds them too.

    Parameters
    ----------
    *questions : Question
        Shown in this order.

    Attributes
    ----------
    answers : list of int
        The chosen option of each question, -1 where there is none yet.

    Examples
    --------
    >>> quiz = Quiz(
    ...     Question(
    ...         "3×3 커널에는 가중치가 몇 개 있습니까?",
    ...         [
    ...             Option("3개", "한 줄만 센 값입니다. 커널에는 줄이 셋 있습니다."),
    ...             Option("9개", "세 줄에 셋씩이므로 아홉 개입니다.", right=True),
    ...         ],
    ...     )
    ... )
    >>> quiz.score
    0
    """

    questions = traitlets.List(traitlets.Dict()).tag(sync=True)
    answers = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(self, *questions: Question, **state: Any) -> None:
        if not questions:
            raise ValueError("a quiz needs at least one Question")
        for question in questions:
            if not isinstance(question, Question):
                raise TypeError(f"Quiz takes Question objects; got {type(question).__name__}")
        self._asked = tuple(questions)
        table = [
            {
                "text": q.text.strip(),
                "code": q.code.strip("\n"),
                "right": q.right,
                "options": [
                    {"text": o.text.strip(), "explanation": o.explanation.strip()} for o in q.options
                ],
            }
            for q in questions
        ]
        super().__init__(questions=table, **{"answers": [-1] * len(table), **state})

    @traitlets.validate("answers")
    def _answers(self, proposal: dict[str, Any]) -> list[int]:
        value = proposal["value"]
        if len(value) != len(self._asked) or any(
            not -1 <= a < len(q.options) for a, q in zip(value, self._asked, strict=False)
        ):
            raise traitlets.TraitError(
                f"answers must hold an option or -1 for each of {len(self._asked)} questions"
            )
        return value

    @property
    def right_positions(self) -> list[int]:
        """Position of each question's right option: a course checks that they are balanced."""
        return [question.right for question in self._asked]

    @property
    def score(self) -> int:
        """How many questions are answered right at present."""
        return sum(a == q.right for a, q in zip(self.answers, self._asked, strict=True))

    def static_figure(self) -> str:
        """Return the questions as HTML with the answers folded."""
        items = []
        for question in self._asked:
            options = "".join(f"<li>{_markup(option.text)}</li>" for option in question.options)
            answers = "".join(
                f"<li>{'<strong>' + self.labels['right'] + '</strong> ' if option.right else ''}"
                f"{_markup(option.explanation)}</li>"
                for option in question.options
            )
            code = f"<pre><code>{html.escape(question.code)}</code></pre>" if question.code else ""
            items.append(
                f"<li><p>{_markup(question.text)}</p>{code}<ol>{options}</ol>"
                f"<details><summary>{self.labels['unfold']}</summary><ol>{answers}</ol></details></li>"
            )
        return f"<ol>{''.join(items)}</ol>"


def _markup(text: str) -> str:
    """Turn a quiz text into HTML, as ``markup`` in quiz.js does."""
    parts = re.split(r"(`[^`]+`|\$[^$]+\$)", text)
    for i, part in enumerate(parts):
        safe = html.escape(part, quote=False)
        if part.startswith("`") and len(part) > 1:
            safe = f"<code>{safe[1:-1]}</code>"
        elif not part.startswith("$"):
            safe = re.sub(r"~([^~\s]+)~", r"<sub>\1</sub>", safe)
            safe = re.sub(r"\^([^^\s]+)\^", r"<sup>\1</sup>", safe)
        parts[i] = safe
    return "".join(parts)
