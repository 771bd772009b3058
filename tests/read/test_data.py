"""`cnnbook.data`: CIFAR-10 comes from wherever it can, whole or not at all, and says how when it cannot."""

import hashlib
import io
import pickle
import tarfile
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Subset
from torchvision.datasets import CIFAR10

from cnnbook.data import CLASSES, KOREAN, DataError, DownloadError, as_tensors, cifar10, digits, download

CONTENT = np.random.default_rng(0).bytes(1_000_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server:
    """A server on this machine that can misbehave; `asked` holds the Range of every request."""

    def __init__(self, content):
        self.content, self.asked, self.ranges, self.status, self.drop_after = content, [], True, 200, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/cifar-10-python.tar.gz"
        Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, request):
        asked = request.headers.get("Range")
        self.asked.append(asked)
        if self.status != 200:
            return request.send_error(self.status)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        if start >= len(self.content):
            return request.send_error(416)
        request.send_response(206 if start else 200)
        if start:
            end = len(self.content)
            request.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        request.send_header("Content-Length", str(len(self.content) - start))
        request.end_headers()
        stop = start + self.drop_after.pop(0) if self.drop_after else None
        request.wfile.write(self.content[start:stop])


@pytest.fixture
def serve():
    servers = []

    def start(content=CONTENT):
        servers.append(Server(content))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


def fetch(server, path, md5=MD5):
    return download(server.url, path, md5, wait=0.001, tries=3, progress=False)


# --- a download --------------------------------------------------------------------------------------------


def test_a_file_arrives_whole_and_is_not_asked_for_again(serve, tmp_path):
    server = serve()
    path = tmp_path / "new" / "file"
    assert fetch(server, path) == path
    assert path.read_bytes() == CONTENT
    fetch(server, path)
    assert server.asked == [None]
    assert list(path.parent.iterdir()) == [path]


def test_a_broken_connection_goes_on_where_it_stopped(serve, tmp_path):
    server = serve()
    server.drop_after = [300_000, 200_000]
    assert fetch(server, tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=500000-"]


def test_a_later_call_goes_on_with_the_part_of_an_earlier_one(serve, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:700_000])
    server = serve()
    assert fetch(server, tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == ["bytes=700000-"]


def test_a_server_that_ignores_ranges_starts_anew(serve, tmp_path):
    server = serve()
    server.ranges, server.drop_after = False, [300_000]
    assert fetch(server, tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"x" * 1000, CONTENT, CONTENT + b"more"], ids=["bad", "whole", "too long"])
def test_whatever_part_lies_there_the_file_comes_out_right(serve, tmp_path, part):
    (tmp_path / "file.part").write_bytes(part)
    assert fetch(serve(), tmp_path / "file").read_bytes() == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_wrong_file_never_gets_the_name(serve, tmp_path):
    server = serve(b"<html>please log in</html>")
    with pytest.raises(DownloadError, match="wrong checksum"):
        fetch(server, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []
    assert len(server.asked) == 1


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (503, 3)])
def test_an_error_is_tried_again_only_where_that_may_help(serve, tmp_path, status, asked):
    server = serve()
    server.status = status
    with pytest.raises(DownloadError, match=str(status)):
        fetch(server, tmp_path / "file")
    assert len(server.asked) == asked
    assert not (tmp_path / "file").exists()


# --- a tiny CIFAR-10 in torchvision's form -----------------------------------------------------------------

PER_FILE = 20
FILES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")


def batches():
    """The six files of CIFAR-10 with 20 pictures each, and its list of names."""
    random = np.random.default_rng(1)
    for name in FILES:
        data = random.integers(0, 256, (PER_FILE, 3072), dtype=np.uint8)
        yield name, pickle.dumps({"data": data, "labels": [i % 10 for i in range(PER_FILE)]})
    yield "batches.meta", pickle.dumps({"label_names": list(CLASSES)})


@pytest.fixture
def tiny(monkeypatch, serve):
    """Torchvision's class with checksums of the tiny files; the archive; a server in the authors' place."""
    files = dict(batches())
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    md5 = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    server = serve(packed.getvalue())
    monkeypatch.setattr(CIFAR10, "train_list", [[name, md5[name]] for name in FILES[:5]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": md5["batches.meta"]})
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(packed.getvalue()).hexdigest())
    monkeypatch.setattr(CIFAR10, "url", server.url)
    server.files = files
    return server


def put_batches(folder, files):
    folder = folder / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def put_pictures(folder, per_class=2, size=32, classes=CLASSES):
    random = np.random.default_rng(2)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(per_class):
            array = random.integers(0, 256, (size, size, 3), dtype=np.uint8)
            Image.fromarray(array).save(folder / name / f"{i:04}.png")


def put_zip(path, folder):
    with zipfile.ZipFile(path, "w") as archive:
        for picture in folder.glob("*/*"):
            archive.write(picture, picture.relative_to(folder))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_it_is_downloaded_unpacked_and_torchvisions_own(tiny, tmp_path):
    train, test = cifar10(tmp_path), cifar10(tmp_path, train=False)
    assert isinstance(train, CIFAR10)
    assert (len(train), len(test)) == (5 * PER_FILE, PER_FILE)
    assert names(tmp_path) == ["cifar-10-batches-py", "cifar-10-python.tar.gz"]
    assert len(tiny.asked) == 1


@pytest.mark.parametrize("root", ["", "cifar-10-batches-py"])
def test_an_unpacked_folder_is_taken_as_it_is(tiny, tmp_path, root):
    put_batches(tmp_path, tiny.files)
    assert isinstance(cifar10(tmp_path / root), CIFAR10)
    assert tiny.asked == []


@pytest.mark.parametrize("root", ["", "cifar-10-python.tar.gz"])
def test_an_archive_is_unpacked(tiny, tmp_path, root):
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(tiny.content)
    assert len(cifar10(tmp_path / root)) == 5 * PER_FILE
    assert tiny.asked == []


def test_a_source_is_asked_before_the_authors(tiny, serve, tmp_path):
    mirror = serve(tiny.content)
    cifar10(tmp_path, sources=mirror.url)
    assert (len(mirror.asked), len(tiny.asked)) == (1, 0)


def test_a_mirror_that_is_down_leaves_the_others(tiny, serve, tmp_path):
    mirror = serve()
    mirror.status = 404
    assert len(cifar10(tmp_path, sources=[mirror.url])) == 5 * PER_FILE


def test_a_mirror_with_another_file_leaves_the_others(tiny, serve, tmp_path):
    assert len(cifar10(tmp_path, sources=[serve(b"another").url])) == 5 * PER_FILE


def test_a_drive_folder_with_the_archive_is_unpacked_at_home(tiny, tmp_path):
    drive = tmp_path / "drive"
    drive.mkdir()
    (drive / "cifar-10-python.tar.gz").write_bytes(tiny.content)
    cifar10(tmp_path / "home", sources=[drive])
    assert names(tmp_path / "home") == ["cifar-10-batches-py"]
    assert names(drive) == ["cifar-10-python.tar.gz"]
    assert tiny.asked == []


def test_damaged_files_are_replaced_by_a_download(tiny, tmp_path):
    put_batches(tmp_path, tiny.files | {"data_batch_3": b"half"})
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(tiny.content[:-1])
    assert len(cifar10(tmp_path)) == 5 * PER_FILE
    assert names(tmp_path) == ["cifar-10-batches-py", "cifar-10-python.tar.gz"]


def test_when_nothing_works_the_message_names_the_damage_and_every_way(tiny, tmp_path):
    tiny.status = 404
    put_batches(tmp_path, tiny.files | {"data_batch_3": b"half"})
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(tiny.content[:-1])
    put_pictures(tmp_path / "train")
    (tmp_path / "train" / "bird" / "0001.png").write_bytes(b"no picture")
    with pytest.raises(DataError) as error:
        cifar10(tmp_path, sources=[tmp_path / "nowhere"])
    for part in (
        "damaged or missing: data_batch_3",
        "tar.gz: damaged",
        "damaged picture bird/0001.png",
        "nowhere: not there",
        tiny.url,
        "404",
        "cifar-10-batches-py",
        "cifar10-train.zip",
        "train/CLASS",
        "sources",
    ):
        assert part in str(error.value)
    assert names(tmp_path) == ["cifar-10-batches-py", "cifar-10-python.tar.gz", "train"]


# --- folders of pictures -----------------------------------------------------------------------------------


def test_folders_and_zips_give_the_same(tiny, tmp_path):
    put_pictures(tmp_path / "folders" / "test")
    (tmp_path / "zips").mkdir()
    put_zip(tmp_path / "zips" / "cifar10-test.zip", tmp_path / "folders" / "test")
    for root in ("folders", "zips"):
        found = cifar10(tmp_path / root, train=False)
        assert found.targets == [i // 2 for i in range(20)]
        picture, label = found[3]
        assert np.array_equal(picture, Image.open(tmp_path / "folders" / "test" / "automobile" / "0001.png"))
        assert label == 1
    assert tiny.asked == []


def test_a_transform_is_applied(tmp_path):
    put_pictures(tmp_path / "train")
    assert cifar10(tmp_path, transform=lambda image: image.size)[0] == ((32, 32), 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"size": 16}, "airplane/0000.png has 16 × 16"), ({"classes": CLASSES[:9]}, "exactly the folders")],
)
def test_other_pictures_are_refused_by_name(tiny, tmp_path, options, message):
    tiny.status = 404
    put_pictures(tmp_path / "train", **options)
    with pytest.raises(DataError, match=message):
        cifar10(tmp_path)


def test_a_damaged_zip_is_named(tiny, tmp_path):
    tiny.status = 404
    (tmp_path / "cifar10-train.zip").write_bytes(b"PK half a zip")
    with pytest.raises(DataError, match=r"cifar10-train\.zip: damaged"):
        cifar10(tmp_path)


# --- tensors -----------------------------------------------------------------------------------------------


def test_tensors_hold_the_pictures_whatever_the_transform(tiny, tmp_path):
    put_batches(tmp_path, tiny.files)
    images, labels = as_tensors(cifar10(tmp_path, train=False, transform=lambda image: None))
    assert (images.dtype, images.shape) == (torch.uint8, (PER_FILE, 3, 32, 32))
    assert labels.tolist() == [i % 10 for i in range(PER_FILE)]
    picture, _ = cifar10(tmp_path, train=False)[7]
    assert torch.equal(images[7].permute(1, 2, 0), torch.from_numpy(np.array(picture)))


def test_tensors_of_a_subset_and_of_a_plain_list(tiny, tmp_path):
    put_batches(tmp_path, tiny.files)
    whole = cifar10(tmp_path, train=False)
    images, labels = as_tensors(whole)
    few, theirs = as_tensors(Subset(whole, [5, 2]))
    assert torch.equal(few, images[[5, 2]]) and torch.equal(theirs, labels[[5, 2]])
    few, theirs = as_tensors([whole[5], whole[2]])
    assert torch.equal(few, images[[5, 2]]) and torch.equal(theirs, labels[[5, 2]])


def test_tensors_of_floats_are_refused():
    with pytest.raises(TypeError, match="without transform"):
        as_tensors([(torch.rand(3, 32, 32), 0)])


def test_classes_have_a_korean_name_each():
    assert len(CLASSES) == len(set(CLASSES)) == len(KOREAN) == len(set(KOREAN)) == 10
    assert list(CLASSES) == sorted(CLASSES)


def test_digits_need_no_download():
    images, labels = digits()
    assert (images.shape, images.dtype) == ((1797, 1, 8, 8), torch.float32)
    assert (images.min(), images.max()) == (0, 1)
    assert (labels.dtype, labels.shape, labels.unique().tolist()) == (torch.int64, (1797,), list(range(10)))
