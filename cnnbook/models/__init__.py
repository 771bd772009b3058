"""Eleven families of convolutional networks, one file each, in the order of their history.

Every builder takes `num_classes` (and what its family is about) and gives an `nn.Module` with fresh weights.
A family that torchvision or timm has too can load their weights:

    from cnnbook.models import resnet50
    from cnnbook.models.resnet import from_torchvision

    theirs = torchvision.models.resnet50(weights="DEFAULT")
    ours = resnet50()
    ours.load_state_dict(from_torchvision(theirs.state_dict()))

Nothing here imports torchvision or timm.
"""

from collections.abc import Callable

from torch import nn

from .alexnet import alexnet, alexnet_2012
from .densenet import densenet121, densenet161
from .dpn import dpn68, dpn92
from .googlenet import googlenet
from .lenet import lenet5, lenet5_1998
from .mobilenet import mobilenet_v1, mobilenet_v2
from .resnet import resnet18, resnet34, resnet50, resnet152
from .resnext import resnext50_32x4d
from .senet import se_resnet50, senet154
from .shufflenet import shufflenet_v1, shufflenet_v2_x1_0
from .vgg import vgg16, vgg19

_BUILDERS: tuple[Callable[..., nn.Module], ...] = (
    *(lenet5, lenet5_1998),
    *(alexnet, alexnet_2012),
    *(vgg16, vgg19),
    *(googlenet,),
    *(resnet18, resnet34, resnet50, resnet152),
    *(resnext50_32x4d,),
    *(densenet121, densenet161),
    *(dpn68, dpn92),
    *(se_resnet50, senet154),
    *(mobilenet_v1, mobilenet_v2),
    *(shufflenet_v1, shufflenet_v2_x1_0),
)


def builders() -> dict[str, Callable[..., nn.Module]]:
    """Return every builder by its name, families in the order of their history."""
    return {builder.__name__: builder for builder in _BUILDERS}
