"""What the text of a cell says before anything runs: for the checker and the linter."""

from __future__ import annotations

import ast

CONVENTIONAL = {
    "torch": "torch",
    "torchvision": "torchvision",
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "np": "numpy",
    "numpy": "numpy",
    "math": "math",
}
"""Names that a test means the module by, even where it forgot to import it: never asked of the student."""


def is_probe(node: ast.stmt) -> bool:
    """Whether a statement of a test defines a probe."""
    return isinstance(node, ast.FunctionDef) and node.name.startswith("probe_")


def without_magics(source: str) -> str:
    """Keep the cell's Python: lines of IPython's own are replaced by ``pass``."""
    lines = source.splitlines()
    for i, line in enumerate(lines):
        bare = line.lstrip()
        if bare.startswith(("%", "!")):
            lines[i] = line[: len(line) - len(bare)] + "pass"
    return "\n".join(lines)
