"""Known-wrong and different-right answers to ``quiz_transfer``: each wrong option is a named misconception."""

from __future__ import annotations

from autograders.banks import Question, cells, choice, numbers

QUESTIONS = (
    choice("definition", right="②", wrong={"①": "augmentation", "③": "optimiser", "④": "regularisation"}),
    choice(
        "scenario",
        right="①",
        wrong={"②": "nothing to carry over", "③": "no preprocessing", "④": "from scratch"},
    ),
    choice(
        "not-an-advantage",
        right="④",
        wrong={"①": "saves time", "②": "needs little data", "③": "needs few resources"},
    ),
    choice(
        "frozen-norm", right="③", wrong={"①": "nothing changes", "②": "weights move", "④": "scale and shift"}
    ),
    choice(
        "trainable", right="④", wrong={"①": "old head", "②": "bias forgotten", "③": "frozen ones counted"}
    ),
    choice(
        "learning-rate",
        right="③",
        wrong={"①": "large everywhere", "②": "the wrong way round", "④": "head left random"},
    ),
    choice("transforms", right="①", wrong={"②": "more epochs", "③": "head", "④": "freezing"}),
    choice("strategy", right="②", wrong={"①": "frozen features", "③": "as it is", "④": "throw data away"}),
    Question(
        test="test-vgg-head",
        cell="vgg-head",
        wrong=numbers(
            "vgg_trainable vgg_total",
            {
                "bias forgotten": (40960, 134301504),
                "old head kept": (40970, 138398514),
                "total left as it was": (40970, 138357544),
                "one bias for the layer": (40961, 134301505),
            },
        ),
        right=cells(
            {
                "from the difference": """
                    vgg_trainable = (4096 + 1) * 10
                    vgg_total = 138_357_544 - (4096 + 1) * 990
                """,
                "class by class": """
                    vgg_trainable = sum([4097] * 10)
                    vgg_total = 138_357_544 - sum([4097] * 1000) + vgg_trainable
                """,
            }
        ),
    ),
)
