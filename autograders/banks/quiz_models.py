"""Known-wrong and different-right answers to ``quiz_models``: each wrong option is a named misconception."""

from __future__ import annotations

from autograders.banks import Question, cells, choice, numbers

QUESTIONS = (
    choice("lenet", right="③", wrong={"①": "too deep", "②": "VGG's kernels", "④": "modern rewrite"}),
    choice("relu", right="①", wrong={"②": "sigmoid", "③": "tanh", "④": "output layer"}),
    choice("vgg", right="④", wrong={"①": "bottleneck", "②": "large kernels", "③": "first layer of ResNet"}),
    choice("metric", right="②", wrong={"①": "top-1", "③": "top-3", "④": "top-10"}),
    choice(
        "top-five",
        right="②",
        wrong={"①": "any hit is right", "③": "rank matters", "④": "share of wrong guesses"},
    ),
    choice(
        "stack", right="④", wrong={"①": "one layer", "②": "same field, same weights", "③": "channels once"}
    ),
    choice(
        "inception", right="①", wrong={"②": "no reduction", "③": "reduction is free", "④": "reduction alone"}
    ),
    choice(
        "degradation", right="④", wrong={"①": "overfitting", "②": "too little data", "③": "less expressive"}
    ),
    choice("cardinality", right="②", wrong={"①": "no groups", "③": "one group", "④": "depthwise"}),
    choice("dense", right="④", wrong={"①": "input forgotten", "②": "off by one", "③": "multiplied"}),
    choice("dual-path", right="③", wrong={"①": "ResNet", "②": "DenseNet", "④": "ensemble"}),
    choice("squeeze", right="③", wrong={"①": "one layer", "②": "no reduction", "④": "not connected"}),
    choice("multipliers", right="①", wrong={"②": "once", "③": "one multiplier", "④": "width once"}),
    choice(
        "no-shuffle",
        right="③",
        wrong={"①": "two layers mix", "②": "divided twice", "④": "one more group a layer"},
    ),
    choice("average-pool", right="②", wrong={"①": "one side", "③": "maps averaged together", "④": "classes"}),
    choice(
        "params-macs",
        right="①",
        wrong={"②": "shortcuts multiply", "③": "size of the numbers", "④": "smaller input"},
    ),
    Question(
        test="test-dense-weights",
        cell="dense-weights",
        wrong=numbers(
            "dense_last dense_weights",
            {
                "same input for every layer": (60, 10368),
                "input forgotten": (36, 7776),
                "off by one": (72, 23328),
                "kernel forgotten": (60, 2016),
            },
        ),
        right=cells(
            {
                "average times four": """
                    dense_last = 24 + 12 * (4 - 1)
                    dense_weights = 4 * (24 + dense_last) // 2 * 12 * 9
                """,
                "layer by layer": """
                    channels, dense_weights = 24, 0
                    for _ in range(4):
                        dense_last = channels
                        dense_weights += 3 * 3 * channels * 12
                        channels += 12
                """,
            }
        ),
    ),
)
