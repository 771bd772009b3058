"""CIFAR-10 from wherever it can be had, and small data that needs no download.

    train = cifar10("data", train=True, transform=ToTensor())
    images, labels = as_tensors(train)        # all of it in memory: 50,000 pictures are 150 MB

Torchvision is imported only when its data set is used.
"""

from ._cifar10 import CLASSES, KOREAN, DataError, Pictures, as_tensors, cifar10
from ._digits import digits
from ._download import DownloadError, download

__all__ = [
    "CLASSES",
    "KOREAN",
    "DataError",
    "DownloadError",
    "Pictures",
    "as_tensors",
    "cifar10",
    "digits",
    "download",
]
