"""Time the readable convolution against torch's on one photograph: ``python -m bench.conv``.

Both run on one thread, in turns, so that a busy machine slows both; the medians are stored for the
page ``chapters/convolution/single_channel.md``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from cnnbook import conv, figures, results

TURNS = 15


def milliseconds(function: Callable[[], object], calls: int) -> float:
    """Return the time of one call in milliseconds, over ``calls`` calls."""
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - start) * 1000 / calls


def main() -> None:
    """Measure, check that both give the same output, store and print."""
    torch.set_num_threads(1)
    photo = torch.from_numpy(figures.photograph(height=160).copy())[None, None]
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])[None, None]

    def loop() -> torch.Tensor:
        return conv.conv2d(photo, kernel)

    def builtin() -> torch.Tensor:
        return F.conv2d(photo, kernel)

    with torch.inference_mode():
        torch.testing.assert_close(loop(), builtin())  # and the first, slower call of each is over
        turns = [(milliseconds(loop, 1), milliseconds(builtin, 200)) for _ in range(TURNS)]
    loop_ms, torch_ms = (statistics.median(column) for column in zip(*turns, strict=True))
    height, width = photo.shape[-2:]
    path = results.save(
        "conv-loops",
        {
            "height": height,
            "width": width,
            "kernel": list(kernel.shape[-2:]),
            "threads": 1,
            "turns": TURNS,
            "loop_ms": round(loop_ms, 3),
            "torch_ms": round(torch_ms, 4),
        },
        command="python -m bench.conv",
    )
    print(f"loop {loop_ms:.1f} ms, torch {torch_ms:.4f} ms on {height}x{width}: {path}")


if __name__ == "__main__":
    main()
