"""Known-wrong and different-right answers to the assignment ``NAME``."""

from __future__ import annotations

from autograders.banks import Question, cells, functions, numbers

POSITIONS = Question(
    test="test-positions",
    cell="positions",
    wrong=numbers(
        "positions",
        {
            "off by one": (16,),
            "output as large as the input": (49,),
            "side instead of area": (5,),
        },
    ),
    right=cells(
        {
            "counted": "positions = len([(i, j) for i in range(7 - 2) for j in range(7 - 2)])",
            "by hand": "positions = 25",
        }
    ),
)

RECTANGLE = Question(
    test="test-rectangle",
    cell="rectangle",
    wrong=functions(
        "def count_cells(height, width):",
        {
            "sides added": "return height + width",
            "square assumed": "return height**2",
            "border only": "return 2 * (height + width) - 4",
        },
    ),
    right=functions(
        "def count_cells(height, width):",
        {
            "row by row": """
                total = 0
                for _ in range(height):
                    total += width
                return total
            """,
            "cells listed": "return len([(i, j) for i in range(height) for j in range(width)])",
        },
    ),
)

CHOICE = Question(
    test="test-choice",
    cell="choice",
    wrong=cells(
        {
            "padding thought to cost room": 'choice = "①"  #@param ["선택", "①", "②", "③"]',
            "channels taken for places": 'choice = "③"  #@param ["선택", "①", "②", "③"]',
            "number instead of a choice": "choice = 2",
        }
    ),
    right=cells(
        {
            "chosen in Colab's form": 'choice = "②"  #@param ["선택", "①", "②", "③"]',
            "typed on a line of its own": 'choice = "선택"\nchoice = "②"',
        }
    ),
)

QUESTIONS = (POSITIONS, RECTANGLE, CHOICE)
