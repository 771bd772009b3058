"""Transfer learning: freeze a trained network, give it a new head, train its layers at their own pace.

    model = replace_head(resnet18(weights="DEFAULT"), num_classes=5)
    freeze(model)                                        # a feature extractor with a trainable head
    freeze(model, until="layer4")                        # or: the last stage learns too
    SGD(parameter_groups(model, head_lr=0.01, backbone_lr=0.001), momentum=0.9)

The *head* is the layer that turns features into scores; all that stands before it is the *backbone*. Its
place is known in every network of `cnnbook.models`, in the twelve of torchvision that the course names and in
those built like them, in `nn.Sequential` networks that end with it, and in the efficientnet_lite_pytorch
package.
Nothing here imports torchvision.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .models._common import check_positive, check_positive_int
from .models.lenet import RBF

__all__ = ["extract_features", "freeze", "head_names", "parameter_groups", "replace_head"]

_HEADS = ("fc", "classifier", "_fc")
_AUXILIARY_HEADS = ("AuxLogits.fc", "aux1.fc2", "aux2.fc2")  # Inception v3; GoogLeNet
_CONTAINERS = ("features", "classifier", "layers", "blocks", "_blocks")  # lists of layers, not layers

_KNOWN = (
    "known are the networks of cnnbook.models and of torchvision whose head is `fc` or (the last layer of) "
    "`classifier`, and an nn.Sequential that ends with an nn.Linear or a 1 × 1 nn.Conv2d"
)

# --- the head ----------------------------------------------------------------------------------------------


def head_names(model: nn.Module) -> tuple[str, ...]:
    """Name the layers of `model` that give scores: its head and, where it has them, its auxiliary heads.

    Parameters
    ----------
    model : nn.Module
        A classifier.

    Returns
    -------
    tuple of str
        Names as in `model.named_modules()`; the head comes first.

    Raises
    ------
    TypeError
        If `model` is not an `nn.Module`.
    ValueError
        If the head of such a network is not known.

    Examples
    --------
    >>> from cnnbook.models import lenet5
    >>> head_names(lenet5())
    ('output',)
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, not {type(model).__name__}")
    layers = dict(model.named_modules())
    start = "" if isinstance(model, nn.Sequential) else next((n for n in _HEADS if n in layers), None)
    head = None if start is None else _last_with_numbers(start, layers[start])
    if head is None or not _gives_scores(layers[head]):
        last = "" if head is None else f" ({head!r}, {type(layers[head]).__name__}, gives no scores)"
        raise ValueError(f"where the head of {type(model).__name__} is, is not known{last}: {_KNOWN}")
    return (head, *(n for n in _AUXILIARY_HEADS if n in layers))


def _last_with_numbers(name: str, module: nn.Module) -> str | None:
    """Go down a chain to its last layer that holds parameters or buffers; pooling and dropout hold none."""
    if not isinstance(module, nn.Sequential):
        return name
    for child, layer in reversed(list(module.named_children())):
        if layer.state_dict():
            return _last_with_numbers(f"{name}.{child}" if name else child, layer)
    return None


def _gives_scores(layer: nn.Module) -> bool:
    one_by_one = isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) and layer.groups == 1
    return one_by_one or isinstance(layer, nn.Linear | RBF)


def replace_head(model: nn.Module, num_classes: int) -> nn.Module:
    """Put new layers with fresh weights in the place of the head and of auxiliary heads.

    Parameters
    ----------
    model : nn.Module
        A classifier. It is changed in place.
    num_classes : int
        Number of classes of the new task.

    Returns
    -------
    nn.Module
        The same `model`. The new head is of the old one's kind (SqueezeNet's stays a 1 × 1 convolution; the
        fixed codes of `lenet5_1998` become a linear layer), on its device, in its precision; it can be
        trained even if the old one was frozen.

    Raises
    ------
    TypeError, ValueError
        If the head of such a network is not known, or `num_classes` is not a positive whole number.

    Examples
    --------
    >>> from cnnbook.models import lenet5
    >>> replace_head(lenet5(), num_classes=3).output
    Linear(in_features=84, out_features=3, bias=True)
    """
    check_positive_int("num_classes", num_classes)
    for name in head_names(model):
        parent, _, child = name.rpartition(".")
        old = model.get_submodule(name)
        setattr(model.get_submodule(parent), child, _like(old, num_classes).train(old.training))
    return model


def _like(old: nn.Module, num_classes: int) -> nn.Module:
    weight = old.codes if isinstance(old, RBF) else old.weight
    place: dict[str, Any] = {"device": weight.device, "dtype": weight.dtype}
    if isinstance(old, RBF):
        return nn.Linear(weight.shape[1], num_classes, **place)
    place["bias"] = old.bias is not None
    if isinstance(old, nn.Conv2d):
        return nn.Conv2d(old.in_channels, num_classes, 1, old.stride, old.padding, **place)
    return nn.Linear(old.in_features, num_classes, **place)


# --- what learns -------------------------------------------------------------------------------------------


def freeze(model: nn.Module, until: str | None = None) -> nn.Module:
    """Let only the layers from `until` on learn.

    Parameters
    ----------
    model : nn.Module
        A network. It is changed in place.
    until : str, optional
        Name of the first layer that learns, as in `model.named_modules()`: all layers registered before it
        are frozen, it and all after it learn. Registration is the order of the forward pass in the networks
        of this course. By default only the head (and auxiliary heads) learns.

    Returns
    -------
    nn.Module
        The same `model`.

    Raises
    ------
    TypeError, ValueError
        If `model` is not an `nn.Module`, has no layer `until`, or if the default is asked for and its head
        is not known.

    Notes ----- Parameters of frozen layers get `requires_grad = False`, all others `True`: calling again
    moves the boundary.

    A batch norm in a frozen layer keeps using its running mean and variance, and keeps them as they are,
    also after `model.train()`. Without this its statistics would go on moving with every batch, although
    nothing in it "learns", and the frozen features would change with them. Dropout in frozen layers stays
    as it is.

    Examples
    --------
    >>> from cnnbook.models import lenet5
    >>> [name for name, p in freeze(lenet5()).named_parameters() if p.requires_grad]
    ['output.weight', 'output.bias']
    """
    learning = _learning_layers(model, until)
    for name, layer in model.named_modules():
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(name in learning)
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            _hold_statistics(layer, name not in learning, model.training)
    return model


def _learning_layers(model: nn.Module, until: str | None) -> set[str]:
    if until is None:
        return set(head_names(model))
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, not {type(model).__name__}")
    names = [name for name, _ in model.named_modules()]
    if until not in names[1:]:
        top = ", ".join(name for name, _ in model.named_children())
        raise ValueError(
            f"{type(model).__name__} has no layer {until!r}; it has {top}, and layers within these"
        )
    return set(names[names.index(until) :])


def _hold_statistics(batch_norm: nn.Module, hold: bool, training: bool) -> None:
    """Keep a batch norm in eval mode while `hold` is set, whatever `model.train()` says later."""
    held_before = getattr(batch_norm, "held", None)
    if held_before is None:
        batch_norm.register_forward_pre_hook(_eval_if_held)
    batch_norm.held = hold
    if hold:
        batch_norm.eval()
    elif held_before:
        batch_norm.train(training)


def _eval_if_held(batch_norm: nn.Module, _: tuple[Tensor, ...]) -> None:
    if batch_norm.held:
        batch_norm.eval()


def parameter_groups(
    model: nn.Module, *, head_lr: float, backbone_lr: float, decay: float = 1.0
) -> list[dict[str, Any]]:
    """Group the parameters that learn for an optimiser, each layer with its own learning rate.

    Parameters
    ----------
    model : nn.Module
        A network whose head is known.
    head_lr : float
        Learning rate of the head and of auxiliary heads.
    backbone_lr : float
        Learning rate of the layer of the backbone next to the head.
    decay : float
        The learning rate of every further layer towards the image is `decay` times that of the one after
        it. A layer is a child of the model, or a child of its `features`, `layers`, `blocks` or
        `classifier`. Layers that are frozen or hold no parameters do not count.

    Returns
    -------
    list of dict
        For `torch.optim`: keys "params", "lr" and "name", from the image to the head. Layers of the same
        learning rate stay separate groups, so that each can be found by its name.

    Raises
    ------
    TypeError, ValueError
        If a learning rate is not positive, `decay` is not between 0 and 1, the head is not known, or no
        parameter learns.

    Examples
    --------
    >>> from cnnbook.models import lenet5
    >>> groups = parameter_groups(freeze(lenet5(), "c5"), head_lr=0.1, backbone_lr=0.01, decay=0.5)
    >>> [(group["name"], group["lr"]) for group in groups]
    [('c5', 0.005), ('f6', 0.01), ('output', 0.1)]
    """
    check_positive("head_lr", head_lr)
    check_positive("backbone_lr", backbone_lr)
    check_positive("decay", decay)
    if decay > 1:
        raise ValueError(f"decay must be at most 1, not {decay}: layers near the image learn most slowly")
    heads = {name: _learning(model.get_submodule(name)) for name in head_names(model)}
    in_heads = {id(p) for parameters in heads.values() for p in parameters}
    backbone = {
        name: [p for p in _learning(layer) if id(p) not in in_heads] for name, layer in _layers(model)
    }
    groups, lr = [], backbone_lr
    for name, parameters in reversed(backbone.items()):
        if parameters:
            groups.append({"params": parameters, "lr": lr, "name": name})
            lr *= decay
    groups.reverse()
    groups += [{"params": ps, "lr": head_lr, "name": name} for name, ps in heads.items() if ps]
    if not groups:
        raise ValueError(
            f"no parameter of this {type(model).__name__} learns: unfreeze a layer, or replace the head"
        )
    return groups


def _layers(model: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, child in model.named_children():
        if name in _CONTAINERS and isinstance(child, nn.Sequential | nn.ModuleList):
            yield from _layers(child, f"{prefix}{name}.")
        else:
            yield prefix + name, child


def _learning(layer: nn.Module) -> list[nn.Parameter]:
    return [p for p in layer.parameters() if p.requires_grad]


# --- features ----------------------------------------------------------------------------------------------


@torch.no_grad()
def extract_features(model: nn.Module, loader: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Collect what the head of `model` sees.

    Parameters
    ----------
    model : nn.Module
        A network whose head is known. It runs in eval mode; each layer gets its own mode back afterwards.
    loader : iterable of (Tensor, Tensor)
        Batches of images (N, C, H, W) and labels (N,), such as a `DataLoader`.

    Returns
    -------
    features : Tensor
        Shape (number of images, D), on the CPU, without gradient. A head that is a convolution sees maps:
        they are averaged over the image.
    labels : Tensor
        Shape (number of images,), in the same order.

    Raises
    ------
    TypeError, ValueError
        If the head is not known, or if `loader` gives no batches or anything but pairs.
    """
    head_name, *_ = head_names(model)
    head = model.get_submodule(head_name)
    features: list[Tensor] = []
    labels: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0]
        features.append((x.mean(dim=(2, 3)) if x.ndim == 4 else x).cpu())

    modes = {layer: layer.training for layer in model.modules()}
    hook = head.register_forward_pre_hook(keep)
    anchor = next((t for t in (*model.parameters(), *model.buffers())), torch.empty(0))
    try:
        model.eval()
        for batch in loader:
            if not isinstance(batch, tuple | list) or len(batch) != 2:
                raise TypeError(f"loader must give pairs of images and labels, not {type(batch).__name__}")
            model(batch[0].to(anchor.device))
            labels.append(batch[1].cpu())
    finally:
        hook.remove()
        for layer, training in modes.items():
            layer.training = training
    if not features:
        raise ValueError("loader gave no batches")
    return torch.cat(features), torch.cat(labels)
