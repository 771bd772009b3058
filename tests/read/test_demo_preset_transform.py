"""PresetTransform does what torchvision's transforms of the weights do."""

from __future__ import annotations

import random

import pytest
import torch
import traitlets
from PIL import Image
from torchvision import models
from torchvision.transforms import functional as TF

from cnnbook.demos import PresetTransform
from cnnbook.pretrained import THE_TWELVE
from tests.demo_harness import in_node

CASES = 2000


def test_every_preset_of_the_twelve_is_one_of_the_three():
    (presets,) = in_node(PresetTransform, "(m) => [m.PRESETS, m.MEAN, m.STD]", [None])
    sizes, mean, std = presets
    for name in THE_TWELVE:
        own = models.get_model_weights(name).DEFAULT.transforms()
        assert [*own.resize_size, *own.crop_size] in sizes.values()
        assert own.mean == mean and own.std == std
    for name, size in sizes.items():
        own = models.get_model_weights(name).DEFAULT.transforms()
        assert [*own.resize_size, *own.crop_size] == size


def test_sizes_are_torchvisions():
    r = random.Random(0)
    cases = [[r.randint(100, 4000), r.randint(100, 4000), r.choice([232, 256, 342])] for _ in range(CASES)]
    told = in_node(PresetTransform, "(m, c) => m.resized(...c)", cases)
    for (w, h, size), got in zip(cases, told, strict=True):
        expected = TF._compute_resized_output_size((h, w), [size])
        assert got == expected[::-1]


def test_the_crop_lies_where_torchvision_puts_it():
    r = random.Random(1)
    cases = [[r.randint(232, 600), r.randint(232, 600), 224] for _ in range(CASES)]
    told = in_node(PresetTransform, "(m, c) => m.centre(...c)", cases)
    for (w, h, crop), got in zip(cases, told, strict=True):
        rows = torch.arange(h)[:, None].expand(h, w)
        columns = torch.arange(w)[None].expand(h, w)
        corner = TF.center_crop(torch.stack([rows, columns]), [crop])[:, 0, 0]
        assert [got["top"], got["left"]] == corner.tolist()


def test_the_shown_lines_give_the_shown_values():
    r = random.Random(2)
    models_ = ["resnet18", "mobilenet_v2", "inception_v3"]
    cases = [
        {
            "m": r.choice(models_),
            "w": r.randint(100, 900),
            "h": r.randint(100, 900),
            "p": r.choices(range(256), k=3),
        }
        for _ in range(25)
    ]
    call = "(m, c) => [m.PRESETS[c.m][1], c.p.map(m.normalise), m.visionLines(c.m, c.w, c.h, c.p)]"
    for crop, values, text in in_node(PresetTransform, call, cases):
        names: dict = {}
        exec(text, names)
        assert names["x"].shape == (3, crop, crop)
        assert names["x"][:, 0, 0].tolist() == pytest.approx(values, abs=1e-5)


def test_the_lines_are_the_weights_own_transforms():
    (text,) = in_node(PresetTransform, "(m) => m.visionLines('resnet18', 640, 427, [1, 2, 3])", [None])
    names: dict = {}
    exec(text, names)
    noise = Image.effect_noise((300, 280), 50).convert("RGB")
    own = models.ResNet18_Weights.DEFAULT.transforms()
    torch.testing.assert_close(names["prepare"](noise), own(noise))


def test_a_state_it_cannot_show_is_refused():
    for state in ({"model": "vgg19"}, {"width": 10}, {"red": 256}):
        with pytest.raises(traitlets.TraitError):
            PresetTransform(**state)
