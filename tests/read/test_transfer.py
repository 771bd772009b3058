"""`cnnbook.transfer`: one way to freeze, to swap heads and to read features, for all networks."""

import copy
import doctest
import pickle
import subprocess
import sys
from functools import partial

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cnnbook import models, transfer
from cnnbook.transfer import extract_features, freeze, head_names, parameter_groups, replace_head

THE_TWELVE = {
    "alexnet": "classifier.6",
    "squeezenet1_0": "classifier.1",
    "vgg16": "classifier.6",
    "densenet161": "classifier",
    "inception_v3": "fc",
    "googlenet": "fc",
    "shufflenet_v2_x1_0": "fc",
    "mobilenet_v2": "classifier.1",
    "resnext50_32x4d": "fc",
    "wide_resnet50_2": "fc",
    "mnasnet1_0": "classifier.1",
    "resnet18": "fc",
}
AUXILIARY = {"inception_v3": ("AuxLogits.fc",), "googlenet": ("aux1.fc2", "aux2.fc2")}

THEIRS = {
    f"torchvision {name}": partial(getattr(torchvision.models, name), weights=None) for name in THE_TWELVE
}
for name in ("inception_v3", "googlenet"):  # drawing their weights takes a minute, even on paper
    THEIRS[f"torchvision {name}"] = partial(THEIRS[f"torchvision {name}"], init_weights=False)
OURS = models.builders()
ALL = THEIRS | OURS | {"googlenet with heads": partial(models.googlenet, aux_logits=True)}

every_network = pytest.mark.parametrize("name", ALL)


def build(name: str, **arguments) -> nn.Module:
    """Build without memory: a meta tensor has a shape but no numbers."""
    with torch.device("meta"):
        return ALL[name](**arguments)


def images(name: str, n: int = 2) -> torch.Tensor:
    size = 299 if "inception" in name else 32 if name.startswith("lenet") else 224
    return torch.empty(n, 1 if name.startswith("lenet") else 3, size, size, device="meta")


def learning(model: nn.Module) -> set[str]:
    return {name for name, p in model.named_parameters() if p.requires_grad}


def small() -> nn.Sequential:
    """A network with all that can go wrong, on real numbers."""
    torch.manual_seed(0)
    return models._common.sequential(
        conv1=nn.Conv2d(1, 4, 3),
        bn1=nn.BatchNorm2d(4),
        conv2=nn.Conv2d(4, 6, 3),
        bn2=nn.BatchNorm2d(6),
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        drop=nn.Dropout(0.5),
        fc=nn.Linear(6, 3),
    )


def digits(n: int = 10) -> DataLoader:
    torch.manual_seed(1)
    return DataLoader(TensorDataset(torch.randn(n, 1, 8, 8), torch.arange(n)), batch_size=4)


# --- the head ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", THE_TWELVE)
def test_the_head_of_each_of_the_twelve_is_where_its_documentation_says(name):
    assert head_names(build(f"torchvision {name}")) == (THE_TWELVE[name], *AUXILIARY.get(name, ()))


@every_network
def test_a_new_head_scores_the_new_classes(name):
    model = build(name)
    assert replace_head(model, 7) is model
    assert model.eval()(images(name)).shape == (2, 7)


@pytest.mark.parametrize(
    "name", ["torchvision inception_v3", "torchvision googlenet", "googlenet with heads"]
)
def test_auxiliary_heads_follow_in_training(name):
    outputs = replace_head(build(name), 7).train()(images(name))
    assert {out.shape for out in outputs} == {(2, 7)}
    assert len(outputs) == len(head_names(build(name)))


@every_network
def test_only_the_head_is_replaced(name):
    model = build(name)
    before = dict(model.named_parameters())
    heads = head_names(replace_head(model, 7))
    same = {n for n, p in model.named_parameters() if before.get(n) is p}
    assert same == {n for n in before if n.rpartition(".")[0] not in heads}


@every_network
def test_a_new_head_has_the_parameters_of_a_network_built_for_so_many_classes(name):
    built = build(name, num_classes=7)
    replaced = replace_head(build(name), 7)
    shapes = {n: p.shape for n, p in built.named_parameters()}
    if name == "lenet5_1998":  # its fixed codes cannot be trained for new classes
        shapes |= {"output.weight": (7, 84), "output.bias": (7,)}
    assert {n: p.shape for n, p in replaced.named_parameters()} == shapes


def test_a_new_head_stands_in_the_place_of_the_old_one():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3, bias=False, dtype=torch.float64)).eval()
    freeze(model)
    model[1].requires_grad_(False)
    new = replace_head(model, 3)[1]
    assert new.bias is None and new.weight.dtype == torch.float64
    assert new.weight.requires_grad and not new.training


def test_a_head_that_is_there_already_gets_fresh_weights():
    model = small()
    old = model.fc.weight.clone()
    assert not torch.equal(replace_head(model, 3).fc.weight, old)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: torchvision.models.vit_b_16(weights=None), "head of VisionTransformer is, is not known"),
        (lambda: nn.Conv2d(3, 4, 1), "head of Conv2d is, is not known"),
        (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), r"\('0', Conv2d, gives no scores\)"),
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), r"\('1', BatchNorm1d, gives no scores\)"),
        (lambda: nn.Sequential(nn.Flatten(), nn.ReLU()), "head of Sequential is, is not known"),
        (lambda: torchvision.models.resnet18, "must be an nn.Module, not function"),
    ],
)
@pytest.mark.parametrize(
    "use",
    [
        lambda model: replace_head(model, 5),
        freeze,
        lambda model: parameter_groups(model, head_lr=0.1, backbone_lr=0.1),
        lambda model: extract_features(model, []),
    ],
)
def test_what_has_no_known_head_is_refused_by_name(network, message, use):
    with torch.device("meta"), pytest.raises((TypeError, ValueError), match=message):
        use(network())


def test_a_refusal_says_what_is_accepted():
    with pytest.raises(ValueError, match=r"known are the networks of cnnbook\.models and of torchvision"):
        replace_head(nn.Sequential(nn.ReLU()), 5)


@pytest.mark.parametrize("nonsense", [0, -1, 2.5, "10", True, None])
def test_a_nonsense_num_classes_is_refused_and_nothing_changes(nonsense):
    model = small()
    before = model.fc
    with pytest.raises((TypeError, ValueError), match="num_classes must be a positive whole number"):
        replace_head(model, nonsense)
    assert model.fc is before


# --- what learns -------------------------------------------------------------------------------------------


@every_network
def test_freeze_leaves_the_head_to_learn(name):
    model = replace_head(build(name), 7)
    assert freeze(model) is model
    assert learning(model) == {f"{head}.{p}" for head in head_names(model) for p in ("weight", "bias")}


@every_network
def test_freeze_and_replace_head_may_come_in_either_order(name):
    assert learning(replace_head(freeze(build(name)), 7)) == learning(freeze(replace_head(build(name), 7)))


@every_network
def test_every_layer_can_be_the_boundary(name):
    """Layers before it are frozen, layers from it on learn, in the order of the forward pass."""
    model = build(name)
    names = [n for n, _ in model.named_children()]
    order = list(dict(model.named_parameters()))
    for boundary in names:
        free = learning(freeze(model, until=boundary))
        first = next((i for i, n in enumerate(order) if n in free), len(order))
        assert free == set(order[first:])
        assert all(n in free for n in order if n.split(".")[0] == boundary)


def test_the_boundary_moves_both_ways():
    model = freeze(small())
    assert learning(freeze(model, until="conv2")) > learning(freeze(small(), until="fc"))
    assert learning(freeze(model, until="conv1")) == set(dict(model.named_parameters()))
    assert learning(freeze(model)) == {"fc.weight", "fc.bias"}


def test_the_boundary_may_lie_within_a_block():
    model = freeze(build("torchvision resnet18"), until="layer4.1.conv2")
    layers = {n.rpartition(".")[0] for n in learning(model)}
    assert layers == {"layer4.1.conv2", "layer4.1.bn2", "fc"}


def test_an_unknown_boundary_is_refused_with_the_layers_there_are():
    with pytest.raises(ValueError, match="has no layer 'layer4'; it has conv1, bn1, conv2"):
        freeze(small(), until="layer4")
    with pytest.raises(ValueError, match="has no layer ''"):
        freeze(small(), until="")


def test_batch_norm_of_frozen_layers_keeps_its_statistics_in_training():
    model = freeze(small(), until="conv2").train()
    frozen, free = copy.deepcopy(model.bn1.state_dict()), copy.deepcopy(model.bn2.state_dict())
    for x, _ in digits():
        model(x)
    assert all(torch.equal(v, frozen[k]) for k, v in model.bn1.state_dict().items())
    assert not torch.equal(model.bn2.running_mean, free["running_mean"])
    assert not model.bn1.training and model.bn2.training


def test_batch_norm_learns_again_once_its_layer_does():
    model = freeze(small().train())
    freeze(model, until="bn1")
    before = model.bn1.running_mean.clone()
    model(next(iter(digits()))[0])
    assert not torch.equal(model.bn1.running_mean, before)


def test_frozen_features_do_not_depend_on_the_batch():
    model = freeze(small()).train()
    x = torch.randn(4, 1, 8, 8)
    backbone = model[:-2]
    torch.testing.assert_close(backbone(x)[:1], backbone(x[:1]))


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_is_as_frozen_as_its_original(clone):
    model = clone(freeze(small(), until="conv2")).train()
    before = model.bn1.running_mean.clone()
    model(next(iter(digits()))[0])
    assert torch.equal(model.bn1.running_mean, before)
    assert learning(model) == learning(freeze(small(), until="conv2"))


def test_a_step_moves_what_learns_and_nothing_else():
    model = freeze(small(), until="conv2")
    before = copy.deepcopy(model.state_dict())
    groups = parameter_groups(model, head_lr=0.1, backbone_lr=0.1)
    optimizer = torch.optim.SGD(groups, weight_decay=0.1, momentum=0.9)
    x, _ = next(iter(digits()))
    nn.functional.cross_entropy(model.train()(x), torch.tensor([0, 1, 2, 0])).backward()
    optimizer.step()
    moved = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert moved == learning(model)


# --- learning rates ----------------------------------------------------------------------------------------


@every_network
def test_groups_hold_each_learning_parameter_once(name):
    model = replace_head(build(name), 7)
    groups = parameter_groups(model, head_lr=0.1, backbone_lr=0.01, decay=0.9)
    ids = [id(p) for group in groups for p in group["params"]]
    assert len(ids) == len(set(ids))
    assert set(ids) == {id(p) for p in model.parameters()}
    heads = head_names(model)
    assert {g["name"] for g in groups if g["lr"] == 0.1} == set(heads)
    rates = [g["lr"] for g in groups if g["name"] not in heads]
    assert rates == pytest.approx([0.01 * 0.9**k for k in reversed(range(len(rates)))])


def test_layers_of_one_long_list_are_groups_of_their_own():
    groups = parameter_groups(build("torchvision vgg16"), head_lr=0.1, backbone_lr=0.01)
    assert [g["name"] for g in groups][-4:] == ["features.28", "classifier.0", "classifier.3", "classifier.6"]


def test_frozen_layers_have_no_group_and_do_not_count():
    groups = parameter_groups(freeze(small(), "conv2"), head_lr=0.1, backbone_lr=0.01, decay=0.5)
    assert [(g["name"], g["lr"]) for g in groups] == [("conv2", 0.005), ("bn2", 0.01), ("fc", 0.1)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"head_lr": 0}, "head_lr must be a positive number"),
        ({"backbone_lr": "0.1"}, "backbone_lr must be a positive number"),
        ({"decay": -0.5}, "decay must be a positive number"),
        ({"decay": 1.5}, "decay must be at most 1"),
    ],
)
def test_nonsense_rates_are_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        parameter_groups(small(), **({"head_lr": 0.1, "backbone_lr": 0.1} | arguments))


def test_a_network_in_which_nothing_learns_is_refused():
    with pytest.raises(ValueError, match="no parameter of this Sequential learns"):
        parameter_groups(small().requires_grad_(False), head_lr=0.1, backbone_lr=0.1)


# --- features ----------------------------------------------------------------------------------------------


@every_network
def test_features_have_the_width_the_head_takes(name):
    model = replace_head(build(name), 7)
    head = model.get_submodule(head_names(model)[0])
    seen = []
    hook = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[1]))
    model.eval()(images(name))
    hook.remove()
    assert seen == [head.in_channels if isinstance(head, nn.Conv2d) else head.in_features]


def test_features_times_the_head_are_the_scores():
    model = small()
    features, labels = extract_features(model, digits())
    x = torch.cat([x for x, _ in digits()])
    torch.testing.assert_close(model.fc(features), model.eval()(x))
    assert labels.tolist() == list(range(10))
    assert features.shape == (10, 6) and not features.requires_grad


def test_maps_before_a_convolutional_head_are_averaged():
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    features, _ = extract_features(model, digits())
    x = torch.cat([x for x, _ in digits()])
    torch.testing.assert_close(features, model[:2](x).mean(dim=(2, 3)).detach())


def test_every_layer_gets_its_own_mode_back_and_no_statistic_moves():
    model = small().train()
    model.drop.eval()
    before = copy.deepcopy(model.state_dict())
    modes = [layer.training for layer in model.modules()]
    extract_features(model, digits())
    assert [layer.training for layer in model.modules()] == modes
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_modes_and_hooks_are_put_back_after_an_error():
    model = small().train()
    with pytest.raises(TypeError, match="pairs of images and labels, not Tensor"):
        extract_features(model, [torch.zeros(2, 1, 8, 8)])
    assert model.training and not model.fc._forward_pre_hooks


def test_an_empty_loader_is_refused():
    with pytest.raises(ValueError, match="loader gave no batches"):
        extract_features(small(), [])


# --- the module --------------------------------------------------------------------------------------------


def test_the_examples_of_the_documentation_run():
    result = doctest.testmod(transfer)
    assert result.attempted > 0 and result.failed == 0


def test_torchvision_is_not_imported():
    code = "import sys, cnnbook.transfer; print('torchvision' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
