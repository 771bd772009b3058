"""Trained weights that a notebook carries as text: read as plain numbers, and scored on test pictures.

Nothing of a submission is unpickled. The text is::

    WEIGHTS 1 LENGTH SHA256
    base64 of zlib of (a line of JSON: [[name, [shape]], ...], then all values as float16, little-endian)
    END

in lines of any length; LENGTH and SHA256 are of the base64 without blanks. Runs in the checker's process.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

MAX_VALUES = 1_000_000
MAX_HEADER = 200_000
MAX_TENSORS = 2_000
MAX_AXES = 6
FORM = re.compile(r"WEIGHTS 1 (\d{1,8}) ([0-9a-f]{64})\s+([A-Za-z0-9+/=\s]*)END")
PER_CLASS = 200
PICTURES = (".jpg", ".jpeg", ".png")


class Unreadable(Exception):
    """The text holds no weights, or they do not fit the network; the message is for the student."""


class NotScored(Exception):
    """There is nothing to score with; a person has to mark."""


def unpack(text: str) -> dict[str, torch.Tensor]:
    """Read weights from the text that a notebook printed.

    Parameters
    ----------
    text : str
        Whatever a submission holds; other lines may stand before and after the weights.

    Returns
    -------
    dict of str to Tensor
        float32 tensors by name, finite, together at most `MAX_VALUES` values.

    Raises
    ------
    Unreadable
        If it is damaged, too large or no such text. Nothing larger than the limits is allocated.
    """
    found = FORM.search(text)
    if found is None:
        raise Unreadable("가중치가 적힌 글을 찾지 못했습니다. 처음이나 끝이 잘리지 않았습니까?")
    body = "".join(found[3].split())
    if len(body) != int(found[1]) or hashlib.sha256(body.encode()).hexdigest() != found[2]:
        raise Unreadable("가중치의 글이 손상되었습니다. 적힌 길이나 합이 글과 다릅니다.")
    limit = MAX_HEADER + 2 * MAX_VALUES
    try:
        inflater = zlib.decompressobj()
        raw = inflater.decompress(base64.b64decode(body, validate=True), limit + 1)
    except (binascii.Error, zlib.error):
        raise Unreadable("가중치의 글이 손상되었습니다. 압축을 풀 수 없습니다.") from None
    if len(raw) > limit:
        raise Unreadable(f"가중치가 너무 큽니다. 값은 모두 {MAX_VALUES:,}개까지 받습니다.")
    head, newline, values = raw.partition(b"\n")
    if not inflater.eof or not newline or len(head) > MAX_HEADER:
        raise Unreadable("가중치의 글이 손상되었습니다. 이름과 모양의 표가 끝나지 않습니다.")
    shapes = _shapes(head)
    count = sum(math.prod(shape) for shape in shapes.values())
    if count > MAX_VALUES:
        raise Unreadable(f"가중치의 값이 {count:,}개입니다. {MAX_VALUES:,}개까지 받습니다.")
    if 2 * count != len(values):
        raise Unreadable("가중치의 글이 손상되었습니다. 적힌 모양과 값의 수가 다릅니다.")
    numbers = torch.from_numpy(np.frombuffer(values, "<f2").astype(np.float32))
    if not numbers.isfinite().all():
        raise Unreadable("가중치에 무한대나 NaN이 있습니다. 훈련하다가 손실이 발산하지 않았습니까?")
    parts = numbers.split([math.prod(shape) for shape in shapes.values()])
    return {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}


def _shapes(head: bytes) -> dict[str, list[int]]:
    """Read the table of names and shapes."""
    try:
        table = json.loads(head)
        shapes = {name: shape for name, shape in table}
        whole = len(shapes) == len(table) <= MAX_TENSORS and all(
            type(name) is str
            and type(shape) is list
            and len(shape) <= MAX_AXES
            and all(type(n) is int and 0 <= n <= MAX_VALUES for n in shape)
            for name, shape in table
        )
    except (ValueError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise Unreadable("가중치의 이름과 모양을 적은 표를 읽을 수 없습니다.")
    return shapes


def compare(weights: Mapping[str, torch.Tensor], network: Mapping[str, list[int]]) -> None:
    """Check that weights have the names and shapes of a network.

    Raises
    ------
    Unreadable
        If one is missing, left over or of another shape; the message names the first three.
    """
    shapes = {name: list(value.shape) for name, value in weights.items()}
    network = {str(name): list(shape) for name, shape in network.items()}
    differ = sorted(n for n in shapes.keys() | network.keys() if shapes.get(n) != network.get(n))
    if differ:
        shown = ", ".join("".join(c for c in name[:60] if c.isprintable()) for name in differ[:3])
        raise Unreadable(
            f"저장된 가중치가 신경망과 맞지 않습니다({shown}). 훈련한 뒤에 신경망을 고치지 않았습니까?"
        )


def test_pictures(folder: str, per_class: int = PER_CLASS) -> tuple[torch.Tensor, torch.Tensor]:
    """Read the first test pictures of each of CIFAR-10's classes.

    Parameters
    ----------
    folder : str
        torchvision's folder (with ``cifar-10-batches-py``), or a copy as pictures: ``test/CLASS/*`` or
        ``cifar10-test.zip``.
    per_class : int

    Returns
    -------
    pictures : Tensor
        uint8, (N, 3, 32, 32).
    labels : Tensor
        int64, (N,); classes in alphabetical order, which is CIFAR-10's own.

    Raises
    ------
    NotScored
        If the folder holds none of these.
    """
    root = Path(folder)
    if (root / "cifar-10-batches-py").is_dir():
        from torchvision.datasets import CIFAR10

        data = CIFAR10(folder, train=False)
        pictures = torch.from_numpy(data.data).permute(0, 3, 1, 2)
        labels = torch.tensor(data.targets)
    elif (root / "cifar10-test.zip").is_file():
        with zipfile.ZipFile(root / "cifar10-test.zip") as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(PICTURES)]
            pictures, labels = _decoded({n: Path(n).parent.name for n in names}, archive.read, per_class)
    elif (root / "test").is_dir():
        paths = [p for p in (root / "test").glob("*/*") if p.suffix.lower() in PICTURES]
        pictures, labels = _decoded(
            {str(p): p.parent.name for p in paths}, lambda n: Path(n).read_bytes(), per_class
        )
    else:
        raise NotScored("채점하는 컴퓨터에 CIFAR-10의 검사 그림이 없습니다. 손으로 채점합니다.")
    if labels.unique().tolist() != list(range(10)) or pictures.shape[1:] != (3, 32, 32):
        raise NotScored("채점하는 컴퓨터의 자료가 CIFAR-10의 검사 그림이 아닙니다. 손으로 채점합니다.")
    order = torch.cat([(labels == label).nonzero()[:per_class, 0] for label in range(10)])
    return pictures[order], labels[order]


def _decoded(
    class_of: Mapping[str, str], read: Callable[[str], bytes], per_class: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Decode the first pictures of each class, in the order of their names."""
    from PIL import Image

    classes = sorted(set(class_of.values()))
    pictures, labels = [], []
    for label, kind in enumerate(classes):
        for name in sorted(name for name, own in class_of.items() if own == kind)[:per_class]:
            pictures.append(np.asarray(Image.open(io.BytesIO(read(name))).convert("RGB")))
            labels.append(label)
    if not pictures or len({picture.shape for picture in pictures}) > 1:
        return torch.empty(0, 3, 32, 32, dtype=torch.uint8), torch.empty(0, dtype=torch.int64)
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2), torch.tensor(labels)
