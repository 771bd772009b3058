"""Embedding: digits as points; what lies near one of them among pixels and among features."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

EACH = 20  # pictures of each digit
PICTURES = 10 * EACH
SPACES = {"pixels": 64, "untrained": 128, "features": 128}  # numbers of a vector
LEVELS = {"pixels": 16, "untrained": 31, "features": 63}  # steps of a value: a page must be light


@cache
def _spaces() -> dict[str, dict[str, Any]]:
    """Give the pictures' vectors in each space, rounded to bytes, and their places on two principal axes."""
    import torch
    import torch.nn.functional as F

    from cnnbook.digits import network, pretrained, unseen
    from cnnbook.transfer import extract_features

    images, digits = unseen(EACH)
    moved = F.pad(images, (1, 0, 0, 0))[..., :8]
    nets = {"untrained": network(seed=1), "features": pretrained()}
    found = {}
    for space in SPACES:
        pair = [images.flatten(1), moved.flatten(1)]
        if space in nets:
            pair = [extract_features(nets[space], [(x, digits)])[0] for x in (images, moved)]
        step = max(x.max() for x in pair).item() / LEVELS[space]
        rounded = [(x / step).round() for x in pair]
        still = rounded[0] - rounded[0].mean(dim=0)
        _, sizes, axes = still.double().svd()
        places = torch.stack([(x - rounded[0].mean(dim=0)).double() @ axes[:, :2] for x in rounded])
        places = (1000 * places / places.abs().max()).round().int()  # in thousandths of the farthest
        found[space] = {
            "bytes": b"".join(bytes(x.flatten().byte().tolist()) for x in rounded),
            "step": step,
            "places": places.tolist(),
            "explained": (sizes[:2].square().sum() / sizes.square().sum()).item(),
        }
    return found


class Embedding(Demo):
    """Choose a digit; see what lies nearest to it among pixels, untrained features and learned features.

    The pictures are scikit-learn's, twenty of each digit, none of which the network has learned from; it has
    learned no 7, 8 or 9 at all.

    Parameters
    ----------
    space : {"pixels", "untrained", "features"}
        Where distances are measured.
    metric : {"cosine", "euclidean"}
        How.
    k : int
        How many neighbours are shown, 1 to 10.
    picked : int
        The chosen picture, 0 to 199: twenty pictures of 0, then of 1, and so on.
    moved : bool
        Whether the chosen picture is moved by one pixel to the right before it is looked up.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    space = traitlets.Enum(list(SPACES), "features").tag(sync=True)
    metric = traitlets.Enum(["cosine", "euclidean"], "cosine").tag(sync=True)
    k = traitlets.Int(5, min=1, max=10).tag(sync=True)
    picked = traitlets.Int(0, min=0, max=PICTURES - 1).tag(sync=True)
    moved = traitlets.Bool(False).tag(sync=True)
    pixels = traitlets.Bytes(read_only=True).tag(sync=True)
    untrained = traitlets.Bytes(read_only=True).tag(sync=True)
    features = traitlets.Bytes(read_only=True).tag(sync=True)
    maps = traitlets.Dict(read_only=True).tag(sync=True)

    @traitlets.default("pixels")
    def _pixels(self) -> bytes:
        return _spaces()["pixels"]["bytes"]

    @traitlets.default("untrained")
    def _untrained(self) -> bytes:
        return _spaces()["untrained"]["bytes"]

    @traitlets.default("features")
    def _features(self) -> bytes:
        return _spaces()["features"]["bytes"]

    @traitlets.default("maps")
    def _maps(self) -> dict[str, Any]:
        kept = ("step", "places", "explained")
        return {space: {key: found[key] for key in kept} for space, found in _spaces().items()}

    @staticmethod
    def vectors(space: str, moved: bool = False) -> torch.Tensor:
        """Return the vectors of all pictures in a space, rounded as the demo has them, shape (200, D)."""
        import torch

        both = torch.tensor(list(_spaces()[space]["bytes"]), dtype=torch.float64)
        return both.view(2, PICTURES, -1)[int(moved)] * _spaces()[space]["step"]

    def nearest(self) -> list[int]:
        """Return the places of the `k` pictures nearest to the chosen one, nearest first, by torch."""
        import torch

        query, all_ = self.vectors(self.space, self.moved)[self.picked, None], self.vectors(self.space)
        near = (
            torch.cosine_similarity(query, all_) if self.metric == "cosine" else -torch.cdist(query, all_)[0]
        )
        near[self.picked] = -torch.inf
        return near.topk(self.k).indices.tolist()

    def static_figure(self) -> Drawing:
        """Draw the pictures as digits on two principal axes of the present space."""
        from matplotlib.figure import Figure

        from cnnbook import figures

        with figures.style():
            figure = Figure(figsize=(5, 4.4), layout="constrained")
            axes = figure.subplots()
            places = self.maps[self.space]["places"][0]
            for digit in range(10):
                x, y = zip(*places[digit * EACH : (digit + 1) * EACH], strict=True)
                color = figures.COLORS["input" if digit < 7 else "kernel"]
                axes.plot(
                    x,
                    y,
                    linestyle="none",
                    marker=f"${digit}$",
                    markersize=5,
                    markeredgewidth=0.2,
                    color=color,
                )
            axes.set(xlabel=self.labels["axis1"], ylabel=self.labels["axis2"], aspect="equal")
        return figures.Drawing([figure], self.labels["static"])
