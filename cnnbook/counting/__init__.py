"""What a network costs and what it sees: parameters, multiply-accumulates, output shapes, receptive fields.

>>> from torch import nn
>>> from cnnbook.counting import count_macs, count_parameters, layer_table
>>> net = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
>>> count_parameters(net), count_macs(net, (1, 3, 32, 32))
(1792, 1769472)
>>> layer_table(net, (1, 3, 32, 32))["2"].output_shape  # the table itself shows in a notebook
(1, 64, 16, 16)

`input_shape` is always the whole shape of the tensor that the module is called with, its batch axis included.
The module runs once, in evaluation mode, on tensors that have a shape and no numbers ("meta" tensors): even a
large network takes milliseconds. Its parameters, its training mode and its hooks are afterwards what they
were before.

A multiply-accumulate (MAC) is one product added to a sum. Convolutions and matrix products are counted;
biases, normalisation, activations and pooling are not, as is the custom in papers. Many of these say "FLOPs"
and mean MACs.
"""

from .measures import count_macs, count_parameters, layer_table, output_shapes, receptive_field
from .table import LayerRow, LayerTable

__all__ = [
    "LayerRow",
    "LayerTable",
    "count_macs",
    "count_parameters",
    "layer_table",
    "output_shapes",
    "receptive_field",
]
