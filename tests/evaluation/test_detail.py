"""A detail is right when it says what the recipe says of the thing, in whatever words, and nothing else of it."""

import pytest
from cases import recipe_named, said

from koki.answers.said import read_answer
from koki.book.naming import names_of
from koki.book.titles import spoken
from koki.dialogue.details import common_ingredients, details_of
from koki.dialogue.phrasebook import load_phrasebook
from koki.evaluation.asked import Asked
from koki.evaluation.capabilities.capability import Case, Scores
from koki.evaluation.capabilities.detail import DETAIL
from koki.evaluation.cookbook import Cookbook
from koki.evaluation.judge import judge

SOTO = recipe_named("Soto Ayam Lamongan")
DISH = spoken(SOTO.title)
BOOK = Cookbook([SOTO], {SOTO.id: DISH})

AMOUNT = ("berapa siung bawang putih untuk {}?", "Bawang putihnya 5 siung.")
ENOUGH = ("untuk {} garamnya berapa", "Garamnya secukupnya.")
TWICE = ("untuk {} bawang putihnya berapa", "Bawang putihnya 5 siung untuk bumbu halus dan 3 siung untuk sambal.")
HAS = ("{} pakai kemiri ga?", "Ya, {} memakai 4 butir kemiri.")
LACKS = ("{} pakai kemiri ga?", "Tidak, resep {} tidak memakai kemiri.")
WHICH = ("{} tepungnya tepung apa", "Tepungnya tepung terigu dan tepung beras.")
TIME = ("{} direbus berapa lama?", "Sekitar 30 menit: rebus ayam sekitar 30 menit.")
HEAT = ("{} digoreng pakai api apa?", "Api sedang: goreng ayam dengan api sedang.")
ORDER = ("{} santannya dimasukkan kapan?", "Santan dipakai di langkah 4: Tuang santan, masak sampai mendidih.")
SCALED = ("mau bikin {} dua kali resep, santannya jadi berapa?", "Santannya jadi 1400 ml.")
LIST = (
    "Kalau {} dibuat dua kali resep, bahannya jadi berapa?",
    "Untuk dua kali resep, bahan {} menjadi:\n\n- 2 ekor ayam\n- 10 siung bawang putih\n- secukupnya garam",
)


def scores(pair: tuple[str, str], answer: str) -> Scores:
    question, reference = (text.format(DISH) for text in pair)
    names = tuple(DETAIL.names_in(question, load_phrasebook()))
    asked = Asked("recall/detail/1", "recall", "detail", question, reference, SOTO, names)
    return DETAIL.judge(Case(asked, answer.format(DISH), read_answer(answer.format(DISH)), BOOK))


@pytest.mark.parametrize(
    ("pair", "answer"),
    [
        (AMOUNT, "5 siung."),
        (AMOUNT, "5"),  # the question names the unit
        (AMOUNT, "Bawang putih yang dipakai lima siung ya."),
        (AMOUNT, "Untuk {}, bawang putihnya 5 siung, sedangkan bawang merahnya 8 siung."),
        (AMOUNT, "Resep ini memakai 5 siung bawang putih dan 2 ruas kunyit."),
        (AMOUNT, "Bukan 3 siung, melainkan 5 siung."),
        (ENOUGH, "Secukupnya saja."),
        (TWICE, "5 siung untuk bumbu halus, lalu 3 siung lagi untuk sambal."),
        (HAS, "Ya."),
        (HAS, "Iya, kemirinya 4 butir."),
        (HAS, "Resep ini memakai kemiri."),
        (HAS, "Pakai, empat butir kemiri."),
        (LACKS, "Tidak."),
        (LACKS, "{} tidak pakai kemiri."),
        (LACKS, "Nggak, kemiri tidak dipakai."),
        (WHICH, "Terigu dan tepung beras."),
        (WHICH, "Pakai tepung beras sama tepung terigu ya."),
        (TIME, "30 menit."),
        (TIME, "Kira-kira setengah jam."),
        (HEAT, "Pakai api sedang."),
        (HEAT, "Sedang saja, bukan besar."),
        (ORDER, "Di langkah 4."),
        (ORDER, "Santan masuk pada langkah keempat."),
        (ORDER, "Tuang santan lalu masak sampai mendidih."),
        (SCALED, "Jadi 1,4 liter santan."),
        (LIST, "Bahannya:\n- 2 ekor ayam\n- 10 siung bawang putih\n- garam secukupnya"),
    ],
)
def test_right_in_its_own_words(pair: tuple[str, str], answer: str) -> None:
    assert scores(pair, answer) == {"right": 1, "contradicts": 0}


@pytest.mark.parametrize(
    ("pair", "answer"),
    [
        (AMOUNT, "Bawang putihnya 6 siung."),
        (AMOUNT, "Bawang putihnya 5 atau 6 siung."),
        (AMOUNT, "Bawang putihnya 5 siung, boleh juga 8 siung."),
        (AMOUNT, "5 butir bawang putih."),
        (AMOUNT, "Bawang merahnya 5 siung."),  # of something else
        (AMOUNT, "Bawang putihnya secukupnya."),
        (AMOUNT, "Bukan 5 siung."),
        (AMOUNT, ""),
        (ENOUGH, "Garamnya 1 sdt."),
        (TWICE, "Bawang putihnya 5 siung."),
        (HAS, "Tidak."),
        (HAS, "Ya, 6 butir kemiri."),
        (HAS, "Ya, resep ini tidak memakai kemiri."),
        (HAS, "Ya, resep ini memakai kencur."),
        (LACKS, "Ya."),
        (LACKS, "Tidak, resep ini memakai kemiri."),
        (LACKS, "Ya, {} memakai 4 butir kemiri."),
        (LACKS, "Tidak, resep ini tidak memakai santan."),
        (WHICH, "Tepung terigu."),
        (WHICH, "Tepung terigu, tepung beras, dan tepung sagu."),
        (WHICH, "Bukan tepung terigu, tapi tepung beras."),
        (TIME, "40 menit."),
        (TIME, "Direbus 30 menit, lalu 10 menit lagi."),
        (TIME, "30 jam."),
        (TIME, "Sampai empuk."),
        (HEAT, "Api besar."),
        (HEAT, "Api sedang atau besar."),
        (HEAT, "Bukan api sedang."),
        (ORDER, "Di langkah 3."),
        (ORDER, "Di langkah 3 dan 4."),
        (ORDER, "Di akhir."),
        (ORDER, "Serai dipakai di langkah 4."),
        (SCALED, "Santannya jadi 700 ml."),
        (SCALED, "Santannya jadi 1400 gram."),
        (LIST, "Bahannya:\n- 2 ekor ayam\n- 5 siung bawang putih\n- secukupnya garam"),
        (LIST, "Bahannya:\n- 2 ekor ayam\n- 10 siung bawang putih"),
        (LIST, "Dua kali lipat semuanya."),
    ],
)
def test_wrong_whatever_its_words(pair: tuple[str, str], answer: str) -> None:
    assert scores(pair, answer)["right"] == 0


@pytest.mark.parametrize(
    ("pair", "answer"),
    [
        (AMOUNT, "Bawang putihnya 5 siung, boleh juga 8 siung."),
        (HAS, "Ya, 6 butir kemiri."),
        (LACKS, "Ya, memakai kemiri."),
        (TIME, "40 menit."),
        (WHICH, "Tepung terigu, tepung beras, dan tepung sagu."),
    ],
)
def test_something_else_of_the_thing_contradicts(pair: tuple[str, str], answer: str) -> None:
    assert scores(pair, answer)["contradicts"] == 1


def test_nothing_said_contradicts_nothing() -> None:
    assert scores(AMOUNT, "Maaf, saya tidak tahu.") == {"right": 0, "contradicts": 0}


def test_the_answers_that_are_trained_on_are_right() -> None:
    names = names_of([SOTO])
    for detail in details_of(SOTO, names[SOTO.id], common_ingredients([recipe_named("Opor Ayam")]), seed=42):
        topic = tuple(DETAIL.names_in(detail.question, load_phrasebook()))
        assert topic == (detail.topic,)
        asked = Asked("recall/detail/1", "recall", "detail", detail.question, detail.answer, SOTO, topic)
        assert judge(asked, said(detail.answer), Cookbook([SOTO], names))["right"] == 1, detail


def test_what_has_none_of_the_forms_is_no_detail() -> None:
    with pytest.raises(ValueError, match="none of the forms"):
        DETAIL.names_in("Apa kabar?", load_phrasebook())
