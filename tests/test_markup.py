"""Text written for a browser or a program becomes plain text."""

import html
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


@given(st.lists(st.sampled_from(["garam", " & ", " < 3", "½", " > ", '"', "'"])).map("".join), st.integers(0, 3))
def test_a_text_that_was_encoded_several_times_is_decoded_as_often(text: str, times: int) -> None:
    written = text
    for _ in range(times):
        written = html.escape(written)
    assert without_markup(written) == text


@given(st.text(st.characters(exclude_characters="&<\\")))
def test_a_text_without_markup_stays_as_it_is(text: str) -> None:
    assert without_markup(text) == text


@pytest.mark.parametrize(
    "piece", ["&amp;", "&am", "<!--", "<br ", "\\", "<script>", "&#60;", "<p<p>", "\\u005c", "\\u005cu005c"]
)
def test_a_long_text_takes_no_long_time(piece: str) -> None:
    started = time.process_time()
    without_markup(piece * (20_000 // len(piece)))
    assert time.process_time() - started < 3


def test_tags_within_tags_take_no_long_time() -> None:
    started = time.process_time()
    without_markup("<" * 6600 + "b>" * 6600)
    assert time.process_time() - started < 3
