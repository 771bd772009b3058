"""The reader's own Python behind sliders: they move in Jupyter and Colab, the book shows one state."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["sliders"]


def sliders(function: Callable[..., Any], **values: Sequence[Any]) -> Any:
    """Call `function` again whenever the reader moves a slider.

    Parameters
    ----------
    function : callable
        Takes the names of `values` as keyword arguments; what it returns is displayed.
    **values : sequence
        What each argument can be. The first one holds to begin with.

    Returns
    -------
    object
        While the book is made, what `function` returns for the first values, with a note above that says so.
        Otherwise None: ipywidgets displays the sliders and the result.

    Raises
    ------
    ValueError
        If there is no slider, or nothing to choose from for one.
    """
    if not values or not all(len(choices) for choices in values.values()):
        raise ValueError("sliders needs names with values to choose from, such as per_class=[1, 5, 20]")
    if "CNNBOOK_READS" in os.environ:  # set by tools.pages: the result will be read without a kernel
        from IPython.display import Markdown, display

        first = {name: choices[0] for name, choices in values.items()}
        shown = ", ".join(f"`{name}={value!r}`" for name, value in first.items())
        display(
            Markdown(
                f"*이 쪽에는 {shown}일 때 계산한 결과를 담았습니다. 이 노트북을 Colab이나 Jupyter에서 "
                "열면 손잡이가 나타나고, 움직일 때마다 다시 계산합니다.*"
            )
        )
        return function(**first)
    from ipywidgets import SelectionSlider, interact

    # Each run trains a network: the slider reports where it stops, not each place on its way.
    controls = {
        name: SelectionSlider(options=list(choices), description=name, continuous_update=False)
        for name, choices in values.items()
    }
    interact(function, **controls)
    return None
