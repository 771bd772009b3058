"""Handwritten digits that come with scikit-learn: nothing to download, trained in seconds."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["digits"]


def digits() -> tuple[Tensor, Tensor]:
    """Return scikit-learn's 1,797 handwritten digits.

    Returns
    -------
    images : Tensor
        float32 (1797, 1, 8, 8), 0 is paper and 1 is ink.
    labels : Tensor
        int64 (1797,), the digit from 0 to 9.

    Notes
    -----
    Source: E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning
    Repository, 1998 (its test set).

    Examples
    --------
    >>> images, labels = digits()
    >>> images.shape
    torch.Size([1797, 1, 8, 8])
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    images = torch.from_numpy(found.images).float().div(16)  # grey values go from 0 to 16
    return images.unsqueeze(1), torch.from_numpy(found.target).long()
