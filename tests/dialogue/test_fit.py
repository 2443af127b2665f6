"""Fitting: courtesy goes first, then tips; the body never."""

from hypothesis import given
from hypothesis import strategies as st

from koki.dialogue.compose import Segment
from koki.dialogue.fit import shorter_and_shorter

ANSWER = (
    Segment("Bahan"),
    Segment("Langkah"),
    Segment("Tips: pelan-pelan.", "extra"),
    Segment("Selamat memasak!", "courtesy"),
)


def test_courtesy_is_left_out_first_then_the_tip() -> None:
    assert list(shorter_and_shorter(ANSWER)) == [
        "Bahan\n\nLangkah\n\nTips: pelan-pelan.\n\nSelamat memasak!",
        "Bahan\n\nLangkah\n\nTips: pelan-pelan.",
        "Bahan\n\nLangkah",
    ]


def test_an_answer_without_courtesy_or_tip_is_offered_once() -> None:
    assert list(shorter_and_shorter(ANSWER[:2])) == ["Bahan\n\nLangkah"]


segments = st.builds(Segment, st.text(min_size=1), st.sampled_from(["body", "extra", "courtesy"]))


@given(st.lists(segments, min_size=1).map(tuple))
def test_the_body_is_whole_in_every_version(answer: tuple[Segment, ...]) -> None:
    body = [segment.text for segment in answer if segment.role == "body"]
    for text in shorter_and_shorter(answer):
        for part in body:
            assert part in text
