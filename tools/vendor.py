"""Third-party front-end files in ``vendor/``: fetched from pinned packages, verified by hash.

``python -m tools.vendor`` re-creates the folder with npm and pip, checks every package against its pinned
hash and writes ``vendor/SHA256SUMS``. The files are committed, so building the book needs no network;
``python -m tools.vendor --check`` compares what lies there with the sums.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "vendor"


class VendorError(Exception):
    """A package or a file is not what its hash says; the message names it and the cure."""


@dataclass(frozen=True)
class Package:
    """One pinned package and what is taken from it.

    Attributes
    ----------
    spec
        ``name@version`` for npm, ``name==version`` for PyPI.
    hash
        ``sha512-<base64>`` as npm prints it, or ``sha256-<hex>`` as PyPI prints it.
    files
        Path inside the package -> path inside ``vendor/``. A path that ends in ``/`` takes the whole folder.
    """

    spec: str
    hash: str
    files: dict[str, str]


PACKAGES = (
    Package(
        "@jupyter-widgets/html-manager@1.0.15",
        "sha512-5thBIV6ymNgmPVOHvzx+gGy8ZSKmSazhtGw4/c4xJDVzRhG9PTeQsRjF3FUTopvFi//SABeNz1yp47bCrJ3CQA==",
        {
            "package/dist/embed-amd.js": "html-manager/embed-amd.js",
            # the icons of its own widgets
            "package/dist/1551f4f60c37af51121f.woff2": "html-manager/1551f4f60c37af51121f.woff2",
            "package/dist/7a3337626410ca2f4071.woff2": "html-manager/7a3337626410ca2f4071.woff2",
            "package/dist/d878b0a6a1144760244f.woff2": "html-manager/d878b0a6a1144760244f.woff2",
        },
    ),
    Package(  # the same project: html-manager's own package carries no licence file
        "ipywidgets==8.1.9",
        "sha256-f2b8cbcaae10252b809fbe4d7470db75c09b769a32cbf816d20e5ca6d3c5a79d",
        {"ipywidgets-8.1.9.dist-info/licenses/LICENSE": "html-manager/LICENSE"},
    ),
    Package(
        "requirejs@2.3.8",
        "sha512-7/cTSLOdYkNBNJcDMWf+luFvMriVm7eYxp4BcFCsAX0wF421Vyce5SXP17c+Jd5otXKGNehIonFlyQXSowL6Mw==",
        {"package/require.js": "requirejs/require.js"},  # its licence (MIT) is the head of the file
    ),
    Package(
        "mathjax@3.2.2",
        "sha512-Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
        {
            "package/es5/tex-chtml.js": "mathjax/tex-chtml.js",
            "package/es5/output/chtml/fonts/woff-v2/": "mathjax/output/chtml/fonts/woff-v2/",
            "package/es5/input/tex/extensions/": "mathjax/input/tex/extensions/",
            "package/LICENSE": "mathjax/LICENSE",
        },
    ),
    Package(
        "anywidget==0.11.0",
        "sha256-c574d9acc6503ad27b37a9acea48f957a8ba7c9c9876cfcb37898931c098ce9d",
        {
            "anywidget/nbextension/index.js": "anywidget/index.js",
            "anywidget-0.11.0.dist-info/licenses/LICENSE": "anywidget/LICENSE",
        },
    ),
)


def fetch(package: Package, folder: Path) -> Path:
    """Download ``package`` into ``folder`` with npm or pip and return the verified archive.

    Raises
    ------
    VendorError
        When the download fails or the archive's hash is not the pinned one.
    """
    folder.mkdir()
    if "==" in package.spec:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "-d",
            str(folder),
            package.spec,
        ]
    else:
        command = ["npm", "pack", "--silent", "--pack-destination", str(folder), package.spec]
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise VendorError(
            f"{package.spec} did not download ({error}); check the network and that npm runs"
        ) from None
    (archive,) = folder.iterdir()
    kind, _, expected = package.hash.partition("-")
    digest = hashlib.new(kind, archive.read_bytes())
    found = digest.hexdigest() if kind == "sha256" else base64.b64encode(digest.digest()).decode()
    if found != expected:
        raise VendorError(f"{package.spec} has hash {kind}-{found}, pinned is {package.hash}: do not use it")
    return archive


def unpack(package: Package, archive: Path, target: Path) -> None:
    """Copy the wanted files out of ``archive`` (.tgz or .whl) into ``target``.

    Raises
    ------
    VendorError
        When a wanted path is not in the archive.
    """
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            content = {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
    else:
        with tarfile.open(archive) as tarball:
            content = {m.name: tarball.extractfile(m).read() for m in tarball if m.isfile()}  # type: ignore[union-attr]
    for wanted, place in package.files.items():
        found = [
            name for name in content if name == wanted or (wanted.endswith("/") and name.startswith(wanted))
        ]
        if not found:
            raise VendorError(f"{package.spec} holds no {wanted}")
        for name in found:
            path = target / place / name.removeprefix(wanted) if wanted.endswith("/") else target / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content[name])


def sums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below ``folder``, by path relative to it (``SHA256SUMS`` itself left out)."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "SHA256SUMS"
    }


def check(folder: Path = VENDOR) -> None:
    """Compare ``folder`` with its ``SHA256SUMS``.

    Raises
    ------
    VendorError
        Naming the first file that is missing, added or changed.
    """
    listed = (folder / "SHA256SUMS").read_text().splitlines()
    expected = {name: digest for digest, name in (line.split("  ", 1) for line in listed)}
    found = sums(folder)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            what = (
                "is missing"
                if name not in found
                else "is not listed"
                if name not in expected
                else "was changed"
            )
            raise VendorError(f"vendor/{name} {what}; restore the folder with: python -m tools.vendor")


def build(folder: Path = VENDOR) -> None:
    """Re-create ``folder`` from the pinned packages; the old content stays until the new one is complete."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch, "vendor")
        for number, package in enumerate(PACKAGES):
            print(f"vendor: {package.spec}", flush=True)
            unpack(package, fetch(package, Path(scratch, str(number))), fresh)
        lines = [f"{digest}  {name}\n" for name, digest in sums(fresh).items()]
        (fresh / "SHA256SUMS").write_text("".join(lines))
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(fresh, folder)


def main(argv: list[str] | None = None) -> int:
    """Command line of ``python -m tools.vendor``."""
    parser = argparse.ArgumentParser(prog="python -m tools.vendor", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare vendor/ with SHA256SUMS")
    arguments = parser.parse_args(argv)
    try:
        if not arguments.check:
            build()
        check()
    except VendorError as error:
        print(f"vendor: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
