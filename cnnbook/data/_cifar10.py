"""CIFAR-10: found, unpacked, or downloaded; in torchvision's form or as folders of pictures.

A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009: 50,000 pictures to train and
10,000 to test, 32 × 32 pixels in colour, ten classes of equal size.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import Dataset, Subset

from ._download import DownloadError, download, md5_of

__all__ = ["CLASSES", "KOREAN", "DataError", "Pictures", "as_tensors", "cifar10"]

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
KOREAN = ("비행기", "자동차", "새", "고양이", "사슴", "개", "개구리", "말", "배", "트럭")

_ENDINGS = (".jpg", ".jpeg", ".png")


class DataError(RuntimeError):
    """CIFAR-10 could not be had; the message says what was tried and every way that works."""


class Pictures(Dataset):
    """Pictures in memory, with the attributes of torchvision's CIFAR10.

    Parameters
    ----------
    data : ndarray
        uint8 (N, H, W, 3).
    targets : list of int
        N class numbers.
    transform : callable, optional
        Gets a PIL image; what it returns stands in the picture's place.
    """

    def __init__(
        self, data: np.ndarray, targets: list[int], transform: Callable[[Image.Image], Any] | None = None
    ) -> None:
        self.data, self.targets, self.transform = data, targets, transform
        self.classes = list(CLASSES)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image = Image.fromarray(self.data[index])
        return (image if self.transform is None else self.transform(image)), self.targets[index]


def cifar10(
    root: str | Path = "data",
    train: bool = True,
    transform: Callable[[Image.Image], Any] | None = None,
    *,
    sources: str | Path | Sequence[str | Path] = (),
) -> Dataset:
    """Return CIFAR-10, from this machine or from the network.

    Parameters
    ----------
    root : str or Path
        A folder that holds, or will hold after the download, one of

        - `cifar-10-batches-py/` (or this folder itself), as torchvision unpacks it,
        - `cifar-10-python.tar.gz` (or this file itself), as torchvision downloads it,
        - `train/CLASS/*.png` and `test/CLASS/*.png` (or .jpg),
        - `cifar10-train.zip` and `cifar10-test.zip` with `CLASS/*.png` (or .jpg) in them.
    train : bool
        The 50,000 pictures to train with, or the 10,000 to test with.
    transform : callable, optional
        Gets a PIL image, such as torchvision's `ToTensor()`.
    sources : str, Path or a sequence of them
        Where else to look, in this order, before the authors' server is asked: folders like `root` (a mounted
        Google Drive, a shared disk), or addresses of `cifar-10-python.tar.gz` on a nearer server.

    Returns
    -------
    Dataset
        Of pairs (PIL image or what `transform` made of it, int).

    Raises
    ------
    DataError
        If there is no way to the data. A file that is damaged is named.
    """
    root = Path(root).expanduser()
    if isinstance(sources, str | Path):
        sources = (sources,)
    problems: list[str] = []
    places = [root, *(Path(s).expanduser() for s in sources if not _is_address(s))]
    for place in places:
        if (found := _look(place, root, train, transform, problems)) is not None:
            return found
    root = _home(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_way(root, [*problems, f"{root}: cannot be made ({error.strerror})"]) from None
    archive = root / _theirs().filename
    for address in (*(str(s) for s in sources if _is_address(s)), _theirs().url):
        try:
            download(address, archive, _theirs().tgz_md5)
        except DownloadError as error:
            problems.append(str(error))
        else:
            _unpack(archive, root)
            return _theirs()(root, train=train, transform=transform)
    raise _no_way(root, problems)


def _is_address(source: str | Path) -> bool:
    return "://" in str(source)


def _theirs() -> type:
    from torchvision.datasets import CIFAR10

    return CIFAR10


def _no_way(root: Path, problems: Iterable[str]) -> DataError:
    tried = "\n".join(f"  - {problem}" for problem in problems)
    return DataError(
        f"CIFAR-10 was not found and could not be downloaded.\n"
        f"What was tried:\n{tried}\n"
        f"What works:\n"
        f"  - run this cell again: a download goes on where it stopped\n"
        f"  - put cifar-10-python.tar.gz (from {_theirs().url}) into {root}/\n"
        f"  - unpack it there: {root}/cifar-10-batches-py/\n"
        f"  - pictures in folders: {root}/train/CLASS/*.png and {root}/test/CLASS/*.png\n"
        f"  - the same zipped: {root}/cifar10-train.zip and {root}/cifar10-test.zip\n"
        f"  - name another place: cifar10(..., sources=[a folder like these, or the address of the tar.gz])"
    )


# --- what lies in a folder ---------------------------------------------------------------------------------


def _look(
    place: Path, root: Path, train: bool, transform: Callable | None, problems: list[str]
) -> Dataset | None:
    """Return the data set that lies in `place`, or note in `problems` what is wrong with it."""
    theirs, known, folder = _theirs(), len(problems), _home(place)
    if (folder / theirs.base_folder).is_dir():
        if not (bad := _damaged(folder / theirs.base_folder)):
            return theirs(folder, train=train, transform=transform)
        problems.append(f"{folder / theirs.base_folder}: damaged or missing: {', '.join(bad)}")

    archive = place if place.name.endswith(".tar.gz") else place / theirs.filename
    if archive.is_file():
        if md5_of(archive) == theirs.tgz_md5:
            _unpack(archive, _home(root))
            return theirs(_home(root), train=train, transform=transform)
        problems.append(f"{archive}: damaged (wrong checksum)")

    part = "train" if train else "test"
    try:
        for packed in (place / part, place / f"cifar10-{part}.zip"):
            if packed.exists():
                return Pictures(*_pictures(packed), transform)
    except (DataError, zipfile.BadZipFile, OSError) as error:
        problems.append(str(error) if isinstance(error, DataError) else f"{packed}: damaged ({error})")
        return None
    if len(problems) == known:
        problems.append(f"{place}: " + ("nothing of CIFAR-10 in it" if place.exists() else "not there"))
    return None


def _home(place: Path) -> Path:
    """Return the folder that holds `cifar-10-batches-py`, or will."""
    return place.parent if place.name == _theirs().base_folder or place.name.endswith(".tar.gz") else place


def _damaged(folder: Path) -> list[str]:
    """Name the files of `cifar-10-batches-py` that are missing or not what they were."""
    theirs = _theirs()
    wanted = [*theirs.train_list, *theirs.test_list, (theirs.meta["filename"], theirs.meta["md5"])]
    return [name for name, md5 in wanted if not (folder / name).is_file() or md5_of(folder / name) != md5]


def _unpack(archive: Path, root: Path) -> None:
    """Unpack a checked archive into `root`; its folder appears there whole or not at all."""
    final = root / _theirs().base_folder
    if final.is_dir() and not _damaged(final):
        return
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".cifar10-") as scratch:
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        if final.exists():
            shutil.move(final, Path(scratch) / "damaged")
        os.replace(Path(scratch) / final.name, final)


def _pictures(packed: Path) -> tuple[np.ndarray, list[int]]:
    """Read `CLASS/*.png` (or .jpg) of a folder or a zip, classes and names in alphabetical order."""
    files: list[tuple[str, Callable[[], bytes]]]
    archive = None if packed.is_dir() else zipfile.ZipFile(packed)
    if archive is None:
        files = [(f"{p.parent.name}/{p.name}", p.read_bytes) for p in packed.glob("*/*")]
    else:
        files = [(name, lambda name=name: archive.read(name)) for name in archive.namelist()]
    files = sorted((n, read) for n, read in files if n.lower().endswith(_ENDINGS) and n.count("/") == 1)
    targets = [CLASSES.index(name.split("/")[0]) for name, _ in files if name.split("/")[0] in CLASSES]
    if len(targets) < len(files) or set(targets) != set(range(len(CLASSES))):
        raise DataError(f"{packed}: must hold pictures in exactly the folders {', '.join(CLASSES)}")
    names = [name for name, _ in files]
    contents = [read() for _, read in files]  # one after another: a zip has one file position
    with ThreadPoolExecutor() as pool:
        images = list(pool.map(lambda named: _decode(packed, *named), zip(names, contents, strict=True)))
    return np.stack(images), targets


def _decode(packed: Path, name: str, content: bytes) -> np.ndarray:
    try:
        image = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    except (OSError, UnidentifiedImageError, SyntaxError):
        raise DataError(f"{packed}: damaged picture {name}") from None
    if image.shape != (32, 32, 3):
        raise DataError(f"{packed}: {name} has {image.shape[1]} × {image.shape[0]} pixels, not 32 × 32")
    return image


# --- all of it at once -------------------------------------------------------------------------------------


def as_tensors(dataset: Dataset) -> tuple[Tensor, Tensor]:
    """Return a whole data set as two tensors.

    Parameters
    ----------
    dataset : Dataset
        What :func:`cifar10` returned, a `Subset` of it, or any data set of (PIL image or uint8 tensor, int).

    Returns
    -------
    images : Tensor
        uint8 (N, 3, 32, 32), the pictures before any `transform`, channels in the order red, green, blue.
    labels : Tensor
        int64 (N,).
    """
    if isinstance(dataset, Subset):
        images, labels = as_tensors(dataset.dataset)
        chosen = torch.as_tensor(dataset.indices)
        return images[chosen], labels[chosen]
    if isinstance(getattr(dataset, "data", None), np.ndarray) and hasattr(dataset, "targets"):
        images = torch.from_numpy(dataset.data).permute(0, 3, 1, 2).contiguous()
        return images, torch.tensor(dataset.targets)
    pairs = [(_raw(image), label) for image, label in dataset]
    return torch.stack([image for image, _ in pairs]), torch.tensor([label for _, label in pairs])


def _raw(image: object) -> Tensor:
    if isinstance(image, Image.Image):
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()
    if isinstance(image, Tensor) and image.dtype == torch.uint8:
        return image
    raise TypeError(
        f"as_tensors needs PIL images or uint8 tensors, not {type(image).__name__}: take a data set without "
        "transform"
    )
