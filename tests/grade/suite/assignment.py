"""The assignment that the suite of submissions answers: eight questions, a test of its own kind for each.

Numbers, partial credit, tensors, a module, gradients and a training step through probes, a choice, and an
answer that a person marks. The tests are written as `autograders.checker` asks for.
"""

import copy
from functools import cache

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import PyFileConfigLoader

from autograders.template import Template
from tests.grade.tiny import ROOT, cell, find

IMPORTS = """import math
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
"""

ANSWERS = {
    "numbers": "out_size = 14\nn_parameters = 448",
    "size": """def output_size(size, kernel, stride=1, padding=0):
    return (size + 2 * padding - kernel) // stride + 1
""",
    "conv2d": """def conv2d(x, w):
    n, c, height, width = x.shape
    o, _, kh, kw = w.shape
    out = torch.zeros(n, o, height - kh + 1, width - kw + 1)
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            patch = x[:, None, :, i : i + kh, j : j + kw]
            out[:, :, i, j] = (patch * w).sum((2, 3, 4))
    return out
""",
    "net": """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(F.max_pool2d(F.relu(self.conv(x)), 2).flatten(1))
""",
    "gradient": "def softplus(x):\n    return torch.log(1 + torch.exp(x))\n",
    "train": """def train_step(net, x, y, lr):
    loss = ((net(x) - y) ** 2).mean()
    net.zero_grad()
    loss.backward()
    with torch.no_grad():
        for p in net.parameters():
            p -= lr * p.grad
    return loss.item()
""",
    "choice": 'answer = "②"  # @param ["선택", "①", "②", "③"]',
    "essay": "같은 가중치를 모든 자리에서 쓰기 때문입니다.",
}

TESTS = {
    "numbers": """
assert out_size == 14, "출력의 크기를 다시 세어 보십시오."
### BEGIN HIDDEN TESTS
assert n_parameters == 448, "매개변수의 수를 다시 세어 보십시오."
### END HIDDEN TESTS
""",
    "size": """
assert output_size(5, 3) == 3, "가장 쉬운 경우부터 맞추어 보십시오."
### BEGIN HIDDEN TESTS
cases = [(7, 3, 2, 1, 4), (32, 5, 1, 2, 32), (9, 2, 2, 0, 4)]
sum(output_size(n, k, s, p) == wanted for n, k, s, p, wanted in cases)
### END HIDDEN TESTS
""",
    "conv2d": """
assert np.shape(conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 3, 3))) == (1, 1, 2, 2), "출력의 모양이 다릅니다."
### BEGIN HIDDEN TESTS
for seed, (n, c, o, size, k) in enumerate([(1, 1, 1, 5, 3), (2, 3, 4, 6, 3), (1, 2, 2, 7, 5)]):
    torch.manual_seed(seed)
    x, w = torch.randn(n, c, size, size), torch.randn(o, c, k, k)
    want = F.conv2d(x, w)
    got = torch.as_tensor(conv2d(x, w), dtype=torch.float32)
    assert tuple(got.shape) == tuple(want.shape), "출력의 모양이 다릅니다."
    assert torch.allclose(got, want, atol=1e-4), "출력의 값이 다릅니다."
### END HIDDEN TESTS
""",
    "net": """
def probe_kinds(net):
    return [type(m).__name__ for m in net.modules() if isinstance(m, nn.Module)]

net = Net()
assert tuple(net(torch.zeros(2, 1, 8, 8)).shape) == (2, 10), "출력의 모양이 다릅니다."
### BEGIN HIDDEN TESTS
kinds = probe_kinds(net)
assert (kinds.count("Conv2d"), kinds.count("Linear")) == (1, 1), "층의 종류와 수를 보십시오."
weights = {tuple(p.shape): p for p in net.parameters()}
assert set(weights) == {(4, 1, 3, 3), (4,), (10, 64), (10,)}, "매개변수의 모양을 보십시오."
torch.manual_seed(1)
x = torch.randn(3, 1, 8, 8)
hidden = F.relu(F.conv2d(x, weights[4, 1, 3, 3], weights[4,], padding=1))
want = F.linear(F.max_pool2d(hidden, 2).flatten(1), weights[10, 64], weights[10,])
assert torch.allclose(net(x), want, atol=1e-4), "층을 지나는 차례를 보십시오."
### END HIDDEN TESTS
""",
    "gradient": """
def probe_gradient(x):
    x = x.clone().requires_grad_()
    softplus(x).sum().backward()
    return x.grad

x = torch.linspace(-3, 3, 7)
assert tuple(softplus(x).shape) == (7,), "출력의 모양이 다릅니다."
### BEGIN HIDDEN TESTS
assert torch.allclose(softplus(x).float(), F.softplus(x), atol=1e-4), "함수의 값이 다릅니다."
assert torch.allclose(probe_gradient(x), torch.sigmoid(x), atol=1e-4), "기울기가 다릅니다."
### END HIDDEN TESTS
""",
    "train": """
import math

def probe_steps(weight, x, y, lr, steps):
    net = nn.Linear(2, 1, bias=False)
    net.weight.data = weight.clone()
    losses = [float(train_step(net, x, y, lr)) for _ in range(steps)]
    return losses, net.weight.detach()

### BEGIN HIDDEN TESTS
torch.manual_seed(2)
x, y, weight = torch.randn(4, 2), torch.randn(4, 1), torch.randn(1, 2)
losses, trained = probe_steps(weight, x, y, 0.1, 2)
for step in range(2):
    difference = x @ weight.T - y
    wanted_loss = float((difference**2).mean())
    assert math.isclose(losses[step], wanted_loss, rel_tol=1e-3), "손실의 값이 다릅니다."
    weight = weight - 0.1 * (2 * difference.T @ x / 4)
assert torch.allclose(trained, weight, atol=1e-4), "두 걸음 뒤의 가중치가 다릅니다."
### END HIDDEN TESTS
""",
    "choice": """
assert answer in ("①", "②", "③"), "보기에서 하나를 고르십시오."
### BEGIN HIDDEN TESTS
assert answer == "②", "다시 골라 보십시오."
### END HIDDEN TESTS
""",
}

POINTS = {"numbers": 2, "size": 3, "conv2d": 4, "net": 3, "gradient": 3, "train": 3, "choice": 1}
STUBS = {"choice": 'answer = "선택"  # @param ["선택", "①", "②", "③"]\n'}


def source():
    """The instructor's notebook."""
    cells = [new_markdown_cell("# 합성곱", id="title"), cell(new_code_cell, IMPORTS, "imports")]
    for name, points in POINTS.items():
        cells.append(new_markdown_cell(f"## 문제 {name}", id=f"about-{name}"))
        text = f"### BEGIN SOLUTION\n{ANSWERS[name].strip()}\n### END SOLUTION"
        cells.append(cell(new_code_cell, STUBS.get(name, "") + text, name, solution=True))
        cells.append(cell(new_code_cell, TESTS[name].strip(), f"test_{name}", grade=True, points=points))
    cells.append(cell(new_markdown_cell, "까닭을 쓰십시오.", "essay", grade=True, solution=True, points=5))
    python = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return new_notebook(cells=cells, metadata={"kernelspec": python})


@cache
def template():
    """The assignment as the engine keeps it, with the repository's configuration of nbgrader."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    return Template.of(source(), config)


def released():
    """What students get."""
    made = template()
    cells = [copy.deepcopy(one) for one in made.cells]
    for one, text in zip(cells, made.released, strict=True):
        one.source = text
        name = one.metadata.get("nbgrader", {}).get("grade_id")
        if name in made.released_checksums:
            one.metadata.nbgrader["checksum"] = made.released_checksums[name]
    return new_notebook(cells=cells, metadata=copy.deepcopy(made.metadata))


def filled(**answers):
    """The released notebook with answers, the right ones unless given otherwise."""
    nb = released()
    for name, text in {**ANSWERS, **answers}.items():
        find(nb, name).source = text
    return nb
