"""Fitting: courtesy goes first, then extras, then words around the recipe; what is given is given whole."""

from hypothesis import given
from hypothesis import strategies as st

from koki.dialogue.conversation import Conversation, Segment
from koki.dialogue.fit import Version, shorter_and_shorter

Answer = tuple[Segment, ...]

RECIPE = (Segment("Bahan"), Segment("Langkah"))
END = (Segment("Pilihan lain", "extra"), Segment("Selamat memasak!", "courtesy"))


def conversation(answer: Answer, terse: Answer = (), brief: Answer = ()) -> Conversation:
    return Conversation("recommendation", "Kamu Koki.", "Masak apa?", answer, terse, brief)


def texts(asked: Conversation) -> list[str]:
    return [version.text for version in shorter_and_shorter(asked)]


def test_courtesy_is_left_out_first_then_the_extras() -> None:
    assert texts(conversation((*RECIPE, *END))) == [
        "Bahan\n\nLangkah\n\nPilihan lain\n\nSelamat memasak!",
        "Bahan\n\nLangkah\n\nPilihan lain",
        "Bahan\n\nLangkah",
    ]


def test_an_answer_without_courtesy_or_extras_is_offered_once() -> None:
    assert texts(conversation(RECIPE)) == ["Bahan\n\nLangkah"]


def test_then_come_fewer_words_around_the_recipe_and_last_an_answer_without_it() -> None:
    asked = conversation(
        (Segment("Dengan ayam, coba Soto."), *RECIPE, *END),
        terse=(Segment("Soto."), *RECIPE),
        brief=(Segment("Dengan ayam, coba Soto. Mau resepnya?"), *END),
    )
    assert list(shorter_and_shorter(asked))[2:] == [
        Version("Dengan ayam, coba Soto.\n\nBahan\n\nLangkah", is_brief=False),
        Version("Soto.\n\nBahan\n\nLangkah", is_brief=False),
        Version("Dengan ayam, coba Soto. Mau resepnya?\n\nPilihan lain\n\nSelamat memasak!", is_brief=True),
        Version("Dengan ayam, coba Soto. Mau resepnya?\n\nPilihan lain", is_brief=True),
        Version("Dengan ayam, coba Soto. Mau resepnya?", is_brief=True),
    ]


answers = st.lists(
    st.builds(Segment, st.text(min_size=1), st.sampled_from(["body", "extra", "courtesy"])), min_size=1
).map(tuple)


@given(answers, answers | st.just(()), answers | st.just(()))
def test_the_body_of_an_answer_is_whole_in_every_version(answer: Answer, terse: Answer, brief: Answer) -> None:
    bodies = {
        "\n\n".join(segment.text for segment in version if segment.role == "body") for version in (answer, terse, brief)
    }
    parts = [body.split("\n\n") for body in bodies]
    for text in texts(conversation(answer, terse, brief)):
        assert any(all(part in text for part in body) for body in parts)
