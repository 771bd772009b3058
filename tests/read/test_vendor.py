"""The third-party files are the ones that were reviewed, and their licences lie beside them."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile

import pytest

from tools.vendor import PACKAGES, VENDOR, Package, VendorError, check, unpack


def test_committed_files_match_their_sums() -> None:
    check()


@pytest.mark.parametrize("folder", ["anywidget", "html-manager", "mathjax"])
def test_a_licence_lies_beside_each_library(folder: str) -> None:
    text = (VENDOR / folder / "LICENSE").read_text(encoding="utf-8")
    assert "opyright" in text or "Apache License" in text


def test_requirejs_carries_its_licence_in_its_head() -> None:
    assert "MIT" in (VENDOR / "requirejs" / "require.js").read_text(encoding="utf-8")[:400]


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda folder: (folder / "requirejs/require.js").write_text("x"), "was changed"),
        (lambda folder: (folder / "requirejs/require.js").unlink(), "is missing"),
        (lambda folder: (folder / "extra.js").write_text("x"), "is not listed"),
    ],
)
def test_a_damaged_folder_is_named_with_its_cure(tmp_path, damage, word) -> None:
    folder = tmp_path / "vendor"
    shutil.copytree(VENDOR, folder)
    damage(folder)
    with pytest.raises(VendorError, match=rf"{word}.*python -m tools\.vendor"):
        check(folder)


def test_every_package_is_pinned_by_version_and_hash() -> None:
    for package in PACKAGES:
        assert package.spec.rpartition("@")[2][0].isdigit() or "==" in package.spec
        kind, _, digest = package.hash.partition("-")
        assert (kind, len(digest)) in {("sha512", 88), ("sha256", 64)}


def test_a_package_without_a_wanted_file_is_refused(tmp_path) -> None:
    archive = tmp_path / "thing-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as tarball:
        info = tarfile.TarInfo("package/other.js")
        tarball.addfile(info, io.BytesIO(b""))
    package = Package(
        "thing@1.0.0", "sha256-" + hashlib.sha256().hexdigest(), {"package/thing.js": "thing.js"}
    )
    with pytest.raises(VendorError, match=r"holds no package/thing\.js"):
        unpack(package, archive, tmp_path)
