"""Known-wrong and different-right answers to ``quiz_convolution``: each wrong option is a named misconception."""

from __future__ import annotations

from autograders.banks import Question, cells, choice, numbers

QUESTIONS = (
    choice(
        "multi-channel",
        right="①",
        wrong={
            "②": "cheaper than one channel",
            "③": "channels taken for colours",
            "④": "flipping taken for rotating",
        },
    ),
    choice(
        "pointwise",
        right="④",
        wrong={"①": "resizes the image", "②": "rotates the image", "③": "sees neighbouring pixels"},
    ),
    choice(
        "transposed",
        right="②",
        wrong={"①": "shrinks like a convolution", "③": "blurs", "④": "inverse of convolution"},
    ),
    choice(
        "dilated",
        right="③",
        wrong={
            "①": "looks at a smaller region",
            "②": "gaps taken for compression",
            "④": "counts the gaps as weights",
        },
    ),
    choice(
        "separable-steps",
        right="②",
        wrong={"①": "two sizes of kernel", "③": "bottleneck", "④": "spatial separation"},
    ),
    choice(
        "output-shape",
        right="④",
        wrong={"①": "padding forgotten", "②": "rounded up", "③": "filters per input channel"},
    ),
    choice(
        "round-trip",
        right="①",
        wrong={"②": "transpose taken for inverse", "③": "second step forgotten", "④": "flipping undoes it"},
    ),
    choice(
        "checkerboard",
        right="③",
        wrong={"①": "odd kernel", "②": "larger is smoother", "④": "no overlap means even"},
    ),
    choice("gridding", right="①", wrong={"②": "whole field", "③": "weights counted", "④": "paths counted"}),
    choice(
        "separable-weights",
        right="③",
        wrong={"①": "not separated", "②": "second step forgotten", "④": "first step on the output channels"},
    ),
    choice(
        "shuffle",
        right="②",
        wrong={"①": "not shuffled", "③": "groups reordered", "④": "every second channel"},
    ),
    choice("rank", right="④", wrong={"①": "Sobel", "②": "Gaussian", "③": "box filter"}),
    Question(
        test="test-ternary",
        cell="ternary",
        wrong=numbers(
            "ternary_field ternary_touched",
            {
                "gaps everywhere": (27, 81),
                "one direction only": (27, 27),
                "dilation squared": (183, 729),
                "kernel sizes added": (9, 81),
                "one side only": (14, 196),
            },
        ),
        right=cells(
            {
                "layer by layer": """
                    ternary_field = 1
                    for rate in (1, 3, 9):
                        ternary_field += rate * (3 - 1)
                    ternary_touched = ternary_field * ternary_field
                """,
                "by listing": """
                    from itertools import product

                    sums = {sum(taps) for taps in product((-1, 0, 1), (-3, 0, 3), (-9, 0, 9))}
                    ternary_field = len(range(min(sums), max(sums) + 1))
                    ternary_touched = len(sums) ** 2
                """,
            }
        ),
    ),
)
