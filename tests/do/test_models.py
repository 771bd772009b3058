"""The assignment ``models``: its answers against PyTorch and torchvision, its threshold over seeds."""

import math

import pytest
import torch
from nbgrader.utils import is_grade, is_solution
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.densenet import DenseNet
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.models.vgg import make_layers
from torchvision.ops import Conv2dNormActivation, SqueezeExcitation


@pytest.fixture
def cells(source_of):
    return {cell.id: cell for cell in source_of("models").cells}


@pytest.fixture
def solved(cells):
    """The names that the given cells and the instructor's solution bind."""
    namespace = {}
    for cell in cells.values():
        if cell.id in ("tools", "shapes") or is_solution(cell):
            exec(cell.source, namespace)
    return namespace


def faults(solved, block, reference, *shape, modes=(False, True)):
    """What the assignment's own comparison says of a block beside a reference."""
    x = torch.randn(shape, generator=torch.Generator().manual_seed(7))
    measure = solved["measure_block"]
    return {
        solved["compare_blocks"](measure(block, x, 5, train), measure(reference, x, 5, train))
        for train in modes
    }


def downsample(c_in, c_out, stride):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))


def test_blocks_are_those_of_torchvision(solved):
    pairs = [
        (solved["vgg_block"](3, 16, 2), make_layers([16, 16, "M"]), (2, 3, 8, 8)),
        (solved["ResidualBlock"](8, 8), BasicBlock(8, 8), (2, 8, 6, 6)),
        (solved["ResidualBlock"](8, 12, 2), BasicBlock(8, 12, 2, downsample(8, 12, 2)), (2, 8, 6, 6)),
        (solved["ResidualBlock"](8, 8, 2), BasicBlock(8, 8, 2, downsample(8, 8, 2)), (2, 8, 7, 5)),
        (solved["ResNeXtBlock"](256, 32, 4), Bottleneck(256, 64, groups=32, base_width=4), (2, 256, 4, 4)),
        (solved["DeepBlock"](6), BasicBlock(6, 6), (2, 6, 5, 5)),
        (solved["SEBlock"](32), SqueezeExcitation(32, 2), (2, 32, 4, 4)),
        (
            solved["SeparableConv"](8, 12, 2),
            nn.Sequential(
                Conv2dNormActivation(8, 8, stride=2, groups=8), Conv2dNormActivation(8, 12, kernel_size=1)
            ),
            (2, 8, 6, 6),
        ),
    ]
    for block, reference, shape in pairs:
        assert faults(solved, block, reference, *shape) == {""}, type(block)


def test_dense_layers_are_those_of_torchvision_without_their_bottleneck(solved):
    features = DenseNet(growth_rate=4, block_config=(1,), num_init_features=6, bn_size=1).features
    (layer,) = features.denseblock1.children()
    plain = nn.Sequential(layer.norm1, layer.relu1, nn.Conv2d(6, 4, 3, padding=1, bias=False))
    x = torch.randn(2, 6, 5, 5)
    measure = solved["measure_block"]
    got = measure(solved["DenseBlock"](6, 1, 4), x, 3)["output"]
    assert torch.allclose(got, torch.cat([x, measure(plain, x, 3)["output"]], dim=1), atol=1e-5)


def test_a_block_is_recognised_whatever_the_order_of_its_layers(solved):
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.first = nn.Conv2d(5, 2, 1), nn.Linear(3, 5)

        def forward(self, x):
            return self.last(self.first(x.movedim(1, -1)).movedim(-1, 1))

    reference = nn.Sequential(nn.Conv2d(3, 5, 1), nn.Conv2d(5, 2, 1))
    assert faults(solved, Backwards(), reference, 2, 3, 4, 4) == {""}


def test_lenet_has_the_parameters_of_the_dense_rewrite(solved):
    assert solved["count_parameters"](solved["LeNet5"]()) == (61_706, 61_706)


def test_multiplications_are_half_the_operations_that_torch_counts(solved):
    for net, shape in [
        (solved["LeNet5"](), (1, 32, 32)),
        (solved["Inception"](8, 4, 3, 6, 2, 4, 4), (8, 9, 7)),
        (solved["ShuffleUnit"](48, 3), (48, 8, 8)),
        (solved["make_small_net"](), (1, 16, 16)),
    ]:
        with FlopCounterMode(display=False) as counter:
            net.eval()(torch.zeros(1, *shape))
        assert solved["count_macs"](net, shape) == counter.get_total_flops() / 2


def test_symptoms_are_as_the_text_says(cells):
    broken = {}
    for name in ("bug-loss", "bug-skip"):
        exec("import torch.nn.functional as F\nfrom torch import nn\nimport torch", broken)
        exec(cells[name].source.split("### BEGIN SOLUTION")[0], broken)
    labels = torch.arange(10)
    sure = 1000.0 * nn.functional.one_hot(labels, 10)
    assert broken["training_loss"](sure, labels).item() == pytest.approx(math.log(math.e + 9) - 1, abs=1e-5)
    assert round(math.log(math.e + 9) - 1, 2) == 1.46
    for seed in range(3):
        torch.manual_seed(seed)
        blocks = [broken["DeepBlock"](8) for _ in range(50)]
        stack = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        scores = nn.Linear(8, 4)(stack(torch.randn(32, 1, 16, 16)))
        nn.functional.cross_entropy(scores, torch.randint(4, (32,))).backward()
        first, last = (blocks[i].conv1.weight.grad.norm() for i in (0, -1))
        assert first > 10_000 * last


def test_fused_layers_are_those_of_torch(solved):
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    conv, norm = nn.Conv2d(4, 6, 3, groups=2), nn.BatchNorm2d(6)
    solved["fill_weights"](conv, 1)
    solved["fill_weights"](norm, 2)
    x = torch.randn(2, 4, 5, 5)
    want = fuse_conv_bn_eval(conv.eval(), norm.eval())(x)
    assert torch.allclose(solved["fuse_conv_bn"](conv, norm)(x), want, atol=1e-5)


def test_the_small_net_clears_its_threshold_with_room(solved, cells):
    probe = cells["test-design-fit"].source.split("got = probe_size")[0]
    exec(probe, solved)
    accuracies = [solved["train_and_score"](seed) for seed in range(3, 7)]
    assert min(accuracies) >= 0.93, accuracies


def test_points_are_fifty_three_and_a_bonus(cells):
    points = {name: cell.metadata.nbgrader["points"] for name, cell in cells.items() if is_grade(cell)}
    assert sum(points.values()) == 56
    assert points["test-fuse"] == 3
