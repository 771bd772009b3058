"""The architecture figure is read from the code: other code, another figure."""

from __future__ import annotations

import re
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from cnnbook import architecture, counting, figures
from cnnbook.models import builders
from cnnbook.models.densenet import DenseLayer
from cnnbook.models.dpn import DualPathBlock
from cnnbook.models.googlenet import googlenet
from cnnbook.models.resnet import BasicBlock
from cnnbook.models.shufflenet import SplitUnit

BUILDERS = builders()
FAMILIES = [
    "lenet5_1998",
    "alexnet_2012",
    "vgg16",
    "googlenet",
    "resnet18",
    "densenet121",
    "dpn68",
    "se_resnet50",
]
FAMILIES += ["mobilenet_v2", "shufflenet_v1", "shufflenet_v2_x1_0"]


def image(name: str) -> tuple[int, ...]:
    return (1, 1, 32, 32) if name.startswith("lenet") else (1, 3, 224, 224)


@cache
def meta(build) -> nn.Module:
    with torch.device("meta"):
        return build()


# --- reading


@pytest.mark.parametrize("name", BUILDERS)
def test_every_parameter_of_every_network_stands_in_a_box(name):
    net = meta(BUILDERS[name])
    for depth in (1, None):
        assert architecture.read(net, image(name), depth).parameters == counting.count_parameters(net)


@pytest.mark.parametrize("name", FAMILIES)
def test_shapes_are_those_of_a_run(name):
    net = meta(BUILDERS[name])
    shapes = counting.output_shapes(net, image(name))
    boxes = [node for node in architecture.read(net, image(name)) if node.name in shapes]
    assert len(boxes) >= 6
    for node in boxes:
        assert (1, *node.shape) == shapes[node.name], node.name


def test_a_residual_block_has_two_ways_to_the_sum():
    graph = architecture.read(BasicBlock(64, 64), (1, 64, 56, 56))
    assert [node.name for node in graph] == ["input", "residual.conv1", "residual.conv2", "더하기"]
    assert graph["더하기"].inputs == ("residual.conv2", "input")
    assert graph["더하기"].then == ("relu",)
    assert graph["residual.conv1"].then == ("residual.bn1", "residual.relu1")


def test_another_block_gives_another_figure():
    class Plain(BasicBlock):
        def forward(self, x: Tensor) -> Tensor:
            return self.relu(self.residual(x))

    plain, residual = (architecture.read(block(64, 64), (1, 64, 56, 56)) for block in (Plain, BasicBlock))
    assert "더하기" not in [node.name for node in plain]
    assert plain != residual
    projected = architecture.read(BasicBlock(64, 128, stride=2), (1, 64, 56, 56))
    assert projected["더하기"].inputs == ("residual.conv2", "shortcut.conv")
    drawn = [architecture.draw(b(64, 64), (1, 64, 56, 56), alt="블록").html() for b in (Plain, BasicBlock)]
    assert drawn[0] != drawn[1]


def test_an_inception_block_has_four_branches_side_by_side():
    block = meta(googlenet).inception3a
    graph = architecture.read(block, (1, 192, 28, 28), depth=1)
    assert graph["이어 붙이기"].inputs == ("conv1x1", "conv3x3", "conv5x5", "project")
    assert graph["reduce3x3"].kind == "Conv2d 1×1 → bn → act"
    rows = architecture.place(graph)
    assert [cell.node.name for cell in rows[1]] == ["conv1x1", "reduce3x3", "reduce5x5", "pool"]
    assert [cell.column for cell in rows[1]] == [0, 1, 2, 3]


def test_functions_say_what_they_do_with_channels():
    dense = architecture.read(DenseLayer(64, 32), (1, 64, 8, 8))
    assert set(dense["이어 붙이기"].inputs) == {"input", "new_maps.conv2"}
    dual = DualPathBlock(304, residual=256, growth=16, width=32, groups=4, stride=1, project=False)
    names = [node.name for node in architecture.read(dual, (1, 304, 8, 8), depth=1)]
    assert {"채널 0–255", "채널 256–303", "채널 256–271", "더하기", "이어 붙이기"} <= set(names)
    split = architecture.read(SplitUnit(116, 116, 1), (1, 116, 28, 28))
    assert split["이어 붙이기"].inputs == ("채널 나누기", "right.pointwise2.conv")
    assert split["채널 나누기"].shape is None  # two maps, not one


def test_closed_modules_say_what_is_in_them():
    graph = architecture.read(meta(BUILDERS["resnet50"]), image("resnet50"), depth=1)
    assert [graph[f"layer{i}"].kind for i in (1, 2, 3, 4)] == [f"Bottleneck × {n}" for n in (3, 4, 6, 3)]
    assert architecture.read(meta(BUILDERS["lenet5_1998"]), image("lenet"), depth=1)["c3"].kind == (
        "SparseConv2d 16개 층"
    )


def test_the_network_is_left_as_it_was():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout())
    before = {key: value.clone() for key, value in net.state_dict().items()}
    architecture.draw(net, (1, 3, 8, 8), alt="작은 망")
    assert net.training and all(part.training for part in net)
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


@pytest.mark.parametrize(
    ("module", "shape", "options", "error", "message"),
    [
        ("resnet18", (1, 3, 224, 224), {}, TypeError, "must be a torch.nn.Module"),
        (nn.Conv2d(3, 4, 3), (3, 0, 4), {}, ValueError, "positive ints"),
        (nn.Conv2d(3, 4, 3), (1, 3, 8, 8), {"depth": 0}, ValueError, "depth must be an int >= 1"),
        (nn.Sequential(nn.Linear(10, 2)), (1, 3, 8, 8), {}, ValueError, "cannot take an input of shape"),
    ],
)
def test_nonsense_is_refused_with_a_reason(module, shape, options, error, message):
    with pytest.raises(error, match=message):
        architecture.read(module, shape, **options)


def test_code_that_decides_by_values_is_refused():
    class Undecided(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x) if x.sum() > 0 else x

    with pytest.raises(ValueError, match="Undecided cannot be followed symbolically"):
        architecture.read(Undecided(), (1, 1, 8, 8))


# --- placing and drawing


@pytest.mark.parametrize(
    "name", ["googlenet", "resnet18", "densenet121", "dpn68", "se_resnet50", "shufflenet_v1"]
)
def test_no_two_things_share_a_place_and_every_line_goes_one_row_down(name):
    graph = architecture.read(meta(BUILDERS[name]), image(name))
    rows = architecture.place(graph)
    for row in rows:
        assert len({cell.column for cell in row}) == len(row)
        assert all(above.rank == cell.rank - 1 for cell in row for above in cell.above)
    placed = [cell.node for row in rows for cell in row if cell.node is not None]
    assert sorted(node.name for node in placed) == sorted(node.name for node in graph)


def test_a_skip_lies_outside_the_boxes_it_skips():
    rows = architecture.place(architecture.read(BasicBlock(64, 64), (1, 64, 8, 8)))
    assert [[(cell.column, cell.node is None) for cell in row] for row in rows] == [
        [(0, False)],
        [(0, False), (1, True)],
        [(0, False), (1, True)],
        [(0, False)],
    ]


def test_every_part_of_a_figure_fits_a_phone():
    for name in ("vgg16", "googlenet", "lenet5_1998"):
        drawing = architecture.draw(meta(BUILDERS[name]), image(name), alt="구조", depth=1, parts=2)
        assert len(drawing.parts) == 2
        widths = re.findall(r'<svg [^>]*width="([\d.]+)pt"', drawing.html())
        assert len(widths) == 2
        assert all(float(width) * 96 / 72 <= 350 for width in widths)  # CSS pixels: letters keep their size


def test_the_figure_takes_the_ink_of_the_page_and_says_what_it_shows():
    block = BasicBlock(64, 64)
    first, second = (architecture.draw(block, (1, 64, 8, 8), alt="잔차 블록").html() for _ in range(2))
    assert first == second
    assert 'aria-label="잔차 블록"' in first and "currentColor" in first and figures.INK not in first
    with pytest.raises(ValueError, match="alt"):
        architecture.draw(block, (1, 64, 8, 8), alt=" ")
    with pytest.raises(ValueError, match="parts must be an int"):
        architecture.draw(block, (1, 64, 8, 8), alt="잔차 블록", parts=0)
