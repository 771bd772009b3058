"""Where Colab finds a notebook of this course: the one repository URL of ``_config.yml``."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import yaml

ROOT = Path(__file__).resolve().parents[1]


def colab_url(path: str, root: Path = ROOT) -> str:
    """Return the address that opens a notebook of the public repository in Colab.

    Parameters
    ----------
    path : str
        The notebook, relative to the repository, with forward slashes.
    root : Path
        The folder of ``_config.yml``.

    Raises
    ------
    ValueError
        If ``_config.yml`` names no GitHub repository.
    """
    repository = yaml.safe_load((root / "_config.yml").read_text("utf-8")).get("repository", {})
    url = repository.get("url", "").rstrip("/")
    prefix = "https://github.com/"
    if not url.startswith(prefix):
        raise ValueError(f"_config.yml: repository.url must start with {prefix}, not {url!r}")
    branch = repository.get("branch", "main")
    return f"https://colab.research.google.com/github/{url.removeprefix(prefix)}/blob/{branch}/{quote(path)}"


def badge(path: str, root: Path = ROOT) -> str:
    """Return the HTML of the badge that opens a notebook in Colab."""
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    return f'<a href="{colab_url(path, root)}" target="_parent"><img src="{image}" alt="Colab에서 열기"/></a>'
