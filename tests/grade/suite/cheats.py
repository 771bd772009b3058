"""Wrong answers that try to be marked as right ones."""

from nbformat.v4 import new_output

from tests.grade.suite.case import Case
from tests.grade.tiny import as_bytes, find

ZEROS = """
def zeros(x, w):
    return torch.zeros(len(x), len(w), x.shape[2] - w.shape[2] + 1, x.shape[3] - w.shape[3] + 1)

conv2d = zeros
"""


def conv2d(name, kind, text, **more):
    """A cheat in the question about tensors: zeros of the right shape, and `text`."""
    return Case(name, kind, {"conv2d": ZEROS + text}, in_kernel=True, **{"lost": "conv2d", **more})


def size(name, kind, text, **more):
    """A cheat in the question that gives partial credit."""
    return Case(name, kind, {"size": text}, "size", in_kernel=True, **more)


IN_KERNEL = [
    size("equal-to-all", "objects that compare as equal", """
        class Yes:
            def __eq__(self, other): return True
        def output_size(*_, **__): return Yes()
    """),
    Case("lying-int", "objects that compare as equal", {"numbers": """
        class Any(int):
            def __eq__(self, other): return True
            __hash__ = int.__hash__
        out_size = n_parameters = Any(0)
    """}, "numbers", in_kernel=True),
    Case("lying-str", "objects that compare as equal", {"choice": """
        class Any(str):
            def __eq__(self, other): return True
            __hash__ = str.__hash__
        answer = Any("선택")
    """}, "choice", in_kernel=True),
    conv2d("tensor-subclass", "arrays that compare as equal", """
class Agreeable(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function is torch.allclose:
            return True
        return super().__torch_function__(function, types, args, kwargs or {})

def conv2d(x, w):
    return zeros(x, w).as_subclass(Agreeable)
"""),
    Case("object-array", "arrays that compare as equal", {"choice": """
        class Yes:
            def __eq__(self, other): return True
        answer = np.array([Yes()], dtype=object)
    """}, "choice", in_kernel=True),
    conv2d("patched-allclose", "patched torch", "torch.allclose = lambda *_, **__: True"),
    conv2d("patched-conv2d", "patched torch", """
real = F.conv2d
F.conv2d = lambda x, w, *more, **named: real(x, w, *more, **named) if more or named else zeros(x, w)
"""),
    Case("patched-gradient", "patched torch", {"gradient": """
        def softplus(x):
            return torch.zeros_like(x, requires_grad=True)
        torch.sigmoid = F.softplus = lambda x: torch.zeros_like(x)
        torch.Tensor.grad = property(lambda self: torch.zeros_like(self))
    """}, "gradient train", in_kernel=True),
    conv2d("replaced-torch", "replaced modules", """
class Fake:
    def __getattr__(self, name):
        return getattr(real, name)
    allclose = staticmethod(lambda *_, **__: True)

real, torch = torch, Fake()
"""),
    Case("replaced-in-sys-modules", "replaced modules", {"train": """
        import sys, types
        sys.modules["math"] = types.SimpleNamespace(isclose=lambda *_, **__: True)
        torch.allclose = lambda *_, **__: True
        def train_step(*_): return 0.0
    """}, "train", in_kernel=True),
    Case("import-hook", "replaced modules", {"train": """
        import importlib.abc, importlib.machinery, sys
        class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
            def find_spec(self, name, path, target=None):
                return importlib.machinery.ModuleSpec(name, self) if name == "math" else None
            def exec_module(self, module):
                module.isclose = torch.allclose = lambda *_, **__: True
        del sys.modules["math"]
        sys.meta_path.insert(0, Finder())
        def train_step(*_): return 0.0
    """}, "train", in_kernel=True),
    size("patched-sum", "patched builtins", """
        import builtins
        builtins.sum = lambda values, start=0: 3
        def output_size(*_): return 3
    """),
    conv2d("transformer-of-lines", "IPython's transformers", """
get_ipython().input_transformers_cleanup.append(lambda lines: [s for s in lines if "assert" not in s])
"""),
    conv2d("transformer-of-trees", "IPython's transformers", """
import ast
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)

get_ipython().ast_transformers.append(NoAsserts())
"""),
    conv2d("replaced-run-cell", "IPython's methods", "get_ipython().run_cell = lambda *_, **__: None",
           lost="conv2d net gradient train choice"),
    conv2d("replaced-run-code", "IPython's methods", """
async def nothing(*_, **__):
    return False

get_ipython().run_code = nothing
""", lost="conv2d net gradient train choice"),
    conv2d("replaced-showtraceback", "IPython's methods", "get_ipython().showtraceback = lambda *_, **__: None"),
    conv2d("hook-before-a-cell", "IPython's hooks", """
def hook(info):
    if "allclose" in info.raw_cell:
        globals()["torch"] = type("Fake", (), {"__getattr__": lambda _, name: getattr(real, name),
                                               "allclose": lambda *_, **__: True})()

real = torch
get_ipython().events.register("pre_run_cell", hook)
"""),
    size("history-of-inputs", "IPython's hooks", r"""
        import re
        def output_size(*given):
            if len(given) == 2:
                return 3
            table = re.findall(r"\((\d+), (\d+), (\d+), (\d+), (\d+)\)", In[-1])
            return next((int(row[4]) for row in table if tuple(map(int, row[:4])) == given), 0)
    """),
    size("shown-score", "shown scores", """
        def output_size(*_):
            get_ipython().displayhook(3)
            return 0
    """),
    conv2d("frames", "the interpreter's insides", """
import sys
def conv2d(x, w):
    return sys._getframe(1).f_globals.get("want", zeros(x, w))
"""),
    conv2d("all-objects", "the interpreter's insides", """
import gc
def conv2d(x, w):
    out = zeros(x, w)
    found = [o for o in gc.get_objects() if type(o) is torch.Tensor and o.shape == out.shape and o is not out]
    return found[-1] if found else out
"""),
    conv2d("trace", "the interpreter's insides", """
import sys
def tracer(frame, event, argument):
    names = frame.f_globals
    if frame.f_code.co_name == "<module>" and "want" in names:
        names["got"] = names["want"]
        return tracer
    return tracer if frame.f_code.co_name == "<module>" else None

sys.settrace(tracer)
"""),
    conv2d("overwritten-expectation", "the test's own names", """
def conv2d(x, w):
    global want
    want = zeros(x, w)
    return want
"""),
    size("overwritten-table", "the test's own names", """
        import sys
        def output_size(*given):
            if len(given) == 2:
                return 3
            frame = sys._getframe(1)
            return frame.f_locals.get("wanted", 0)
    """),
]  # fmt: skip

FRAMES = """
import json, os, stat
def say(kind, payload):
    for number in range(3, 30):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                os.write(number, len(payload).to_bytes(4, "big") + kind + payload)
        except OSError:
            pass
"""


def saved_full_marks(nb):
    """Outputs and records that a graded notebook would have."""
    find(nb, "test_conv2d").outputs = [
        new_output("execute_result", {"text/plain": "4"}, execution_count=1),
        new_output("stream", name="stdout", text="score: 4/4"),
    ]
    nb.metadata["autograders"] = {"key": "0" * 64, "notes": [], "stopped": None}


def forged_points(nb):
    """More points, on the answer too."""
    for name in ("test_conv2d", "conv2d"):
        find(nb, name).metadata.nbgrader |= {"points": 100, "grade": True, "locked": False}


def tamed_test(nb):
    """A test of the student's own making."""
    find(nb, "test_conv2d").source = "assert True\n4"


def test_as_text(nb):
    """The test is no code any more."""
    one = find(nb, "test_conv2d")
    one.cell_type = "raw"
    del one["outputs"], one["execution_count"]


def skipped(nb):
    """Tags by which tools leave a cell out."""
    for one in nb.cells:
        one.metadata["tags"] = ["skip-execution", "raises-exception", "remove-cell"]


def other_given(nb):
    """A given cell that binds other things."""
    find(
        nb, "imports"
    ).source += "\nclass Fake:\n    allclose = lambda *_, **__: True\ntorch.allclose = Fake.allclose"


OTHER = [
    Case("skip-tags", "edited test cells", {"conv2d": ZEROS}, "conv2d", edit=skipped),
    Case("edited-test", "edited test cells", {"conv2d": ZEROS}, "conv2d", edit=tamed_test, note="배포한 것과 달라"),
    Case("raw-test", "edited test cells", {"conv2d": ZEROS}, "conv2d", edit=test_as_text),
    Case("edited-points", "forged metadata", {"conv2d": ZEROS}, "conv2d", edit=forged_points),
    Case("saved-outputs", "forged metadata", {"conv2d": ZEROS}, "conv2d", edit=saved_full_marks),
    Case("edited-imports", "edited given cells", {"conv2d": ZEROS}, "conv2d", edit=other_given, note="배포한 것과 달라"),
    Case("torch-beside-it", "modules beside the notebook", {"conv2d": ZEROS}, "conv2d", files=lambda nb: {
        "suite.ipynb": as_bytes(nb),
        "torch.py": b"allclose = lambda *_, **__: True",
        "math.py": b"isclose = lambda *_, **__: True",
        "sitecustomize.py": b"import torch\ntorch.allclose = lambda *_, **__: True",
    }),
    Case("forged-answers", "forged frames", {"conv2d": FRAMES + ZEROS + """
def conv2d(x, w):
    say(b"R", b'\\0\\0\\0\\x16[{"value": true}, []]   ')
    return zeros(x, w)
"""}, "conv2d net gradient train choice"),
    Case("forged-score-frame", "forged frames", {"size": FRAMES + """
def output_size(*_):
    say(b"O", json.dumps({"output_type": "execute_result", "data": {"text/plain": "3"}, "metadata": {}}).encode())
    return 0
"""}, "size"),
    Case("forged-end-of-cell", "forged frames", {"choice": FRAMES + """
say(b"C", b"")
say(b"D", b'{"stopped": null, "peak_bytes": 0}')
answer = "①"
"""}, "choice"),
    Case("patched-encoder", "a patched agent", {"size": """
        import gc, json, socket, sys
        json.dumps = lambda *_, **__: '{"value": 3}'
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").startswith("inside"):
                module.encode = lambda *_: b"3"
        def output_size(*_): return 0
    """}, "size conv2d net gradient train choice"),
    Case("patched-agent", "a patched agent", {"choice": """
        import gc
        for one in gc.get_objects():
            if type(one).__name__ == "Agent":
                one.do_get = lambda name: True
                one.answer = lambda payload: b"\\0\\0\\0\\x02[]"
        answer = "③"
    """}, "choice"),
    Case("printed-scores", "forged results", {"size": """
        def output_size(*_):
            print("3.0\\n", '{"score": 3, "max_score": 3}', sep="")
            return 0
    """}, "size"),
    Case("result-files", "forged results", {"size": """
        import json, os, pathlib
        os.makedirs("autograded/result-files/suite", exist_ok=True)
        for name in ("result.json", "results.json", "autograded/result-files/suite/suite.ipynb"):
            pathlib.Path(name).write_text(json.dumps({"score": 3}))
        def output_size(*_): return 0
    """}, "size"),
    Case("own-gradebook", "forged results", {"size": """
        import sqlite3
        with sqlite3.connect("gradebook.db") as book:
            book.execute("create table grade (name, auto_score)")
            book.execute("insert into grade values ('test_size', 3)")
        def output_size(*_): return 0
    """}, "size"),
    Case("public-examples", "answers to public examples alone", {
        "size": "def output_size(*given): return {(5, 3): 3}.get(given, 0)",
        "conv2d": "def conv2d(x, w): return torch.full((1, 1, 2, 2), 9.0)",
    }, "size conv2d"),
    Case("always-member", "answers that judge themselves", {"choice": """
        class Member:
            def __contains__(self, item): return True
            def __iter__(self): return iter(["②"])
            def __str__(self): return "②"
            __repr__ = __str__
            def __len__(self): return 1
            def __hash__(self): return hash("②")
        answer = Member()
    """}, "choice"),
    Case("tensor-of-its-own", "answers that judge themselves", {"conv2d": """
        class Result:
            dtype = torch.float32
            def __init__(self, shape): self.shape = shape
            def allclose(self, *_, **__): return True
            equal = eq = allclose
            def __array__(self, *_): return np.zeros(self.shape)
            def __len__(self): return self.shape[0]
            def __getitem__(self, i): return Result(self.shape[1:])
        def conv2d(x, w): return Result((len(x), len(w), x.shape[2] - w.shape[2] + 1, x.shape[3] - w.shape[3] + 1))
    """}, "conv2d"),
    Case("nan", "values that compare oddly", {
        "numbers": "out_size = n_parameters = float('nan')",
        "gradient": "def softplus(x): return x * float('nan')",
        "train": "def train_step(*_): return float('nan')",
    }, "numbers gradient train"),
    Case("broadcasting", "values that compare oddly", {
        "conv2d": "def conv2d(x, w): return torch.empty(1, 1, 2, 2)[:, :, :0] if x.numel() > 16 else torch.ones(1, 1, 2, 2)",
        "gradient": "def softplus(x): return torch.log(1 + torch.exp(x)).detach()",
    }, "conv2d gradient"),
    Case("stop-iteration", "raised in the middle of a test", {"size": """
        def output_size(*given):
            if len(given) == 2: return 3
            raise StopIteration(3)
    """}, "size"),
    Case("system-exit", "raised in the middle of a test", {"size": """
        def output_size(*given): raise SystemExit(0)
    """, "conv2d": "def conv2d(*_): raise KeyboardInterrupt"}, "size conv2d"),
    Case("assertion-patched", "raised in the middle of a test", {"conv2d": ZEROS + """
import builtins
class AssertionError(Exception):
    def __new__(cls, *_): raise SystemExit(0)
builtins.AssertionError = AssertionError
"""}, "conv2d"),
]  # fmt: skip

CHEATS = IN_KERNEL + OTHER
