"""Tests run in a process of their own: honest answers keep their marks there, and cheats gain none."""

import ast
import contextlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograders.checker import lint
from autograders.inside import codec, frames

IMPORTS = """given:
    import math
    import numpy as np
    import torch
    import torch.nn.functional as F
    from torch import nn
"""
NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.head = nn.Linear(8, 3)
    def forward(self, x):
        return self.head(F.relu(self.conv(x)).flatten(1))
"""


def verdict(notebook, *cells, **options):
    """The error of the last cell, a test; empty if it passed."""
    ran = notebook(IMPORTS, *cells, **options)
    return ran.error(len(cells))


class TestPlainData:
    @pytest.mark.parametrize(
        "value",
        [
            "None", "True", "2**100", "-0.0", "1 + 2j", "'한글\\ud800'", "b'\\x00\\xff'", "float('inf')",
            "[1, [2.5, 'a']]", "(1, (2,))", "{1, 2}", "frozenset({'a'})", "{'a': [1], 2: (3,)}",
            "range(1, 9, 2)", "slice(None, 3)", "...", "torch.float16", "torch.Size([2, 3])",
            "torch.device('cpu')", "np.float64(0.5)", "np.int8(-3)",
        ],
    )  # fmt: skip
    def test_arrives_as_it_was(self, notebook, value):
        check = f"test: want = {value}\nassert type(got) is type(want) and repr(got) == repr(want), repr(got)"
        assert verdict(notebook, f"import numpy as np, torch\ngot = {value}", check) == ""

    def test_tensors_keep_dtype_shape_and_flags(self, notebook):
        make = """
            kinds = (torch.float32, torch.bfloat16, torch.int64, torch.bool)
            got = [torch.arange(6).reshape(2, 3).t().to(kind) for kind in kinds]
            got += [torch.empty(0, 3), torch.tensor(2.0), torch.tensor([1 + 2j]).conj()]
            got += [torch.ones(2, requires_grad=True) * 2]
            parameter = nn.Parameter(torch.ones(2))
            array = np.array([[1, 2]], dtype=">i2")
        """
        check = """test:
            kinds = (torch.float32, torch.bfloat16, torch.int64, torch.bool)
            want = [torch.arange(6).reshape(2, 3).t().to(kind) for kind in kinds]
            want += [torch.empty(0, 3), torch.tensor(2.0), torch.tensor([1 - 2j]), torch.full((2,), 2.0)]
            for a, b in zip(got, want, strict=True):
                assert a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
            assert got[-1].requires_grad and not got[0].requires_grad
            assert type(parameter) is nn.Parameter and parameter.requires_grad
            assert array.dtype == np.dtype(">i2") and array.tolist() == [[1, 2]]
        """
        assert verdict(notebook, make, check) == ""

    def test_subclasses_come_as_their_plain_base(self, notebook):
        make = """
            from collections import OrderedDict, namedtuple
            class Lying(int):
                def __eq__(self, other): return True
                __hash__ = int.__hash__
            class LyingTensor(torch.Tensor):
                @classmethod
                def __torch_function__(cls, function, types, args=(), kwargs=None): return True
            lying = torch.ones(2).as_subclass(LyingTensor)
            got = [OrderedDict(a=1), namedtuple("P", "x y")(1, 2), Lying(3), lying]
        """
        check = "test: assert [type(v) for v in got] == [dict, tuple, int, torch.Tensor]\nassert got[2] != 4"
        assert verdict(notebook, make, check) == ""

    @pytest.mark.parametrize(
        ("make", "word"),
        [
            ("got = []\ngot.append(got)", "깊"),
            ("got = [[]] * 1_100_000", "큽"),
            ("got = torch.ones(2**25)", "큽"),
        ],
        ids=["a cycle", "too many", "too large"],
    )
    def test_what_is_too_large_fails_its_test_with_a_clear_word(self, notebook, make, word):
        ran = notebook(IMPORTS, make, "test: assert got", "f = len", "test: assert f('ab') == 2")
        assert word in ran.error(2)
        assert ran.passed(4)


class TestReferences:
    def test_functions_classes_and_objects_can_be_used(self, notebook):
        make = (
            NET
            + """
class Box:
    size = 3
    def __getitem__(self, i): return i * 2
    def __len__(self): return 5
"""
        )
        check = """test:
            net = Net()
            assert net is net and net == net and net != Net()
            assert net(torch.ones(2, 1, 4, 4)).shape == (2, 3)
            assert sum(p.numel() for p in net.parameters()) == 2 * 9 + 2 + 8 * 3 + 3
            assert net.conv.kernel_size == (3, 3)
            assert dict(net.named_parameters())["conv.weight"].shape == (2, 1, 3, 3)
            assert set(net.state_dict()) == {"conv.weight", "conv.bias", "head.weight", "head.bias"}
            assert "Conv2d" in str(net) and net.training and not net.eval().training
            box = Box()
            assert (box.size, box[4], len(box), bool(box)) == (3, 8, 5, True)
        """
        assert verdict(notebook, make, check) == ""

    def test_membership_is_compared_here(self, notebook):
        make = """
            class Agreeable:
                def __contains__(self, item): return True
                def __iter__(self): return iter([1])
            bag = Agreeable()
        """
        assert verdict(notebook, make, "test: assert 1 in bag and 2 not in bag") == ""

    def test_generators_are_walked_step_by_step(self, notebook):
        make = """
            def count():
                n = 0
                while True:
                    yield n
                    n += 1
        """
        check = """test:
            import itertools
            assert list(itertools.islice(count(), 3)) == [0, 1, 2]
            assert next(count()) == 0
        """
        assert verdict(notebook, make, check) == ""

    def test_classes_and_functions_of_libraries_can_be_passed(self, notebook):
        make = "def block(act, fn):\n    return type(act()).__name__, fn(torch.tensor(-1.0)).item()"
        assert verdict(notebook, make, "test: assert block(nn.ReLU, torch.abs) == ('ReLU', 1.0)") == ""

    def test_functions_of_the_test_can_not_and_the_error_says_what_to_do(self, notebook):
        assert "probe_" in verdict(notebook, "def f(g): return g(1)", "test: assert f(lambda x: x) == 1")

    @pytest.mark.parametrize(
        ("raised", "caught"),
        [
            ("ValueError('no')", "ValueError"),
            ("KeyError('no')", "KeyError"),
            ("type('Mine', (IndexError,), {})('no')", "IndexError"),
            ("torch.cuda.OutOfMemoryError('no')", "RuntimeError"),
        ],
    )
    def test_exceptions_come_as_the_builtin_class(self, notebook, raised, caught):
        check = (
            f"test: try:\n    f()\nexcept {caught} as e:\n    assert 'no' in str(e)\nelse:\n    assert False"
        )
        assert verdict(notebook, f"def f(): raise {raised}", check) == ""

    @pytest.mark.parametrize(
        "raised", ["type('Mine', (Exception,), {})('no')", "SystemExit('no')", "KeyboardInterrupt('no')"]
    )
    def test_others_fail_the_test_and_no_more(self, notebook, raised):
        ran = notebook(f"def f(): raise {raised}", "test: f()", "test: assert True")
        assert ran.error(1).startswith("StudentError: ")
        assert ran.passed(2)

    def test_seeds_and_no_grad_reach_the_student(self, notebook):
        make = (
            NET + "import random\ndef draw(): return torch.rand(1).item(), np.random.rand(), random.random()"
        )
        check = """test:
            import random
            def seeded(seed):
                torch.manual_seed(seed); np.random.seed(seed); random.seed(seed)
                return draw()
            assert seeded(1) == seeded(1) != seeded(2)
            with torch.no_grad():
                assert not Net()(torch.ones(1, 1, 4, 4)).requires_grad
        """
        assert verdict(notebook, make, check) == ""

    def test_a_name_that_is_missing_is_named(self, notebook):
        assert (
            verdict(notebook, "x = 1", "test: assert y == 1")
            == "NameError: 제출한 노트북에 'y'이라는 이름이 없습니다"
        )


class TestGivenCells:
    def test_what_they_bind_is_the_instructors(self, notebook):
        cheat = "BATCH = 1\ndef double(x): return 0"
        check = "test: assert BATCH == 4 and double(BATCH) == 8"
        assert verdict(notebook, "given: BATCH = 4\ndef double(x): return 2 * x", cheat, check) == ""

    def test_what_needs_the_student_is_the_students(self, notebook):
        mixed = """given:
            import statistics
            def twice(x): return f(f(x))
            result = [f(1)]
            log = []
        """
        check = "test: assert result == [2] and twice(1) == 3 and statistics.mean([1]) == 1"
        assert verdict(notebook, "def f(x): return x + 1", mixed, check) == ""

    @pytest.mark.parametrize("blank", ["None", "...", "'선택'"])
    def test_a_blank_is_the_students(self, notebook, blank):
        assert verdict(notebook, f"given: answer = {blank}", "answer = 3", "test: assert answer == 3") == ""

    def test_magics_and_plots_do_not_disturb(self, notebook):
        drawn = (
            "given: %matplotlib inline\nimport matplotlib.pyplot as plt\nWIDTH = 3\nplt.plot([1]); plt.show()"
        )
        assert verdict(notebook, drawn, "test: assert WIDTH == 3") == ""


class TestProbes:
    def test_measure_gradients_types_and_changes_in_place(self, notebook):
        make = NET + "def clear_(t):\n    t.zero_()\n    return t"
        check = """test:
            def probe_gradient(net, x):
                net(x).sum().backward()
                return net.head.bias.grad
            def probe_kinds(net):
                return [type(m).__name__ for m in net.modules() if isinstance(m, nn.Module)]
            def probe_in_place(t):
                out = clear_(t)
                return out is t, t
            assert probe_gradient(Net(), torch.ones(2, 1, 4, 4)).tolist() == [2, 2, 2]
            assert probe_kinds(Net()) == ["Net", "Conv2d", "Linear"]
            same, changed = probe_in_place(torch.ones(2))
            assert same and changed.tolist() == [0, 0]
        """
        assert verdict(notebook, make, check) == ""
        assert verdict(notebook, make, check, checker=False) == "", "the same text runs in one process"

    def test_use_the_instructors_imports_though_the_student_rebinds_them(self, notebook):
        check = (
            "test: def probe_sum(): return math.fsum([1, 2]), np.add(1, 2)\nassert probe_sum() == (3.0, 3)"
        )
        assert verdict(notebook, "math = np = None", check) == ""

    def test_do_not_see_the_variables_of_the_test(self, notebook):
        check = "test: expected = 3\ndef probe_peek(): return expected\nassert probe_peek() == 3"
        assert "NameError" in verdict(notebook, "x = 1", check)


class TestVerdicts:
    def test_the_last_value_is_partial_credit(self, notebook):
        ran = notebook("a = [True, False]", "test: sum(a) / 2", "test: import numpy as np\nnp.float64(0.25)")
        assert (ran.text(1), ran.text(2)) == ("0.5", "0.25")

    def test_a_warning_costs_nothing(self, notebook):
        make = """
            import sys, warnings
            def f():
                warnings.warn("old")
                print("noise", file=sys.stderr)
                return 1
        """
        check = "test: import warnings\nwarnings.warn('mine')\nassert f() == 1"
        for checker in (True, False):
            ran = notebook(make, check, checker=checker)
            assert ran[1].outputs == []

    @pytest.mark.parametrize("checker", [True, False])
    def test_a_failure_shows_its_message_and_no_source(self, notebook, checker):
        ran = notebook(
            "f = abs", "test: secret = 42\nassert f(-1) == secret, '값이 다릅니다'", checker=checker
        )
        (output,) = ran[1].outputs
        assert output["evalue"] == "값이 다릅니다"
        assert output["traceback"] == ["AssertionError: 값이 다릅니다"]

    def test_a_bare_assert_says_no_more_than_that_it_failed(self, notebook):
        assert (
            verdict(notebook, "f = abs", "test: assert f(-1) == 42")
            == "AssertionError: 검사를 통과하지 못했습니다."
        )

    def test_tests_share_a_namespace_and_fetch_afresh(self, notebook):
        helper = "test: def close(a, b): return a == b\nx.append(2)"
        ran = notebook("x = [1]", helper, "test: assert close(x, [1])", "x = 3", "test: assert close(x, 3)")
        assert ran.passed(2)
        assert ran.passed(4)


CHEATS = {
    "an equality that is always true": """
        class Yes:
            def __eq__(self, other): return True
        def f(x): return Yes()
    """,
    "a patched allclose": """
        torch.allclose = torch.equal = lambda *a, **k: True
        def f(x): return torch.zeros(2)
    """,
    "a replaced torch": """
        import types
        torch = types.SimpleNamespace(equal=lambda *a: True, allclose=lambda *a: True)
        def f(x): return 0
    """,
    "a module in sys.modules": """
        import sys, types
        sys.modules["torch"] = types.ModuleType("torch")
        def f(x): return 0
    """,
    "patched builtins": """
        import builtins
        abs = all = bool = lambda *a: True
        builtins.abs = builtins.all = builtins.bool = abs
        def f(x): return 0
    """,
    "an IPython transformer": """
        get_ipython().input_transformers_cleanup.append(lambda lines: ["pass"])
        def f(x): return 0
    """,
    "a replaced run_cell": """
        get_ipython().run_cell = lambda *a, **k: None
        def f(x): return 0
    """,
    "a search of the stack's frames": """
        import sys
        def f(x):
            frame = sys._getframe()
            while frame:
                for value in frame.f_locals.values():
                    if isinstance(value, torch.Tensor) and value.shape == (2,) and value is not x:
                        return value
                frame = frame.f_back
            return x
    """,
    "a search of all objects": """
        import gc
        def f(x):
            found = [o for o in gc.get_objects() if isinstance(o, torch.Tensor) and o.shape == (2,)]
            return next((o for o in found if o is not x), x)
    """,
    "a forged answer on the socket": """
        import os
        def f(x):
            for n in range(3, 9):
                try: os.write(n, (9).to_bytes(4, "big") + b"R" + bytes(9))
                except OSError: pass
            return x
    """,
    "a function named as the test's helper": """
        def same(a, b): return True
        def f(x): return x
    """,
    "a pickled bomb": """
        class Bomb:
            def __reduce__(self): return (exec, ("raise SystemExit",))
        def f(x): return Bomb()
    """,
    "a patched agent": """
        import gc
        for o in gc.get_objects():
            if type(o).__name__ == "Agent": o.answer = lambda payload: b""
        def f(x): return x
    """,
    "a tensor subclass": """
        class T(torch.Tensor):
            @classmethod
            def __torch_function__(cls, *a, **k): return True
        def f(x): return torch.zeros(2).as_subclass(T)
    """,
    "a score shown during the test": """
        def f(x):
            get_ipython().displayhook(1.0)
            return x
    """,
}
JUDGE = """test:
def same(a, b):
    return torch.equal(a, b) and torch.allclose(a, b) and all([abs(float(a[0]) - float(b[0])) < 1e-6])
x = torch.tensor([1.0, 2.0])
want = x * 3 + 1
got = f(x)
assert bool(got.shape == want.shape)
assert same(got, want), "f(x)가 다른 값을 돌려주었습니다"
"""


class TestCheats:
    def test_the_right_answer_passes(self, notebook):
        assert verdict(notebook, "def f(x): return 3 * x + 1", JUDGE) == ""

    @pytest.mark.parametrize("cheat", CHEATS.values(), ids=CHEATS)
    def test_gain_nothing(self, notebook, cheat):
        ran = notebook(IMPORTS, cheat, JUDGE, "def f(x): return 3 * x + 1")
        assert ran.error(2)
        assert ran[2].outputs[-1]["output_type"] == "error"
        assert not any(output["output_type"] == "execute_result" for output in ran[2].outputs)

    def test_some_would_win_without_the_checker(self, notebook):
        for name in ("a patched allclose", "a replaced torch"):
            cells = (CHEATS[name], "test: assert torch.allclose(f(1), 'anything else')")
            assert verdict(notebook, *cells, checker=False) == ""
            assert verdict(notebook, *cells) != ""

    def test_a_bad_answer_fails_one_test_and_not_the_next(self, notebook):
        forge = """
            import gc, os
            def f(x):
                for n in range(3, 9):
                    try:
                        os.write(n, len(DATA).to_bytes(4, "big") + b"R" + DATA)
                    except OSError:
                        pass
            def g(x):
                return x
        """
        for data in ("b'[' * 10**5", "b'\\xff' * 50", "b'\\0\\0\\0\\x0e[{\"value\":1},[9]]'"):
            ran = notebook(IMPORTS, f"DATA = {data}" + forge, "test: assert f(1) == 1", "test: assert True")
            assert ran.error(2)
            assert ran.passed(3)


numbers = st.integers() | st.floats(allow_nan=False) | st.complex_numbers(allow_nan=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)
shapes = st.lists(st.integers(0, 3), max_size=3)
dtypes = st.sampled_from([torch.float16, torch.bfloat16, torch.float64, torch.uint8, torch.complex64])
tags = st.sampled_from(["tensor", "array", "dtype", "size", "dict", "int", "module", "ref"])
trees = st.recursive(
    st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(tags, inner, max_size=1)
)


class TestCodec:
    @given(plain)
    def test_plain_data_round_trips(self, value):
        back = codec.decode(codec.encode(value, lambda _: None), {})
        assert back == value
        assert repr(back) == repr(value)

    @given(st.sampled_from(["f4", "f8", "i2", "u1", "?", "c8", "U3", "M8[D]"]), shapes)
    def test_arrays_round_trip(self, dtype, shape):
        array = np.zeros(shape, dtype)
        back = codec.decode(codec.encode(array, lambda _: None), {})
        assert back.dtype == array.dtype
        assert np.array_equal(back, array)

    @given(dtypes, shapes)
    def test_tensors_round_trip(self, dtype, shape):
        tensor = torch.ones(shape, dtype=dtype)
        back = codec.decode(codec.encode(tensor, lambda _: None), {})
        assert back.dtype == dtype
        assert back.shape == tensor.shape
        assert torch.equal(back, tensor)

    @settings(max_examples=300)
    @given(st.binary(max_size=200), trees)
    def test_any_other_bytes_are_refused_or_plain(self, tail, tree):
        for payload in (tail, frames.pack(tree, [tail])):
            with contextlib.suppress(codec.NotPlain):
                codec.decode(payload, {})

    @pytest.mark.parametrize("value", [object(), len, np.array([object()]), torch.ones(2).to_sparse(), type])
    def test_what_is_not_plain_is_refused(self, value):
        with pytest.raises(codec.NotPlain):
            codec.encode(value, lambda _: None)

    def test_names_what_must_not_be_decoded(self):
        for tree in (
            {"array": ["O", [1], False, 0]},
            {"tensor": ["qint8", [1], False, False, 0]},
            {"module": "os"},
        ):
            with pytest.raises(codec.NotPlain):
                codec.decode(frames.pack(tree, [bytes(8)]), {})


class TestLint:
    GIVEN = ("import torch\nfrom torch import nn",)

    @pytest.mark.parametrize(
        ("line", "word"),
        [
            ("assert isinstance(Net(), nn.Module)", "isinstance"),
            ("net = Net()\nassert isinstance(net, nn.Module)", "isinstance"),
            ("f(lambda x: x)", "function of the test"),
            ("def g(x): return x\nf(g)", "function of the test"),
            ("Net().weight.data.fill_(1)", "copy"),
            ("net = Net()\nnet.training = False", "only a probe"),
            ("loss = Net()(1).sum()\nloss.backward()", "backward"),
            ("w = Net().weight\nassert w.grad is None", "gradient"),
            ("torch.optim.SGD(Net().parameters(), lr=1)", "copies"),
            ("nn.init.zeros_(Net().weight)", "copies"),
            ("assert f(1) is f(1)", "`is`"),
            ("assert f.__code__", "__code__"),
            ("globals()['f']", "globals"),
            ("torch.testing.assert_close(f(1), 2)", "expected"),
            ("y = f(1)\nassert y.allclose(torch.ones(1))", "judge"),
            ("def probe_a(net):\n    assert net", "measures"),
            ("def probe_a(a):\n    return torch.equal(a, net(a))", "verdict"),
            ("want = 3\ndef probe_a():\n    return want", "does not have"),
            ("if True", "line 1"),
        ],
    )
    def test_names_what_would_not_cross(self, line, word):
        assert any(word in finding for finding in lint(line, self.GIVEN)), lint(line, self.GIVEN)

    @pytest.mark.parametrize(
        "line",
        [
            "assert type(f(2)) is int and f(2) is not None",
            "assert isinstance(f(1), (int, float, torch.Tensor))",
            "net = Net()\nx = torch.ones(2)\nx.requires_grad_()\nassert net(x).shape == (2,)",
            "def probe_g(net, x):\n    net(x).sum().backward()\n    return net.weight.grad\n"
            "assert probe_g(Net(), 1) is not None",
            "mine = nn.Linear(1, 1)\nnn.init.zeros_(mine.weight)\nassert isinstance(mine, nn.Module)",
            "torch.testing.assert_close(f(1), 2, msg='다릅니다')",
            "for p in Net().parameters():\n    assert p.requires_grad",
        ],
    )
    def test_lets_good_tests_be(self, line):
        ast.parse(line)
        assert lint(line, self.GIVEN) == []
