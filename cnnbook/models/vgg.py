"""VGG: nothing but 3 × 3 convolutions, doubled in width each time the map is halved.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015
(arXiv:1409.1556): table 1, columns D (`vgg16`) and E (`vgg19`); section 2.3 on why 3 × 3.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from ._common import check_positive_int, he_init, rename, sequential


def vgg16(num_classes: int = 1000) -> nn.Sequential:
    """VGG-16, column D: 13 convolutions and 3 fully connected layers (138,357,544 parameters).

    Parameters
    ----------
    num_classes : int
        Number of classes.

    Returns
    -------
    nn.Sequential
        Takes images (N, 3, H, W), made for 224 × 224, at least 32 × 32; gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If `num_classes` is not a positive whole number.
    """
    return _vgg((2, 2, 3, 3, 3), num_classes)


def vgg19(num_classes: int = 1000) -> nn.Sequential:
    """VGG-19, column E: 16 convolutions and 3 fully connected layers (143,667,240 parameters).

    Parameters
    ----------
    num_classes : int
        Number of classes.

    Returns
    -------
    nn.Sequential
        Takes images (N, 3, H, W), made for 224 × 224, at least 32 × 32; gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If `num_classes` is not a positive whole number.
    """
    return _vgg((2, 2, 4, 4, 4), num_classes)


def _vgg(depths: Sequence[int], num_classes: int) -> nn.Sequential:
    check_positive_int("num_classes", num_classes)
    widths = (64, 128, 256, 512, 512)

    layers: dict[str, nn.Module] = {}
    in_channels = 3
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        for i in range(1, depth + 1):
            layers[f"conv{stage}_{i}"] = nn.Conv2d(in_channels, width, 3, padding=1)
            layers[f"relu{stage}_{i}"] = nn.ReLU()
            in_channels = width
        # 64 × 112 × 112, 128 × 56 × 56, 256 × 28 × 28, 512 × 14 × 14, 512 × 7 × 7
        layers[f"pool{stage}"] = nn.MaxPool2d(2)

    model = sequential(
        **layers,
        resize=nn.AdaptiveAvgPool2d(7),  #     changes nothing at 224 × 224; lets other sizes in
        flatten=nn.Flatten(),  #           25088
        fc6=nn.Linear(512 * 7 * 7, 4096),  # 4096: 103 of the 138 million parameters are here
        relu6=nn.ReLU(),
        drop6=nn.Dropout(0.5),
        fc7=nn.Linear(4096, 4096),  #       4096
        relu7=nn.ReLU(),
        drop7=nn.Dropout(0.5),
        fc8=nn.Linear(4096, num_classes),
    )
    he_init(model)
    return model


def from_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of torchvision's `vgg16` or `vgg19` (the ones without batch norm).

    torchvision numbers all layers in one list. There a convolution comes 2 places after the one before it
    (a ReLU lies between), or 3 where a pooling layer begins a new stage.
    """
    places = sorted({int(key.split(".")[1]) for key in state_dict if key.startswith("features.")})
    rules = [(r"^classifier\.0\.", "fc6."), (r"^classifier\.3\.", "fc7."), (r"^classifier\.6\.", "fc8.")]
    stage, i, previous = 1, 0, -2
    for place in places:
        stage, i = (stage + 1, 1) if place - previous == 3 else (stage, i + 1)
        rules.append((rf"^features\.{place}\.", f"conv{stage}_{i}."))
        previous = place
    return rename(state_dict, *rules)
