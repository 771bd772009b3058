"""AlexNet: eight layers, two GPUs, and the end of hand-made features.

`alexnet_2012`: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
networks", NIPS 2012: figure 2, sections 3.1 to 3.5, 4.2 and 5. `alexnet`, the one that torchvision has: its
successor in one column, Krizhevsky, "One weird trick for parallelizing convolutional neural networks",
arXiv:1404.5997, 2014.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from ._common import accept_only, check_choice, check_positive_int, rename, sequential


def alexnet(num_classes: int = 1000) -> nn.Sequential:
    """AlexNet of 2014: one column, narrower first layers, no response normalisation (61,100,840 parameters).

    Parameters
    ----------
    num_classes : int
        Number of classes.

    Returns
    -------
    nn.Sequential
        Takes images (N, 3, H, W), made for 224 × 224, at least 63 × 63; gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If `num_classes` is not a positive whole number.
    """
    check_positive_int("num_classes", num_classes)
    return sequential(
        conv1=nn.Conv2d(3, 64, 11, stride=4, padding=2),  #  64 × 55 × 55
        relu1=nn.ReLU(),
        pool1=nn.MaxPool2d(3, stride=2),  #                  64 × 27 × 27: windows of 3 overlap at stride 2
        conv2=nn.Conv2d(64, 192, 5, padding=2),  #          192 × 27 × 27
        relu2=nn.ReLU(),
        pool2=nn.MaxPool2d(3, stride=2),  #                 192 × 13 × 13
        conv3=nn.Conv2d(192, 384, 3, padding=1),  #         384 × 13 × 13
        relu3=nn.ReLU(),
        conv4=nn.Conv2d(384, 256, 3, padding=1),  #         256 × 13 × 13
        relu4=nn.ReLU(),
        conv5=nn.Conv2d(256, 256, 3, padding=1),  #         256 × 13 × 13
        relu5=nn.ReLU(),
        pool5=nn.MaxPool2d(3, stride=2),  #                 256 × 6 × 6
        resize=nn.AdaptiveAvgPool2d(6),  #                  changes nothing at 224 × 224; lets other sizes in
        flatten=nn.Flatten(),  #                           9216
        drop6=nn.Dropout(0.5),
        fc6=nn.Linear(9216, 4096),  #                      4096: 38 of the 61 million parameters are here
        relu6=nn.ReLU(),
        drop7=nn.Dropout(0.5),
        fc7=nn.Linear(4096, 4096),  #                      4096
        relu7=nn.ReLU(),
        fc8=nn.Linear(4096, num_classes),
    )


def alexnet_2012(num_classes: int = 1000, groups: int = 2) -> nn.Sequential:
    """AlexNet as published: two columns, response normalisation before pooling (60,965,224 parameters).

    Parameters
    ----------
    num_classes : int
        Number of classes.
    groups : {1, 2}
        2: conv2, conv4 and conv5 see only the maps on their own GPU, as published; 1: they see all maps.

    Returns
    -------
    nn.Sequential
        Takes images (N, 3, 224, 224), gives scores (N, num_classes).

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or if the images are not 3 × 224 × 224.

    Notes
    -----
    The paper divides by (k + α Σ a²)^β, with k = 2, n = 5, α = 1e-4 and β = 0.75 (section 3.3); torch divides
    its alpha by n. Weights start from N(0, 0.01²), the biases of conv2, conv4, conv5, fc6 and fc7 from 1, all
    others from 0 (section 5).
    """
    check_positive_int("num_classes", num_classes)
    check_choice("groups", groups, (1, 2))

    def normalise() -> nn.Module:
        return nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2)

    model = sequential(
        conv1=nn.Conv2d(3, 96, 11, stride=4, padding=2),  #             96 × 55 × 55: 48 maps a GPU
        relu1=nn.ReLU(),
        norm1=normalise(),
        pool1=nn.MaxPool2d(3, stride=2),  #                             96 × 27 × 27
        conv2=nn.Conv2d(96, 256, 5, padding=2, groups=groups),  #      256 × 27 × 27
        relu2=nn.ReLU(),
        norm2=normalise(),
        pool2=nn.MaxPool2d(3, stride=2),  #                            256 × 13 × 13
        conv3=nn.Conv2d(256, 384, 3, padding=1),  #                    384 × 13 × 13: each GPU sees both
        relu3=nn.ReLU(),
        conv4=nn.Conv2d(384, 384, 3, padding=1, groups=groups),  #     384 × 13 × 13
        relu4=nn.ReLU(),
        conv5=nn.Conv2d(384, 256, 3, padding=1, groups=groups),  #     256 × 13 × 13
        relu5=nn.ReLU(),
        pool5=nn.MaxPool2d(3, stride=2),  #                            256 × 6 × 6
        flatten=nn.Flatten(),  #                                      9216
        fc6=nn.Linear(9216, 4096),  #                                 4096
        relu6=nn.ReLU(),
        drop6=nn.Dropout(0.5),
        fc7=nn.Linear(4096, 4096),  #                                 4096
        relu7=nn.ReLU(),
        drop7=nn.Dropout(0.5),
        fc8=nn.Linear(4096, num_classes),
    )
    for name, layer in model.named_children():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
            # A bias of 1 gives the ReLU that follows a positive input from the first step on.
            nn.init.constant_(layer.bias, 1.0 if name in {"conv2", "conv4", "conv5", "fc6", "fc7"} else 0.0)
    accept_only(model, 3, 224, "resize and crop other images")
    return model


def from_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of `torchvision.models.alexnet` for `alexnet`: places in a list become names."""
    return rename(
        state_dict,
        (r"^features\.0\.", "conv1."),
        (r"^features\.3\.", "conv2."),
        (r"^features\.6\.", "conv3."),
        (r"^features\.8\.", "conv4."),
        (r"^features\.10\.", "conv5."),
        (r"^classifier\.1\.", "fc6."),
        (r"^classifier\.4\.", "fc7."),
        (r"^classifier\.6\.", "fc8."),
    )
