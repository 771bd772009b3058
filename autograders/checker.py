"""Writing tests that the checker can run, and telling which ones it can not.

A test cell runs in a process of the instructor's own (`autograders.inside.checker`). It finds there
what the given cells bind, and asks the student's process for every other name:

- *Plain data* comes as a value: None, bool, int, float, complex, str, bytes, list, tuple, set,
  frozenset, dict, range, slice, tensors and parameters, numpy arrays and scalars, dtypes, sizes,
  devices. A subclass comes as its plain base.
- *Functions, classes and objects* come as references: they can be called, walked, indexed and asked for
  attributes; their results come back by the same rules. An exception comes as the builtin class of its
  name, with its message.
- *Modules* are the checker's own.
- A given cell that needs a student's name stays in the student's process: its modules, functions and
  classes are bound here too, its data is fetched. A given ``answer = None`` (or ``...``, or ``'선택'``)
  leaves the name to the student. Any other name that a given cell or an earlier test binds is the
  instructor's, whatever the student does to it.
- ``torch.manual_seed``, ``numpy.random.seed``, ``random.seed`` and ``torch.no_grad`` reach the
  student's calls too.

What works on the objects themselves (gradients, ``isinstance``, hooks, in-place changes) goes into a
**probe**: a plain function of the test cell whose name starts with ``probe_``. The checker sends its
text to the student's process, where it runs on the real objects; on a stock nbgrader the same text is
an ordinary function::

    def probe_weight_gradient(net, x):
        net(x).sum().backward()
        return net.conv.weight.grad

    net = Net()
    x = torch.ones(1, 1, 4, 4)
    assert probe_weight_gradient(net, x).shape == (8, 1, 3, 3), "가중치의 기울기가 …"

The student's process can read a probe and can change what it returns. So a probe *measures* and the
test *judges*: it returns data of which only the right answer has the right value, never a verdict, and
holds no expected value. It uses its arguments, modules that the instructor imports, and other probes;
not the test's own variables.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

from .inside.names import CONVENTIONAL, is_probe, without_magics

PLAIN_TYPES = frozenset(
    {"bool", "int", "float", "complex", "str", "bytes", "list", "tuple", "dict", "set", "frozenset", "range"}
    | {"Tensor", "Parameter", "Size", "ndarray", "integer", "floating", "number", "generic", "Number", "Real"}
    | {"Integral", "Sequence", "Mapping", "Iterable", "NoneType"}
)
VERDICTS = frozenset({"isinstance", "allclose", "equal", "array_equal", "isclose"})
LOUD = frozenset(
    {"assert_close", "assert_allclose", "assert_equal", "assert_array_equal", "assert_almost_equal"}
)
INTROSPECTION = frozenset({"globals", "locals", "vars", "get_ipython", "In", "Out", "inspect"})


def lint(test_source: str, given: Iterable[str] = ()) -> list[str]:
    """Name what a test does that would not work, or not be safe, across the wall.

    Parameters
    ----------
    test_source : str
        Source of one test cell.
    given : iterable of str
        Sources of the given cells, and of the test cells before this one.

    Returns
    -------
    list of str
        One line for each finding, with the line number in the cell; empty for a good test.
    """
    try:
        tree = ast.parse(without_magics(test_source))
    except SyntaxError as error:
        return [f"line {error.lineno}: {error.msg}"]
    known = set(CONVENTIONAL)
    for source in given:
        known |= _bound(source)
    linter = _Linter(tree, known)
    linter.visit(tree)
    return [f"line {line}: {text}" for line, text in sorted(set(linter.findings))]


def _bound(source: str) -> set[str]:
    try:
        return _assigned(ast.parse(without_magics(source)))
    except SyntaxError:
        return set()


def _assigned(tree: ast.AST) -> set[str]:
    """Names that a tree binds, in any scope."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names


class _Linter(ast.NodeVisitor):
    """Walks a test; `student` holds the names that stand, or may stand, for something of the student's."""

    def __init__(self, tree: ast.Module, known: set[str]) -> None:
        self.findings: list[tuple[int, str]] = []
        own = _assigned(tree)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        self.student = used - own - known - set(dir(builtins))
        self.functions = {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and not is_probe(node)
        }
        self.probes = {node.name for node in tree.body if is_probe(node)}
        self.only_here = own - known - self.probes - _imported(tree)

    def _report(self, node: ast.AST, text: str) -> None:
        self.findings.append((getattr(node, "lineno", 0), text))

    def _is_students(self, node: ast.AST) -> bool:
        """Whether an expression starts at a name of the student's."""
        while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
            node = node.func if isinstance(node, ast.Call) else node.value
        return isinstance(node, ast.Name) and node.id in self.student

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if not is_probe(node):
            self.generic_visit(node)
            return
        own = _assigned(node)
        for part in ast.walk(node):
            if isinstance(part, ast.Assert):
                self._report(part, f"{node.name} asserts: a probe measures, the test judges")
            elif isinstance(part, ast.Return) and _is_verdict(part.value):
                self._report(
                    part, f"{node.name} returns a verdict: return the data, and compare it in the test"
                )
            elif isinstance(part, ast.Name) and part.id in self.only_here - own:
                self._report(part, f"{node.name} uses {part.id}, which the student's process does not have")

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._target(target)
            if self._is_students(node.value):
                self.student |= {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._target(node.target)
        self.generic_visit(node)

    def _target(self, target: ast.expr) -> None:
        if isinstance(target, (ast.Attribute, ast.Subscript)) and self._is_students(target.value):
            self._report(target, "changes the student's object: only a probe can")

    def visit_For(self, node: ast.For) -> None:
        if self._is_students(node.iter):
            self.student |= {part.id for part in ast.walk(node.target) if isinstance(part, ast.Name)}
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
            constant = isinstance(left, ast.Constant) or isinstance(right, ast.Constant)
            if isinstance(operator, (ast.Is, ast.IsNot)) and not constant:
                called = [side for side in (left, right) if _is_type_call(side)]
                if not called and (self._is_students(left) or self._is_students(right)):
                    self._report(node, "`is` between values that crossed is always false: compare values")
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self._is_students(node.value):
            if node.attr.startswith("__") and node.attr != "__name__":
                self._report(node, f"{node.attr} does not cross")
            elif node.attr == "grad":
                self._report(node, "a value that crossed carries no gradient: read it in a probe")
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in INTROSPECTION:
            self._report(node, f"{node.id} shows the checker's own interpreter, not the student's")

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        theirs = [argument for argument in arguments if self._is_students(argument)]
        if isinstance(node.func, ast.Attribute) and self._is_students(node.func.value) and name in VERDICTS:
            self._report(node, f".{name}() lets the student's object judge itself: use torch.{name}()")
        if self._is_students(node.func):
            for argument in arguments:
                function = isinstance(argument, ast.Name) and argument.id in self.functions
                if function or isinstance(argument, ast.Lambda):
                    self._report(node, "a function of the test can not be passed to the student's code")
            if name == "backward":
                self._report(node, "backward() stops at the wall: call it in a probe")
            elif name.endswith("_") and not name.endswith("__"):
                self._report(node, f"{name}() changes a copy: only a probe reaches the student's object")
        if name in ("isinstance", "issubclass") and theirs and not _plain_types(node.args[1:]):
            self._report(node, f"{name}() knows only plain types here: ask in a probe for type names")
        if theirs and ("optim" in ast.unparse(node.func) or "init" in ast.unparse(node.func).split(".")):
            self._report(node, f"{ast.unparse(node.func)}() works on copies: call it in a probe")
        if name in LOUD and not any(keyword.arg in ("msg", "err_msg") for keyword in node.keywords):
            self._report(node, f"{name}() without a message of its own shows the expected values")
        self.generic_visit(node)


def _imported(tree: ast.Module) -> set[str]:
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return set().union(*(_assigned(node) for node in imports))


def _is_verdict(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return name in VERDICTS or (name in ("bool", "all", "any") and any(map(_is_verdict, value.args)))
    return isinstance(value, (ast.Compare, ast.BoolOp))


def _is_type_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"


def _plain_types(arguments: list[ast.expr]) -> bool:
    names = [part for argument in arguments for part in ast.walk(argument)]
    leaves = [part.attr for part in names if isinstance(part, ast.Attribute)]
    modules = {part.value.id for part in names if isinstance(part, ast.Attribute) and _is_name(part.value)}
    leaves += [part.id for part in names if isinstance(part, ast.Name) and part.id not in modules]
    return all(leaf in PLAIN_TYPES | modules for leaf in leaves)


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name)
