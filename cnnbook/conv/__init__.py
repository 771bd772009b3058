"""The ten forms of convolution, written out so that each operation can be read.

Every function takes PyTorch's own argument names and layouts and gives PyTorch's own result; what differs is
that the loop is in sight. None of them is fast: use :mod:`torch.nn.functional` to compute and these to
understand.

Shapes are written as in PyTorch: a batch of images is ``(N, C, H, W)`` and the batch axis ``N`` may be left
out. As everywhere in deep learning, "convolution" is cross-correlation: the kernel is not flipped
(Goodfellow, Bengio & Courville, *Deep Learning*, 2016, section 9.1).
"""

from .depthwise import depthwise_conv2d, depthwise_separable_conv2d
from .dilated import dilated_conv2d
from .grouped import channel_shuffle, grouped_conv2d, shuffled_grouped_conv2d
from .pointwise import pointwise_conv2d
from .separable import flattened_conv3d, spatially_separable_conv2d
from .standard import conv2d, conv3d
from .transposed import conv_matrix, conv_transpose2d

__all__ = [
    "channel_shuffle",
    "conv2d",
    "conv3d",
    "conv_matrix",
    "conv_transpose2d",
    "depthwise_conv2d",
    "depthwise_separable_conv2d",
    "dilated_conv2d",
    "flattened_conv3d",
    "grouped_conv2d",
    "pointwise_conv2d",
    "shuffled_grouped_conv2d",
    "spatially_separable_conv2d",
]
