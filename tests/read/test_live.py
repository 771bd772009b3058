"""`cnnbook.live`: sliders where there is a kernel, one computed state where there is none."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cnnbook.live import sliders


@pytest.fixture
def shown(monkeypatch) -> list:
    objects: list = []
    InteractiveShell.instance()
    for name in ("IPython.display.display", "ipywidgets.widgets.interaction.display"):
        monkeypatch.setattr(name, lambda *o, **_: objects.extend(o))
    return objects


def test_the_book_gets_the_first_state_and_is_told_so(monkeypatch, shown):
    monkeypatch.setenv("CNNBOOK_READS", "somewhere")
    assert sliders(lambda n, name: (n, name), n=[3, 5], name=["a", "b"]) == (3, "a")
    assert "`n=3`, `name='a'`일 때 계산한" in shown[0].data


def test_a_reader_moves_the_sliders(monkeypatch, shown):
    monkeypatch.delenv("CNNBOOK_READS", raising=False)
    calls = []
    assert sliders(lambda n: calls.append(n), n=[3, 5, 8]) is None
    slider = shown[0].children[0]
    slider.value = 8
    assert calls[-1] == 8 and slider.description == "n"


@pytest.mark.parametrize("values", [{}, {"n": []}])
def test_nothing_to_choose_is_refused(values):
    with pytest.raises(ValueError, match="such as per_class"):
        sliders(print, **values)
