"""Text written for a browser or a program becomes plain text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.markup import without_markup


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("garam<br>gula", "garam\ngula"),
        ("garam<br />gula<BR/>lada", "garam\ngula\nlada"),
        ("<li>garam</li>gula", "\ngaram\ngula"),
        ('<p class="x">garam</p>', "\ngaram\n"),
        ("<b>garam</b> <a href='/x'>halus</a>", "garam halus"),
        ("1<sup>1</sup>/2 kg", "11/2 kg"),
        ("<td>2 sdm</td><td>gula</td>", " 2 sdm  gula "),
        ("garam<!-- iklan -->", "garam"),
        ("garam<style>p { color: red }</style><script>x('<p>')</script>", "garam"),
        ("tahu &amp; tempe", "tahu & tempe"),
        ("&amp;amp;amp;frac12; kg", "½ kg"),
        ("garam&lt;br&gt;gula", "garam\ngula"),
        (r"garam\r\ngula\nlada\rmadu", "garam\ngula\nlada\nmadu"),
        (r"garam\\ngula", "garam\ngula"),
        (r"1\tkg \u00bd \"lezat\" 1\/2", '1\tkg ½ "lezat" 1/2'),
    ],
)
def test_markup_becomes_what_a_reader_sees(written: str, plain: str) -> None:
    assert without_markup(written) == plain


@pytest.mark.parametrize(
    "text", ["suhu < 100", "enak <3 sekali", "a < b > c", "garam & gula", "50% \\o/", "<3 sdm> gula"]
)
def test_signs_that_are_no_markup_stay(text: str) -> None:
    assert without_markup(text) == text


pieces = st.sampled_from(
    ["&", "amp;", "lt;", "gt;", "#60;", "<", ">", "br", "/", "\\", "n", "r", "u003c", "p", "garam", " "]
)


@given(st.lists(pieces, max_size=40).map("".join))
def test_nothing_is_left_for_a_second_time(text: str) -> None:
    assert without_markup(without_markup(text)) == without_markup(text)


@given(st.text(st.characters(exclude_characters="&<\\")))
def test_a_text_without_markup_stays_as_it_is(text: str) -> None:
    assert without_markup(text) == text


@pytest.mark.parametrize("piece", ["&amp;", "&am", "<!--", "<br ", "\\", "<script>", "&#60;", "<p<p>"])
def test_a_long_text_takes_no_long_time(piece: str) -> None:
    started = time.process_time()
    without_markup(piece * (20_000 // len(piece)))
    assert time.process_time() - started < 3
