"""What the families share: argument checks, named stacks, stages, initialisation, renamed weights."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from numbers import Integral, Real

from torch import Tensor, nn

# --- arguments ---------------------------------------------------------------------------------------------


def check_positive_int(name: str, value: int) -> None:
    """Raise unless `value` is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a positive whole number such as 10, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be a positive whole number such as 10, not {value}")


def check_positive(name: str, value: float) -> None:
    """Raise unless `value` is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a positive number such as 0.5, not {value!r}")
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} must be a positive number such as 0.5, not {value}")


def check_choice(name: str, value: object, choices: Iterable[object]) -> None:
    """Raise unless `value` is one of `choices`."""
    choices = list(choices)
    # To Python True is 1; to a reader it is not.
    if isinstance(value, bool) != any(isinstance(c, bool) for c in choices) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")


def accept_only(model: nn.Module, channels: int, size: int, hint: str) -> None:
    """Make `model` explain itself when its images are not N × channels × size × size.

    A network that flattens its last feature map takes one image size only; without this check the reader
    meets "mat1 and mat2 shapes cannot be multiplied".
    """
    model.register_forward_pre_hook(partial(_check_images, (channels, size, size), hint))


def _check_images(expected: tuple[int, ...], hint: str, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    shape = tuple(inputs[0].shape)
    if len(shape) != 4 or shape[1:] != expected:
        wanted = ", ".join(map(str, expected))
        raise ValueError(f"this network takes a batch of shape (N, {wanted}), not {shape}; {hint}")


# --- building ----------------------------------------------------------------------------------------------


def sequential(**layers: nn.Module) -> nn.Sequential:
    """Chain layers under their own names, so that `print(model)` reads like the paper's table."""
    return nn.Sequential(OrderedDict(layers))


def conv_bn(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    groups: int = 1,
    activation: type[nn.Module] | None = nn.ReLU,
    eps: float = 1e-5,
) -> nn.Sequential:
    """Chain a size-keeping convolution without bias, batch norm and, unless it is None, an activation."""
    padding = kernel_size // 2
    layers: dict[str, nn.Module] = {
        "conv": nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False),
        "bn": nn.BatchNorm2d(out_channels, eps=eps),
    }
    if activation is not None:
        layers["act"] = activation()
    return sequential(**layers)


def stage(
    block: Callable[[int, int, int], nn.Module], in_channels: int, out_channels: int, depth: int, stride: int
) -> nn.Sequential:
    """Chain `depth` blocks: the first one changes width and size, the others keep both."""
    first = block(in_channels, out_channels, stride)
    return nn.Sequential(first, *(block(out_channels, out_channels, 1) for _ in range(depth - 1)))


def he_init(model: nn.Module) -> None:
    """Draw every convolution's weights from N(0, 2 / fan-in) and clear its bias (He et al. 2015, eq. 10)."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


# --- weights of other libraries ----------------------------------------------------------------------------


def rename(state_dict: Mapping[str, Tensor], *rules: tuple[str, str]) -> dict[str, Tensor]:
    """Apply the regular-expression `rules` (pattern, replacement), in order, to every name of a `state_dict`.

    Raises
    ------
    ValueError
        If two names become one: a tensor would be lost.
    """
    renamed: dict[str, Tensor] = {}
    for old, tensor in state_dict.items():
        new = old
        for pattern, replacement in rules:
            new = re.sub(pattern, replacement, new)
        if new in renamed:
            raise ValueError(f"{old!r} and an earlier name both become {new!r}: is it another network's?")
        renamed[new] = tensor
    return renamed
