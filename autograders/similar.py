"""Answers that share more than chance: fingerprints of programs, as MOSS takes them.

Saul Schleimer, Daniel S. Wilkerson and Alex Aiken, "Winnowing: Local Algorithms for Document Fingerprinting",
SIGMOD 2003. A pair is a reason to look, never a proof.
"""

from __future__ import annotations

import io
import itertools
import keyword
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

GRAM = 12
"""Tokens of one fingerprint: shorter pieces of code are alike by chance."""
WINDOW = 4
"""One fingerprint is kept of so many in a row."""
LEAST = 8
"""Fingerprints that a pair must share."""
COMMON = 0.1
"""A fingerprint in more than this share of a class (and in more than five) is how one writes it."""
_SILENT = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)


@dataclass(frozen=True)
class Pair:
    """Two submissions that share code.

    Attributes
    ----------
    share : float
        Shared fingerprints, of those that either has (Jaccard's index).
    shared : int
        How many.
    """

    one: str
    other: str
    share: float
    shared: int


def tokens(code: str) -> list[str]:
    """Split a program into tokens; names lose theirs, layout and comments do not count.

    >>> tokens("total = 2 * total  # twice") == tokens("x=2*x")
    True
    """
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                found.append("name")
            elif token.type not in _SILENT:
                found.append(token.string.strip() or tokenize.tok_name[token.type])
    except (tokenize.TokenError, SyntaxError):  # what came before it counts
        pass
    return found


def fingerprints(code: str) -> frozenset[int]:
    """Return the fingerprints of a program: of each window of hashed token runs the least one."""
    words = tokens(code)
    hashes = [hash(tuple(words[i : i + GRAM])) for i in range(len(words) - GRAM + 1)]
    windows = max(1, len(hashes) - WINDOW + 1) if hashes else 0
    return frozenset(min(hashes[i : i + WINDOW]) for i in range(windows))


def pairs(answers: Mapping[str, str], given: str = "", least: float = 0.5) -> list[Pair]:
    """Find the pairs that share much, the closest first.

    Parameters
    ----------
    answers : mapping of str to str
        Each student's code.
    given : str
        Code that everybody got; what it holds counts for nobody.
    least : float
        The least share to tell of.
    """
    ignored = fingerprints(given)
    prints = {student: fingerprints(code) - ignored for student, code in answers.items()}
    owners: defaultdict[int, list[str]] = defaultdict(list)
    for student in sorted(prints):
        for fingerprint in prints[student]:
            owners[fingerprint].append(student)
    most = max(5, COMMON * len(answers))
    rare = {fingerprint: names for fingerprint, names in owners.items() if len(names) <= most}
    sizes = Counter(itertools.chain.from_iterable(rare.values()))
    shared = Counter(
        pair for names in rare.values() for pair in itertools.combinations(names, 2)
    )  # only of pairs that share something
    return sorted(_alike(shared, sizes, least), key=lambda pair: (-pair.share, pair.one, pair.other))


def _alike(shared: Counter[tuple[str, str]], sizes: Counter[str], least: float) -> Iterator[Pair]:
    for (one, other), count in shared.items():
        share = count / (sizes[one] + sizes[other] - count)
        if count >= LEAST and share >= least:
            yield Pair(one, other, share, count)
