"""`cnnbook.models`: the sizes the papers print, and the numbers the reference networks compute."""

import math
import pickle
import subprocess
import sys
from functools import cache

import pytest
import timm
import torch
import torchvision
from sklearn.datasets import load_digits
from torch import fx, nn
from torch.utils.flop_counter import FlopCounterMode

from cnnbook import models
from cnnbook.models import densenet, dpn, lenet, mobilenet, resnet, senet, shufflenet, vgg
from cnnbook.models.alexnet import from_torchvision as alexnet_from_torchvision
from cnnbook.models.googlenet import from_torchvision as googlenet_from_torchvision

BUILDERS = models.builders()

# Trainable parameters and multiply-accumulates (millions, 224 × 224; LeNet 32 × 32) of the default network.
SIZES = {
    "lenet5": (61_706, 0.42),
    "lenet5_1998": (60_000, 0.33),
    "alexnet": (61_100_840, 714),
    "alexnet_2012": (60_965_224, 724),
    "vgg16": (138_357_544, 15_470),
    "vgg19": (143_667_240, 19_632),
    "googlenet": (6_624_904, 1_498),
    "resnet18": (11_689_512, 1_814),
    "resnet34": (21_797_672, 3_664),
    "resnet50": (25_557_032, 4_089),
    "resnet152": (60_192_808, 11_514),
    "resnext50_32x4d": (25_028_904, 4_230),
    "densenet121": (7_978_856, 2_834),
    "densenet161": (28_681_000, 7_728),
    "dpn68": (12_611_602, 2_326),
    "dpn92": (37_668_392, 6_502),
    "se_resnet50": (28_088_024, 3_860),
    "senet154": (115_088_984, 20_688),
    "mobilenet_v1": (4_231_976, 568.7),
    "mobilenet_v2": (3_504_872, 300.8),
    "shufflenet_v1": (1_865_728, 137.5),
    "shufflenet_v2_x1_0": (2_278_604, 144.9),
}


def build(name: str, **arguments) -> nn.Module:
    """Build without memory: a meta tensor has a shape but no numbers."""
    with torch.device("meta"):
        return BUILDERS[name](**arguments).eval()


built = cache(build)


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def images(model_name: str, batch: int = 1, size: int = 224) -> torch.Tensor:
    shape = (batch, 1, 32, 32) if model_name.startswith("lenet5") else (batch, 3, size, size)
    return torch.empty(shape, device="meta")


def mega_macs(model: nn.Module, x: torch.Tensor) -> float:
    with FlopCounterMode(display=False) as counter:
        model(x)
    return counter.get_total_flops() / 2e6  # torch counts a multiplication and an addition as two


# --- all builders ------------------------------------------------------------------------------------------


def test_every_builder_has_its_size_stated_here():
    assert list(BUILDERS) == list(SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_parameters_are_exact(name):
    assert parameters(built(name)) == SIZES[name][0]


@pytest.mark.parametrize("name", SIZES)
def test_multiply_accumulates(name):
    expected = SIZES[name][1]
    measured = mega_macs(built(name), images(name))
    assert measured == pytest.approx(expected, abs=0.5 if expected > 600 else 0.05 if expected > 1 else 0.005)


@pytest.mark.parametrize("name", SIZES)
def test_num_classes_sets_the_length_of_the_scores(name):
    assert build(name, num_classes=7)(images(name, batch=2)).shape == (2, 7)


@pytest.mark.parametrize("name", SIZES)
def test_the_graph_of_the_forward_pass_can_be_traced(name):
    traced = fx.symbolic_trace(built(name))
    assert traced(images(name)).shape == built(name)(images(name)).shape


@pytest.mark.parametrize("name", SIZES)
def test_layers_are_called_once_in_the_order_they_are_printed(name):
    """What a figure drawn with hooks relies on."""
    model, called = build(name), []
    layers = {n: m for n, m in model.named_modules() if not list(m.children())}
    for n, layer in layers.items():
        layer.register_forward_hook(lambda *_, n=n: called.append(n))
    model(images(name))
    assert called == list(layers)


@pytest.mark.parametrize("nonsense", [0, -1, 2.5, "10", True, None])
@pytest.mark.parametrize("name", SIZES)
def test_a_nonsense_num_classes_is_refused_with_what_is_accepted(name, nonsense):
    with pytest.raises((TypeError, ValueError), match="num_classes must be a positive whole number"):
        build(name, num_classes=nonsense)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("lenet5", {"in_channels": 0}, "in_channels must be a positive whole number"),
        ("lenet5_1998", {"output": "softmax"}, "output must be one of 'rbf', 'linear', not 'softmax'"),
        ("alexnet_2012", {"groups": 3}, "groups must be one of 1, 2, not 3"),
        ("googlenet", {"aux_logits": "yes"}, "aux_logits must be one of False, True"),
        ("googlenet", {"kernel5": 7}, "kernel5 must be one of 3, 5, not 7"),
        ("resnext50_32x4d", {"cardinality": 0}, "cardinality must be a positive whole number"),
        ("resnext50_32x4d", {"width": 4.0}, "width must be a positive whole number"),
        ("senet154", {"reduction": -16}, "reduction must be a positive whole number"),
        ("mobilenet_v1", {"width_mult": 0}, "width_mult must be a positive number"),
        ("mobilenet_v2", {"width_mult": float("nan")}, "width_mult must be a positive number"),
        ("mobilenet_v2", {"width_mult": "1.0"}, "width_mult must be a positive number"),
        ("shufflenet_v1", {"groups": 5}, "groups must be one of 1, 2, 3, 4, 8, not 5"),
        ("shufflenet_v1", {"groups": True}, "groups must be one of 1, 2, 3, 4, 8, not True"),
    ],
)
def test_nonsense_is_refused_with_what_is_accepted(name, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build(name, **arguments)


def test_no_other_model_library_is_imported():
    code = "import sys, cnnbook.models; print(sorted({'torchvision', 'timm'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the same numbers as torchvision and timm --------------------------------------------------------------

TV = torchvision.models
REFERENCES = {
    "alexnet": (TV.alexnet, alexnet_from_torchvision, 128),
    "vgg16": (TV.vgg16, vgg.from_torchvision, 64),
    "vgg19": (TV.vgg19, vgg.from_torchvision, 64),
    "googlenet": (
        lambda: TV.googlenet(aux_logits=False, init_weights=False),
        googlenet_from_torchvision,
        64,
    ),
    "resnet18": (TV.resnet18, resnet.from_torchvision, 64),
    "resnet34": (TV.resnet34, resnet.from_torchvision, 64),
    "resnet50": (TV.resnet50, resnet.from_torchvision, 64),
    "resnet152": (TV.resnet152, resnet.from_torchvision, 64),
    "resnext50_32x4d": (TV.resnext50_32x4d, resnet.from_torchvision, 64),
    "densenet121": (TV.densenet121, densenet.from_torchvision, 64),
    "densenet161": (TV.densenet161, densenet.from_torchvision, 64),
    "dpn68": (lambda: timm.create_model("dpn68"), dpn.from_timm, 64),
    "dpn92": (lambda: timm.create_model("dpn92"), dpn.from_timm, 64),
    "se_resnet50": (lambda: timm.create_model("legacy_seresnet50"), senet.from_timm, 64),
    "senet154": (lambda: timm.create_model("legacy_senet154"), senet.from_timm, 64),
    "mobilenet_v1": (lambda: timm.create_model("mobilenetv1_100"), mobilenet.from_timm, 64),
    "mobilenet_v2": (TV.mobilenet_v2, mobilenet.from_torchvision, 64),
    "shufflenet_v2_x1_0": (TV.shufflenet_v2_x1_0, shufflenet.from_torchvision, 64),
}
NO_REFERENCE = {"lenet5", "lenet5_1998", "alexnet_2012", "shufflenet_v1"}


def test_every_builder_is_compared_or_known_to_have_no_reference():
    assert set(BUILDERS) == set(REFERENCES) | NO_REFERENCE


@torch.no_grad()
def randomised(builder, x: torch.Tensor) -> nn.Module:
    """Build a reference in float64, evaluation mode, with every weight and statistic drawn at random.

    The statistics are those of `x`, shaken a little: far from them a signal dies out or swamps the others.
    """
    with torch.device("meta"):
        model = builder().double()
    model.to_empty(device="cpu")
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = 1.0  # the running statistics become those of the batch
            module.weight.uniform_(0.5, 1.5)
            module.bias.uniform_(-0.5, 0.5)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            bound = (6 / module.weight[0].numel()) ** 0.5  # variance 2 / fan-in
            module.weight.uniform_(-bound, bound)
            if module.bias is not None:
                module.bias.uniform_(-0.5, 0.5)
    if norms:
        model.train()(x)
    for norm in norms:
        norm.running_mean.add_(torch.empty_like(norm.running_mean).uniform_(-0.1, 0.1))
        norm.running_var.mul_(torch.empty_like(norm.running_var).uniform_(0.8, 1.2)).clamp_(min=0.01)
    return model.eval()


def loaded(ours: nn.Module, state_dict: dict[str, torch.Tensor]) -> nn.Module:
    """Give a network built on the meta device the very tensors of `state_dict`, all of them."""
    ours.load_state_dict(state_dict, assign=True)
    return ours


@pytest.mark.parametrize("name", REFERENCES)
def test_the_reference_weights_load_and_give_the_reference_scores(name):
    builder, translate, size = REFERENCES[name]
    torch.manual_seed(0)
    x = torch.randn(2, 3, size, size, dtype=torch.float64)
    reference = randomised(builder, x)
    ours = loaded(build(name), translate(reference.state_dict()))
    with torch.no_grad():
        expected = reference(x)
    del reference
    scores = ours(x)
    torch.testing.assert_close(scores.detach(), expected, rtol=1e-5, atol=0)

    # The comparison is worth something only if every tensor moves the scores by more than the tolerance.
    scores.square().sum().backward()
    total = scores.detach().square().sum()
    hidden = [n for n, p in ours.named_parameters() if (p.grad * p.detach()).abs().sum() / total < 1e-4]
    assert hidden == []


def test_googlenet_heads_and_input_transform_are_the_reference_ones():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 96, 96, dtype=torch.float64)
    reference = randomised(lambda: TV.googlenet(transform_input=True, init_weights=False), x)
    ours = build("googlenet", aux_logits=True, transform_input=True)
    loaded(ours, googlenet_from_torchvision(reference.state_dict()))
    with torch.no_grad():
        torch.testing.assert_close(ours(x), reference(x), rtol=1e-5, atol=0)
        for head, channels in (("aux1", 512), ("aux2", 528)):
            half_way = torch.rand(2, channels, 14, 14, dtype=torch.float64)
            expected = getattr(reference, head)(half_way)
            torch.testing.assert_close(getattr(ours, head)(half_way), expected, rtol=1e-5, atol=0)


def test_googlenet_gives_three_scores_in_training_and_one_after():
    with torch.device("meta"):
        model = models.googlenet(num_classes=7, aux_logits=True)
        x = torch.empty(2, 3, 224, 224)
    assert [tuple(s.shape) for s in model.train()(x)] == [(2, 7)] * 3
    assert model.eval()(x).shape == (2, 7)


@pytest.mark.parametrize("width_mult", [0.35, 0.5, 0.75, 1.4])
def test_mobilenet_v2_widths_are_the_reference_ones(width_mult):
    with torch.device("meta"):
        reference = TV.mobilenet_v2(width_mult=width_mult)
    assert parameters(build("mobilenet_v2", width_mult=width_mult)) == parameters(reference)


def test_translating_two_names_into_one_is_refused():
    weights = {"layer1.0.residual.conv1.weight": torch.ones(1), "layer1.0.conv1.weight": torch.ones(1)}
    with pytest.raises(ValueError, match="both become"):
        resnet.from_torchvision(weights)


# --- the sizes the papers print ----------------------------------------------------------------------------


def test_googlenet_with_auxiliary_heads_has_the_reference_size():
    assert parameters(build("googlenet", aux_logits=True)) == 13_004_888


@pytest.mark.parametrize(
    ("width_mult", "size", "paper_macs", "paper_parameters"),
    [  # Howard et al. 2017, tables 6 and 7 (millions)
        (1.0, 224, 569, 4.2),
        (0.75, 224, 325, 2.6),
        (0.5, 224, 149, 1.3),
        (0.25, 224, 41, 0.5),
        (1.0, 192, 418, 4.2),
        (1.0, 160, 290, 4.2),
        (1.0, 128, 186, 4.2),
    ],
)
def test_mobilenet_v1_multipliers(width_mult, size, paper_macs, paper_parameters):
    model = build("mobilenet_v1", width_mult=width_mult)
    assert parameters(model) / 1e6 == pytest.approx(paper_parameters, abs=0.05)
    assert mega_macs(model, images("mobilenet_v1", size=size)) == pytest.approx(paper_macs, abs=1)


@pytest.mark.parametrize(
    ("groups", "macs", "paper_macs"),
    [(1, 143.1, 143), (2, 140.8, 140), (3, 137.5, 137), (4, 134.3, 133), (8, 138.4, 137)],
)
def test_shufflenet_v1_costs_the_same_for_any_number_of_groups(groups, macs, paper_macs):
    measured = mega_macs(build("shufflenet_v1", groups=groups), images("shufflenet_v1"))
    assert measured == pytest.approx(macs, abs=0.05)
    assert measured == pytest.approx(paper_macs, abs=1.5)  # Zhang et al. 2018, table 1


@pytest.mark.parametrize(("cardinality", "width"), [(1, 64), (2, 40), (4, 24), (8, 14), (32, 4)])
def test_resnext_keeps_the_budget_of_resnet50(cardinality, width):
    """Xie et al. 2017, table 2: about 25.5 million parameters at any cardinality."""
    model = build("resnext50_32x4d", cardinality=cardinality, width=width)
    assert parameters(model) == pytest.approx(SIZES["resnet50"][0], rel=0.025)


def test_resnext_of_one_path_is_resnet50():
    one_path = build("resnext50_32x4d", cardinality=1, width=64)
    shapes = {n: p.shape for n, p in one_path.named_parameters()}
    assert shapes == {n: p.shape for n, p in built("resnet50").named_parameters()}


def test_alexnet_2012_without_groups_has_twice_the_weights_where_the_gpus_met():
    grouped = dict(build("alexnet_2012").named_parameters())
    whole = dict(build("alexnet_2012", groups=1).named_parameters())
    doubled = [n for n in grouped if whole[n].numel() == 2 * grouped[n].numel()]
    assert doubled == ["conv2.weight", "conv4.weight", "conv5.weight"]


def test_alexnet_2012_normalises_before_pooling_by_the_formula_of_the_paper():
    model = build("alexnet_2012")
    assert [n for n, _ in model.named_children()][:4] == ["conv1", "relu1", "norm1", "pool1"]

    torch.manual_seed(0)
    a = 20 * torch.rand(1, 7, 1, 1, dtype=torch.float64)
    window = [a[:, max(0, i - 2) : i + 3].square().sum() for i in range(7)]
    expected = torch.stack([a[0, i, 0, 0] / (2 + 1e-4 * window[i]) ** 0.75 for i in range(7)])
    torch.testing.assert_close(model.norm1(a).flatten(), expected)


def test_shufflenet_v1_without_the_shuffle_keeps_its_groups_apart():
    def groups_that_meet(shuffle: bool) -> int:
        torch.manual_seed(0)
        unit = shufflenet.ShuffleUnit(36, 36, stride=1, groups=3, shuffle=shuffle).double().eval()
        x = torch.rand(1, 36, 4, 4, dtype=torch.float64, requires_grad=True)
        unit.residual(x)[:, :12].sum().backward()  # what the first group of outputs sees
        return sum(bool(g.any()) for g in x.grad.chunk(3, dim=1))

    assert groups_that_meet(shuffle=False) == 1
    assert groups_that_meet(shuffle=True) == 3


def test_shufflenet_v1_averages_the_shortcut_where_the_map_is_halved():
    unit = shufflenet.ShuffleUnit(12, 48, stride=2, groups=3)
    x = torch.rand(1, 12, 8, 8)
    y = unit(x)
    assert y.shape == (1, 48, 4, 4)
    torch.testing.assert_close(y[:, :12], nn.functional.avg_pool2d(x, 3, stride=2, padding=1))


# --- LeNet-5 of 1998 ---------------------------------------------------------------------------------------


def test_lenet_layers_have_the_parameters_of_the_paper():
    model = build("lenet5_1998")
    sizes = {name: parameters(layer) for name, layer in model.named_children() if parameters(layer)}
    assert sizes == {"c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "f6": 10_164}


def test_lenet_has_the_340908_connections_of_the_paper():
    model, x, connections = build("lenet5_1998"), images("lenet5_1998"), 0
    for name, layer in model.named_children():
        x = layer(x)
        positions = math.prod(x.shape[2:])
        if name in {"s2", "s4"}:
            connections += positions * x.shape[1] * (4 + 1)  # four inputs and a bias share two parameters
        elif name == "output":
            connections += 10 * 84
        else:
            connections += positions * parameters(layer)
    assert connections == 340_908


def test_lenet_c3_sees_only_the_maps_of_table_1():
    c3 = lenet.SparseConv2d(lenet.C3_CONNECTIONS, kernel_size=5)
    for i in range(16):
        x = torch.rand(1, 6, 14, 14, requires_grad=True)
        c3(x)[:, i].sum().backward()
        seen = [j for j in range(6) if x.grad[0, j].any()]
        assert seen == list(lenet.C3_CONNECTIONS[i])


def test_lenet_c3_connections_are_those_of_table_1():
    columns = ["".join("X" if j in seen else "." for j in range(6)) for seen in lenet.C3_CONNECTIONS]
    rows = ["".join(column[j] for column in columns) for j in range(6)]
    assert rows == [  # LeCun et al. 1998, table I
        "X...XXX..XXXX.XX",
        "XX...XXX..XXXX.X",
        "XXX...XXX..X.XXX",
        ".XXX..XXXX..X.XX",
        "..XXX..XXXX.XX.X",
        "...XXX..XXXX.XXX",
    ]


def test_lenet_subsampling_weighs_the_sum_of_four():
    layer = lenet.Subsampling(2)
    with torch.no_grad():
        layer.coefficient.copy_(torch.tensor([0.5, -1.0]).view(2, 1, 1))
        layer.bias.copy_(torch.tensor([1.0, 2.0]).view(2, 1, 1))
    x = torch.arange(8.0).view(1, 2, 2, 2)  # sums 6 and 22
    assert layer(x).flatten().tolist() == [0.5 * 6 + 1, -22 + 2]


def test_lenet_tanh_keeps_plus_and_minus_one():
    one = torch.tensor([1.0, -1.0])
    torch.testing.assert_close(lenet.ScaledTanh()(one), one, rtol=0, atol=1e-4)


def test_lenet_output_is_best_for_the_code_of_its_class():
    rbf = lenet.RBF(num_classes=12)
    scores = rbf(rbf.codes)
    assert set(rbf.codes.flatten().tolist()) == {-1.0, 1.0}
    assert scores.argmax(dim=1).tolist() == list(range(12))
    assert scores.diagonal().tolist() == [0.0] * 12
    differing = (rbf.codes[3] != rbf.codes[8]).sum()  # each differing unit is 2 away: 4 when squared
    assert scores[3, 8] == -4 * differing


def test_lenet_with_a_linear_output_has_850_more_parameters():
    assert parameters(build("lenet5_1998", output="linear")) == 60_850


@pytest.mark.parametrize("name", ["lenet5", "lenet5_1998"])
def test_lenet_learns_to_read_digits(name):
    torch.manual_seed(0)
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    x = 1.275 * nn.functional.interpolate(x, size=(32, 32)) - 0.1  # the paper: paper is -0.1, ink 1.175
    y = torch.tensor(digits.target)
    model = BUILDERS[name]()
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(2):
        for batch in torch.randperm(1500).split(32):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimiser.step()
    with torch.no_grad():
        right = (model(x[1500:]).argmax(dim=1) == y[1500:]).float().mean()
    assert right > 0.7  # chance: 0.1


def test_lenet_in_colour_is_a_62006_parameter_network():
    assert parameters(build("lenet5", in_channels=3)) == 62_006


@pytest.mark.parametrize(
    ("name", "shape", "advice"),
    [
        ("lenet5", (1, 1, 28, 28), "pad 28 × 28 digits"),
        ("lenet5_1998", (1, 3, 32, 32), "shape .N, 1, 32, 32., not .1, 3, 32, 32."),
        ("lenet5", (1, 32, 32), "takes a batch"),
        ("alexnet_2012", (1, 3, 256, 256), "resize and crop"),
    ],
)
def test_images_of_a_wrong_shape_are_refused_with_advice(name, shape, advice):
    with pytest.raises(ValueError, match=advice):
        build(name)(torch.empty(shape, device="meta"))


def test_a_network_that_checks_its_images_can_be_pickled():
    copied = pickle.loads(pickle.dumps(models.lenet5()))
    with pytest.raises(ValueError, match="takes a batch"):
        copied(torch.zeros(1, 1, 28, 28))
