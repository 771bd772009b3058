"""The assignment ``cifar10``: its answers against PyTorch, its thresholds, and the weights that travel."""

import contextlib
import copy
import io

import pytest
import torch
from nbformat.v4 import new_output
from nbgrader.utils import is_grade, is_solution, is_task
from PIL import Image
from sklearn.metrics import recall_score
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from autograders.banks.cifar10 import LEARNING, RECIPES_RIGHT
from autograders.forkserver import ForkServer
from autograders.grading import grade_notebook
from autograders.inside import weights
from autograders.settings import Settings
from tools import gate


@pytest.fixture
def cifar10(source_of):
    """The instructor's notebook, to change at will."""
    return source_of("cifar10")


def run(notebook, without=("setup", "look"), **answers):
    """What the given cells and the answers bind, without the tests."""
    namespace = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in notebook.cells:
            if cell.cell_type == "code" and not is_grade(cell) and cell.id not in without:
                exec(answers.get(cell.id, cell.source), namespace)
    return namespace


@pytest.fixture
def solved(cifar10):
    return run(cifar10)


def network(seed):
    torch.manual_seed(seed)
    layers = (
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(144, 4),
    )
    return nn.Sequential(*layers)


def loader(number=22, size=8):
    torch.manual_seed(number)
    return DataLoader(TensorDataset(torch.randn(number, 3, 8, 8), torch.randint(3, (number,))), size)


def test_an_epoch_is_what_pytorch_s_own_loop_does(solved):
    ours, theirs = network(0), network(0)
    optimizers = [torch.optim.AdamW(net.parameters(), lr=0.01) for net in (ours, theirs)]
    torch.manual_seed(1)
    mean = solved["train_one_epoch"](ours, loader(), optimizers[0])
    torch.manual_seed(1)
    theirs.train()
    total = 0.0
    for x, y in loader():
        optimizers[1].zero_grad()
        loss = F.cross_entropy(theirs(x), y)
        loss.backward()
        optimizers[1].step()
        total += loss.item() * len(y)
    assert mean == pytest.approx(total / 22)
    assert all(
        torch.equal(a, b)
        for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("training", [True, False])
def test_evaluation_agrees_with_one_batch_of_everything(solved, training):
    net = network(2).train(training)
    x, y = loader(22, 22).__iter__().__next__()
    with torch.no_grad():
        scores = copy.deepcopy(net).eval()(x)
    loss, accuracy = solved["evaluate"](net, loader())
    assert loss == pytest.approx(F.cross_entropy(scores, y).item(), abs=1e-5)
    assert accuracy == pytest.approx((scores.argmax(1) == y).float().mean().item())
    assert net.training is training


def test_accuracy_by_class_is_the_recall(solved):
    net = network(3)
    x, y = next(iter(loader(90, 90)))
    with torch.no_grad():
        answers = copy.deepcopy(net).eval()(x).argmax(1)
    got = solved["accuracy_by_class"](net, loader(90), 4)
    wanted = recall_score(y, answers, labels=range(3), average=None)
    assert got[:3] == pytest.approx(wanted.tolist())
    assert got[3] != got[3]


def test_points_are_fifty_and_a_bonus(cifar10):
    points = {c.id: c.metadata.nbgrader["points"] for c in cifar10.cells if is_grade(c) or is_task(c)}
    assert sum(points.values()) == 52
    assert points["trained"] == 10 and points["test-flip"] == 2


def test_given_cells_find_no_data_and_say_nothing(cifar10, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "cifar10").mkdir(parents=True)
    given = [c for c in cifar10.cells if c.cell_type == "code" and not is_grade(c) and not is_solution(c)]
    namespace = {"Net": None, "trained_net": None}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        for cell in given:
            if cell.id in ("tools", "try", "cifar", "pack"):
                exec(cell.source, namespace)
    assert namespace["train_pictures"] is None and said.getvalue() == ""


# Thresholds


def points_of(notebook, answer, seed):
    """Points of a network and recipe for pictures of another seed."""
    namespace = run(notebook, recipe=answer)
    test = next(c for c in notebook.cells if c.id == "test-learning").source
    for old, new in (("seed=2025", f"seed={300 + seed}"), ("seed=2026", f"seed={400 + seed}")):
        assert old in test
        test = test.replace(old, new)
    head, tail = test.split("\npoints\n")
    with contextlib.redirect_stdout(io.StringIO()):
        exec(head.replace(", images, 0, to_input", f", images, {seed}, to_input") + tail, namespace)
    return namespace["points"], namespace["accuracy"]


@pytest.mark.parametrize("name", RECIPES_RIGHT)
def test_a_sensible_network_has_full_marks_on_other_pictures_too(cifar10, name):
    assert points_of(cifar10, RECIPES_RIGHT[name], seed=1)[0] == 11


def test_the_lecture_s_network_and_recipe_have_some(cifar10):
    points, _ = points_of(cifar10, LEARNING.wrong["the lecture's network and recipe"], seed=1)
    assert 2 <= points < 11


# The weights that travel


@pytest.fixture(scope="module")
def engine():
    with ForkServer() as server:
        yield server


def test_weights_are_packed_as_the_engine_reads_them(solved):
    net = solved["Net"]()
    read = weights.unpack(solved["pack_weights"](net))
    state = {n: v for n, v in net.state_dict().items() if v.is_floating_point()}
    assert read.keys() == state.keys()
    assert all(torch.equal(read[name], value.half().float()) for name, value in state.items())


def test_the_largest_network_fits_into_the_output(cifar10, solved):
    limit = next(c for c in cifar10.cells if c.id == "pack").metadata["cnnbook"]["keep_output"]
    net = nn.Linear(999, 1000)
    assert len(solved["pack_weights"](net)) < limit
    with pytest.raises(ValueError, match="1,000,000"):
        solved["pack_weights"](nn.Linear(1000, 1000))


def test_a_network_trained_in_colab_is_scored(cifar10, solved, engine, tmp_path):
    torch.manual_seed(0)
    net = solved["Net"]()
    solved["fit"](net, *solved["make_patterns"](3000, 1), 3000)
    pictures, labels = solved["make_patterns"](200, 2)
    for number, (picture, label) in enumerate(zip(pictures, labels.tolist(), strict=True)):
        folder = tmp_path / "test" / f"class{label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(folder / f"{number}.png")
    for path in [tmp_path, *tmp_path.rglob("*")]:
        path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.stat().st_mode & 0o1 == 0:
            parent.chmod(0o711)
    cell = next(c for c in cifar10.cells if c.id == "pack")
    cell.outputs = [new_output("stream", name="stdout", text=solved["pack_weights"](net))]
    for here in (True, False):
        settings = Settings(limits=gate.PATIENT, datasets={"cifar10": str(tmp_path)} if here else {})
        graded = grade_notebook(copy.deepcopy(cifar10), cifar10, runner=engine, settings=settings)
        assert graded.record["scored"] == {"trained": 10 if here else None}, graded.record
        assert all(score == points for score, points in graded.scores.values())
