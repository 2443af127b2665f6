"""What is shown of an answer ends at a stop text, and has no blanks at its ends, however it comes."""

from hypothesis import given
from hypothesis import strategies as st

from koki.serving.shown_text import ShownText


def shown(pieces: list[str], *stops: str) -> str:
    text = ShownText(stops)
    return "".join(map(text.put, pieces)) + text.end()


def test_pieces_are_shown_as_they_come() -> None:
    text = ShownText()
    assert [text.put(piece) for piece in (" Berikut ", "resep ", "Soto")] == ["Berikut", " resep", " Soto"]


def test_nothing_of_a_stop_text_is_shown_even_if_it_comes_in_pieces() -> None:
    assert shown(["Bahan:\n- ayam\nCara ", "membuat:", "\n1. Rebus."], "Cara membuat") == "Bahan:\n- ayam"


def test_what_only_looks_like_the_beginning_of_a_stop_text_is_shown() -> None:
    assert shown(["Cara ", "makan"], "Cara membuat") == "Cara makan"


def test_once_a_stop_text_has_come_it_is_over() -> None:
    text = ShownText(("\n\n",))
    assert (text.put("a\n"), text.is_over, text.put("\nb"), text.is_over, text.put("c")) == ("a", False, "", True, "")


TEXTS = st.text(alphabet="ab \n", max_size=12)


@given(st.lists(TEXTS, max_size=8), st.none() | st.text(alphabet="ab \n", min_size=1, max_size=4))
def test_the_pieces_that_are_shown_are_the_text_up_to_the_stop_text(pieces: list[str], stop: str | None) -> None:
    whole = "".join(pieces)
    until = whole.partition(stop)[0] if stop else whole
    assert shown(pieces, *([stop] if stop else [])) == until.strip()
