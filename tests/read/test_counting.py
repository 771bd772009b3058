"""Counts agree with PyTorch's own counter and with published ones; receptive fields with the gradient."""

import doctest
import math

import pytest
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnbook import conv, counting
from cnnbook.counting import count_macs, count_parameters, layer_table, output_shapes, receptive_field
from cnnbook.recipes import Net

quick = settings(max_examples=40, deadline=None, derandomize=True)


class Branches(nn.Module):
    """Two paths side by side, joined by `join`."""

    def __init__(self, *paths, join=lambda outputs: torch.cat(outputs, dim=1)):
        super().__init__()
        self.paths = nn.ModuleList(paths)
        self.join = join

    def forward(self, x):
        return self.join([path(x) for path in self.paths])


class Calls(nn.Module):
    """A module that calls a function."""

    def __init__(self, function, **tensors):
        super().__init__()
        self.function = function
        for name, tensor in tensors.items():
            self.register_parameter(name, nn.Parameter(tensor))

    def forward(self, x):
        return self.function(x, *self.parameters())


def torchs_macs(module, shape):
    """What PyTorch's own counter says; it counts a multiply-accumulate as two operations."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module.to("meta").eval()(torch.zeros(shape, device="meta"))
    assert counter.get_total_flops() % 2 == 0
    return counter.get_total_flops() // 2


def built(name):
    """A torchvision network without numbers."""
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    with torch.device("meta"):
        return torchvision.models.get_model(name, weights=None, **options)


# ------------------------------------------------------------------ parameters and MACs

NETWORKS = ["resnet18", "googlenet", "densenet121", "mobilenet_v2", "shufflenet_v2_x1_0", "resnext50_32x4d"]


@pytest.mark.parametrize("name", NETWORKS)
def test_torchvision_networks_as_pytorch_s_counter_and_torchvision_s_records_have_them(name):
    network, shape = built(name), (1, 3, 224, 224)
    table = layer_table(network, shape)
    assert table.macs == count_macs(network, shape) == torchs_macs(built(name), shape)
    records = torchvision.models.get_model_weights(name).DEFAULT.meta
    auxiliary = sum(count_parameters(part) for key, part in network.named_children() if key.startswith("aux"))
    assert count_parameters(network) - auxiliary == records["num_params"]
    assert table.parameters == count_parameters(network)
    # torchvision rounds to thousandths of a billion.
    assert table.macs / 1e9 == pytest.approx(records["_ops"], abs=0.0006)


def test_every_layer_has_the_count_that_pytorch_s_counter_gives_it():
    network, shape = built("shufflenet_v2_x1_0"), (2, 3, 64, 64)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network.eval()(torch.zeros(shape, device="meta"))
    counts = {name: sum(ops.values()) // 2 for name, ops in counter.get_flop_counts().items()}
    for row in layer_table(network, shape):
        assert row.macs == counts.get(f"ShuffleNetV2.{row.name}", 0), row.name


LAYERS = {
    # A layer, its input, its weights, its biases and its MACs: weights of one output cell times output cells.
    "multi-channel": (nn.Conv2d(3, 64, 3), (1, 3, 32, 32), 1728 + 64, 1728 * 30 * 30),
    "3D": (nn.Conv3d(1, 8, 3), (1, 1, 8, 8, 8), 216 + 8, 216 * 6**3),
    "pointwise": (nn.Conv2d(64, 128, 1), (1, 64, 7, 7), 8192 + 128, 8192 * 49),
    "transposed": (nn.ConvTranspose2d(4, 6, 3, 2, bias=False), (1, 4, 5, 5), 216, 216 * 25),
    "transposed in groups": (nn.ConvTranspose2d(4, 6, 3, groups=2, bias=False), (1, 4, 5, 5), 108, 108 * 25),
    "dilated": (nn.Conv2d(1, 1, 3, dilation=2, bias=False), (1, 1, 9, 9), 9, 9 * 25),
    "separable in space": (
        nn.Sequential(nn.Conv2d(1, 1, (3, 1), bias=False), nn.Conv2d(1, 1, (1, 3), bias=False)),
        (1, 1, 5, 5),
        6,
        3 * 3 * 5 + 3 * 3 * 3,
    ),
    "separable in depth": (
        nn.Sequential(
            nn.Conv2d(128, 128, 3, padding=1, groups=128, bias=False), nn.Conv2d(128, 256, 1, bias=False)
        ),
        (1, 128, 4, 4),
        33_920,
        33_920 * 16,
    ),
    "grouped": (nn.Conv2d(64, 64, 3, groups=4, padding=1, bias=False), (1, 64, 4, 4), 9216, 9216 * 16),
    "a batch of three": (nn.Conv2d(1, 1, 3, bias=False), (3, 1, 5, 5), 9, 3 * 9 * 9),
    "linear": (nn.Linear(400, 120), (1, 400), 48_120, 48_000),
    "linear at every pixel": (nn.Linear(5, 7), (1, 3, 4, 5), 42, 35 * 12),
    "the lecture's network": (Net(), (1, 3, 32, 32), 62_006, 651_720),
}


@pytest.mark.parametrize(("layer", "shape", "parameters", "macs"), LAYERS.values(), ids=LAYERS)
def test_counts_by_hand(layer, shape, parameters, macs):
    assert count_parameters(layer) == parameters
    assert count_macs(layer, shape) == macs
    table = layer_table(layer, shape)
    assert (table.parameters, table.macs) == (parameters, macs)


@quick
@given(st.data(), st.booleans(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(2, 3))
def test_any_convolution_as_pytorch_s_counter_has_it(data, transposed, c_in, c_out, groups, axes):
    kernel, stride, dilation = (data.draw(st.tuples(*[st.integers(1, 3)] * axes)) for _ in range(3))
    kind = getattr(nn, f"Conv{'Transpose' * transposed}{axes}d")
    layer = kind(c_in * groups, c_out * groups, kernel, stride, dilation=dilation, groups=groups)
    shape = (2, c_in * groups, *[8] * axes)
    assert count_macs(layer, shape) == torchs_macs(layer, shape)


READABLE = {
    "conv2d": ([(6, 4, 3, 3)], {}, {}),
    "dilated_conv2d": ([(6, 4, 2, 2)], {"dilation": 2}, {"dilation": 2}),
    "grouped_conv2d": ([(6, 2, 3, 3)], {"groups": 2}, {"groups": 2}),
    "depthwise_conv2d": ([(4, 1, 3, 3)], {}, {"groups": 4}),
    "pointwise_conv2d": ([(6, 4, 1, 1)], {}, {}),
}


@pytest.mark.parametrize(("form", "case"), READABLE.items(), ids=READABLE)
def test_a_form_written_out_costs_what_torch_s_costs(form, case):
    """A dilated kernel written with its holes is the exception: it multiplies by the zeros too."""
    ([weight], ours, torchs) = case
    weight, shape = torch.zeros(weight), (1, 4, 6, 6)
    written = count_macs(Calls(lambda x, w: getattr(conv, form)(x, w, **ours), w=weight), shape)
    called = count_macs(Calls(lambda x, w: F.conv2d(x, w, **torchs), w=weight), shape)
    holes = 9 / 4 if form == "dilated_conv2d" else 1
    assert written == called * holes


def test_shared_parameters_count_once_and_frozen_ones_on_request_not():
    layer = nn.Linear(4, 4)
    tied = nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(4, 2))
    tied[3].requires_grad_(False)
    assert count_parameters(tied) == 20 + 10
    assert count_parameters(tied, trainable_only=True) == 20
    table = layer_table(tied, (1, 4))
    assert [row.parameters for row in table] == [20, 0, 0, 10]
    assert [row.macs for row in table] == [16, 0, 16, 8]


def test_weights_used_by_functions_count_where_the_function_is_called():
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(2, 3, 3)
            self.extra = nn.ParameterList([nn.Parameter(torch.zeros(3, 1, 1))])
            self.mask = torch.ones(3, 2, 1, 1)  # a plain tensor, no buffer

        def forward(self, x):
            return F.conv2d(x, self.layer.weight * self.mask) * self.extra[0] + torch.zeros(3, 1, 1)

    table = layer_table(Masked(), (1, 2, 5, 5))
    assert [(row.name, row.parameters, row.macs, row.call) for row in table] == [
        ("Masked", 3, 54 * 9, 1),
        ("layer", 57, 0, 0),
    ]


# ------------------------------------------------------------------ shapes


def test_output_shapes_layer_by_layer():
    assert output_shapes(Net(), (1, 3, 32, 32)) == {
        "conv1": (1, 6, 28, 28),
        "pool": (1, 6, 14, 14),
        "conv2": (1, 16, 10, 10),
        "pool (2)": (1, 16, 5, 5),
        "fc1": (1, 120),
        "fc2": (1, 84),
        "fc3": (1, 10),
    }


@pytest.mark.parametrize("name", ["googlenet", "shufflenet_v2_x1_0"])
def test_output_shapes_are_those_of_a_real_run(name):
    network, shape = built(name).to_empty(device="cpu").eval(), (1, 3, 64, 64)
    counted = output_shapes(network, shape)
    real = {}

    def note(key):
        def hook(part, args, output):
            real.setdefault(key, tuple(output.shape))

        return hook

    for key, part in network.named_modules():
        if not list(part.children()):
            part.register_forward_hook(note(key))
    with torch.no_grad():
        network(torch.zeros(shape))
    assert {key: output for key, output in counted.items() if not key.endswith(")")} == real


def test_the_whole_input_shape_scales_with_the_batch():
    assert output_shapes(nn.Conv3d(1, 8, 3), (5, 1, 8, 9, 10)) == {"Conv3d": (5, 8, 6, 7, 8)}


# ------------------------------------------------------------------ receptive fields


def convs(*dilations):
    return nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=d, dilation=d) for d in dilations])


FIELDS = {
    "1, 2, 4 dilated": (convs(1, 2, 4), (15, 15)),
    "2, 2, 2 dilated": (convs(2, 2, 2), (13, 13)),
    "two 3×3 as one 5×5": (convs(1, 1), (5, 5)),
    "three 3×3 as one 7×7": (convs(1, 1, 1), (7, 7)),
    "a row and a column": (nn.Sequential(nn.Conv2d(1, 1, (1, 7)), nn.Conv2d(1, 1, (5, 1))), (5, 7)),
    "depth, height, width": (nn.Conv3d(2, 4, (2, 3, 5)), (2, 3, 5)),
    "the widest branch": (Branches(nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 5, padding=2)), (5, 5)),
    "a shortcut": (Branches(nn.Identity(), convs(1, 1), join=sum), (5, 5)),
    "branches off centre": (
        nn.Sequential(
            nn.Conv2d(1, 1, 1),
            Branches(nn.ZeroPad2d((2, 0, 0, 0)), nn.ZeroPad2d((0, 2, 0, 0)), join=sum),
        ),
        (1, 3),
    ),
    "transposed": (nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.ConvTranspose2d(1, 1, 4, 2, 1)), (5, 5)),
    "nearest upsampling": (
        nn.Sequential(nn.Conv2d(1, 1, 2, 2), nn.Upsample(scale_factor=2), convs(1)),
        (4, 4),
    ),
    "channels shuffled by hand": (
        nn.Sequential(
            nn.Conv2d(3, 4, 3),
            Calls(lambda x: x.view(x.shape[0], 2, 2, *x.shape[2:]).transpose(1, 2).reshape(x.shape)),
            Calls(lambda x: x[:, [3, 1, 2, 0]]),
        ),
        (3, 3),
    ),
    "a slice": (
        nn.Sequential(nn.Conv2d(1, 1, 1), Calls(lambda x: x[..., ::2, 1:]), nn.Conv2d(1, 1, 3)),
        (5, 3),
    ),
    "a slice and a padding off centre": (
        nn.Sequential(
            nn.Conv2d(1, 1, 1), Calls(lambda x: x[..., 2:, :] + F.pad(x, (0, 0, 2, 0))[..., :-4, :])
        ),
        (5, 1),
    ),
    "pooling with its usual stride": (
        nn.Sequential(
            nn.Conv2d(1, 1, 1), Calls(lambda x: F.max_pool2d(F.avg_pool2d(x, 2), 3)), nn.Conv2d(1, 1, 2)
        ),
        (12, 12),
    ),
    "pooling to a given size": (nn.Sequential(nn.Conv2d(1, 1, 1), nn.AdaptiveAvgPool2d(128)), (8, 8)),
    "global maximum": (nn.Sequential(nn.Conv2d(1, 1, 1), nn.AdaptiveMaxPool2d(1)), (math.inf, math.inf)),
    "local response normalisation": (nn.Sequential(nn.Conv2d(3, 8, 3), nn.LocalResponseNorm(5)), (3, 3)),
    "squeeze and excitation": (
        nn.Sequential(
            nn.Conv2d(1, 1, 3),
            Branches(nn.Identity(), nn.AdaptiveAvgPool2d(1), join=lambda pair: pair[0] * pair[1]),
        ),
        (math.inf, math.inf),
    ),
    # AlexNet's 195 and VGG-16's 212 are in Araujo, Norris & Sim, Distill 2019.
    "AlexNet": (built("alexnet").features[:12], (163, 163)),
    "AlexNet's last pooling": (built("alexnet").features, (195, 195)),
    "VGG-16": (built("vgg16").features, (212, 212)),
    "ResNet-18": (nn.Sequential(*list(built("resnet18").children())[:-2]), (435, 435)),
}


@pytest.mark.parametrize(("network", "field"), FIELDS.values(), ids=FIELDS)
def test_receptive_fields_known_by_hand(network, field):
    assert receptive_field(network) == field


def test_a_linear_layer_on_a_flattened_map_sees_everything():
    assert receptive_field(Net(), (1, 3, 32, 32)) == (math.inf, math.inf)
    fields = {row.label: row.receptive_field for row in layer_table(Net(), (1, 3, 32, 32))}
    assert fields["conv1"] == (5, 5)
    assert fields["pool (2)"] == (16, 16)
    assert fields["fc1"] == (math.inf, math.inf)


def seen_by_gradient(network, size=80, cells=16):
    """The receptive field that the gradient shows: the widest among cells far from the border."""
    for parameter in network.parameters():
        nn.init.ones_(parameter)
    x = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    y = network.double()(x)[0, 0]
    widest = []
    for axis in (0, 1):
        lines = y.sum(1 - axis)
        extents = [0]
        middle = len(lines) // 2
        for cell in range(middle - cells // 2, middle + cells // 2):  # after a transposed layer cells differ
            (gradient,) = torch.autograd.grad(lines[cell], x, retain_graph=True)
            touched = gradient[0, 0].sum(1 - axis).nonzero().flatten().tolist()
            extents.append(touched[-1] - touched[0] + 1 if touched else 0)
        widest.append(max(extents))
    return tuple(widest)


@st.composite
def stacks(draw):
    """Convolutions, poolings, transposed convolutions and branches, with a stride of 2 at most."""
    layers, stride = [], 1
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["conv", "pool", "transposed", "branches"]))
        kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
        dilation = draw(st.integers(1, 2))
        step = draw(st.integers(1, 2 if stride < 2 else 1))
        if kind == "conv":
            layers.append(nn.Conv2d(1, 1, kernel, step, draw(st.integers(0, 2)), dilation))
            stride *= step
        elif kind == "pool":
            layers.append(nn.AvgPool2d(kernel, step))
            stride *= step
        elif kind == "transposed":
            layers.append(nn.ConvTranspose2d(1, 1, kernel, step, dilation=dilation))
        else:
            odd = nn.Conv2d(1, 1, 5, padding=2)
            layers.append(Branches(odd, nn.Conv2d(1, 1, 3, padding=2, dilation=2), nn.Identity(), join=sum))
    return nn.Sequential(*layers)


@quick
@given(stacks())
def test_receptive_fields_are_those_the_gradient_shows(network):
    assert receptive_field(network, (1, 1, 64, 64)) == seen_by_gradient(network)


# ------------------------------------------------------------------ the table


def test_the_table_as_text_lines_up_and_sums_up():
    lines = str(layer_table(Net(), (1, 3, 32, 32))).splitlines()
    assert lines[0].split() == ["층", "종류", "출력", "크기", "파라미터", "MAC", "수용", "영역"]
    assert lines[2].split() == ["conv1", "Conv2d", "5×5", "(1,", "6,", "28,", "28)", "456", "352,800", "5×5"]
    assert lines[-2].split() == ["합계", "62,006", "651,720"]
    assert "(1, 3, 32, 32)" in lines[-1]
    macs = ["352,800", "240,000", "48,000", "10,080"]
    assert len({line.index(count) + len(count) for count in macs for line in lines if count in line}) == 1


def test_hangul_takes_two_columns_of_a_terminal():
    lines = str(layer_table(built("resnet18"), (1, 3, 224, 224), depth=1)).splitlines()

    def columns_before(text, word):
        before = text[: text.index(word) + len(word)]
        return len(before) + sum("가" <= letter <= "힣" for letter in before)

    head, total = columns_before(lines[0], "파라미터"), columns_before(lines[-2], "11,689,512")
    stage = columns_before(next(line for line in lines if "12개 층" in line), "147,968")
    assert head == stage == total


def test_the_table_as_html_has_headers_for_screen_readers_and_escapes_names():
    class Odd(nn.ReLU):
        pass

    Odd.__name__ = "<b>&"
    html = layer_table(nn.Sequential(nn.Conv2d(1, 1, 3), Odd()), (1, 1, 5, 5))._repr_html_()
    assert "&lt;b&gt;&amp;" in html and "<b>" not in html
    assert html.count("scope='col'") == 6
    assert html.count("scope='row'") == 3  # two layers and the sum
    assert "tabindex='0'" in html  # a table wider than a phone scrolls with the keyboard
    assert "color" not in html and "background" not in html  # the theme's own, light or dark


def test_stages_sum_up_their_layers_and_show_what_leaves_them():
    network = built("googlenet")
    stages = layer_table(network, (1, 3, 224, 224), depth=1)
    assert stages.macs == count_macs(network, (1, 3, 224, 224))
    assert stages.parameters == count_parameters(network)
    assert stages["inception3a"].output_shape == (1, 256, 28, 28)
    assert stages["inception3a"].kind == "Inception 13개 층"
    assert stages["aux1"].call == 0
    assert "호출되지 않음" in stages["aux1"].cells


def test_the_example_in_the_documentation_runs():
    result = doctest.testmod(counting)
    assert result.failed == 0
    assert result.attempted >= 4


def test_layers_are_found_by_name():
    table = layer_table(Net(), (1, 3, 32, 32))
    assert table["fc1"].macs == 48_000
    assert len(table) == 7
    with pytest.raises(KeyError, match="no layer 'fc9'; there are conv1, pool"):
        table["fc9"]


# ------------------------------------------------------------------ nothing left behind, no dumb failure


@pytest.fixture
def network():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.Dropout(), nn.Linear(4, 2))
    )
    network.train()
    network[1].eval()  # a frozen batch norm in a network in training
    return network


@pytest.mark.parametrize("shape", [(2, 1, 6, 6), (2, 3, 6, 6)], ids=["counted", "refused"])
def test_modes_hooks_and_numbers_stay_as_they_were(network, shape):
    before = {key: value.clone() for key, value in network.state_dict().items()}
    modes = [part.training for part in network.modules()]
    try:
        layer_table(network, shape)
        assert shape[1] == 1
    except ValueError:
        assert shape[1] == 3
    assert [part.training for part in network.modules()] == modes
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())
    after = network.state_dict()
    assert all(
        torch.equal(value, after[key]) and value.device == after[key].device for key, value in before.items()
    )
    assert network(torch.zeros(1, 1, 6, 6)).requires_grad


def test_counting_works_within_inference_mode(network):
    outside = count_macs(network, (1, 1, 6, 6))
    with torch.inference_mode():
        assert count_macs(network, (1, 1, 6, 6)) == outside == 18 * 16 + 8 * 8


class NeedsNumbers(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


REFUSED = {
    "channels": (
        lambda: count_macs(Net(), (1, 1, 32, 32)),
        ValueError,
        r"conv1 \(Conv2d\) = Conv2d\(3, 6.*\(1, 1, 32, 32\)",
    ),
    "size": (
        lambda: count_macs(Net(), (1, 3, 40, 40)),
        ValueError,
        r"fc1 \(Linear\).*input of shape \(1, 784\)",
    ),
    "no batch": (
        lambda: count_macs(Net(), (3, 32, 32)),
        ValueError,
        r"input_shape=\(3, 32, 32\).*batch axis included",
    ),
    "too small": (lambda: layer_table(Net(), (1, 3, 8, 8)), ValueError, r"conv2 \(Conv2d\).*\(1, 6, 2, 2\)"),
    "no shape": (
        lambda: count_macs(Net(), 32),
        ValueError,
        r"positive ints such as \(1, 3, 32, 32\), got 32",
    ),
    "an empty axis": (lambda: count_macs(Net(), (0, 3, 32, 32)), ValueError, "positive ints"),
    "no module": (lambda: count_parameters("net"), TypeError, "must be a torch.nn.Module, got str"),
    "lazy": (lambda: count_parameters(nn.LazyLinear(3)), ValueError, "weight is lazy.* call the module once"),
    "numbers": (
        lambda: count_macs(NeedsNumbers(), (1, 2)),
        ValueError,
        "NeedsNumbers needs the numbers of its input",
    ),
    "depth": (
        lambda: layer_table(Net(), (1, 3, 32, 32), depth=0),
        ValueError,
        "depth must be an int >= 1 or None",
    ),
    "field without shape": (lambda: receptive_field(Net()), ValueError, "give input_shape.*fc1"),
    "field without convolution": (lambda: receptive_field(nn.MaxPool2d(2)), ValueError, "give input_shape"),
    "field without cells": (
        lambda: receptive_field(nn.Linear(4, 2), (1, 4)),
        ValueError,
        "does not come from cells",
    ),
    "maps of two scales": (
        lambda: receptive_field(Calls(lambda x: F.avg_pool2d(x, 2) + x[..., :4, :4]), (1, 1, 8, 8)),
        ValueError,
        "cannot be followed through aten.add",
    ),
    "maps end to end": (
        lambda: receptive_field(Calls(lambda x: torch.cat([x, x], dim=2)), (1, 1, 8, 8)),
        ValueError,
        "cannot be followed through aten.cat",
    ),
    "turned": (
        lambda: receptive_field(nn.Sequential(nn.Conv2d(1, 1, 3), Calls(lambda x: x.mT))),
        ValueError,
        r"cannot be followed through aten.transpose in 1 \(Calls\)",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=f"(?s){message}"):
        call()
