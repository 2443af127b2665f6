"""Texts that mention a term, and those that speak for it."""

import pytest

from koki.evaluation.mentions import can_be_mentioned, mentions, speaks_for


@pytest.mark.parametrize("text", ["Pakai santan.", "santannya kental", "Santan, serai"])
def test_a_term_is_mentioned_with_and_without_an_ending(text: str) -> None:
    assert mentions(text, "santan")


def test_spelling_is_folded() -> None:
    assert mentions("3 buah cabe rawit", "cabai rawit")
    assert mentions("sereh", "serai")


def test_a_part_of_a_word_is_no_mention() -> None:
    assert not mentions("gulai ayam", "gula")


def test_a_phrase_is_mentioned_in_one_clause() -> None:
    assert mentions("Masak dengan api kecil.", "api kecil")
    assert not mentions("Kecilkan api. Kecil saja.", "api kecil")


def test_a_number_with_a_comma_is_mentioned() -> None:
    assert mentions("Tuang 1,5 liter santan.", "1,5 liter")


def test_what_goes_on_after_a_clause_cannot_be_mentioned() -> None:
    assert can_be_mentioned("api kecil")
    assert can_be_mentioned("jangan terlalu lama")
    assert can_be_mentioned("tanpa garam atau gula")
    assert not can_be_mentioned("ayam, serai")
    assert not can_be_mentioned("?")


def test_nothing_is_no_term() -> None:
    assert not mentions("santan", " ")


@pytest.mark.parametrize(
    "text",
    [
        "Resep ini tanpa santan.",
        "Tidak pakai santan.",
        "Jangan beri santan ya.",
        "bukan santan",
        "tidak perlu pakai santan",
        "Tanpa garam, gula, atau santan.",
        "Tanpa santan, gula merah, atau garam.",
        "Tidak perlu susu maupun santan.",
        "Gausah pake santan.",
        "Santan tidak dipakai di sini.",
        "Santannya bisa dihilangkan.",
        "Susu ganti dengan krimer tanpa santan.",
    ],
)
def test_a_negated_mention_does_not_speak_for_it(text: str) -> None:
    assert mentions(text, "santan")
    assert not speaks_for(text, "santan")


@pytest.mark.parametrize(
    "text",
    [
        "Pakai santan.",
        "Jangan lupa santan.",
        "Tanpa garam, pakai santan.",  # another clause
        "Tidak usah khawatir gosong dan masukkan santan",  # further away
        "Bisa tanpa santan. Tuang santan.",
        "Tanpa garam, pakai santan atau susu.",
        "Aduk supaya santan tidak pecah.",
        "Jangan terlalu banyak santan.",
    ],
)
def test_any_other_mention_speaks_for_it(text: str) -> None:
    assert speaks_for(text, "santan")


@pytest.mark.parametrize(
    "text",
    [
        "Ganti santan dengan susu.",
        "Ganti 200 ml santan kental pakai susu.",
        "Gantikan santan jadi susu, rasanya lebih ringan.",
        "Boleh diganti santannya dengan susu.",
        "Jangan lupa ganti santan dengan susu.",
        "Santan diganti susu.",
        "Santannya bisa diganti dengan susu.",
        "Santan kental juga boleh di ganti dgn susu.",
        "Kalau tidak ada santan ganti dengan susu.",
        "Tanpa santan diganti susu.",
        "Pakai susu sebagai pengganti santan.",
        "Pengganti santan: susu.",
        "Pengganti santan yang baik adalah susu.",
        "Susu menggantikan santan.",
        "Sebagai ganti santan pakai susu.",
    ],
)
def test_what_is_replaced_is_not_spoken_for_and_what_replaces_it_is(text: str) -> None:
    assert not speaks_for(text, "santan")
    assert speaks_for(text, "susu")


@pytest.mark.parametrize(
    "text",
    [
        "Jangan ganti santan dengan susu.",
        "Tidak perlu mengganti santan dengan susu.",
        "Santan tidak bisa diganti susu.",
        "Santan jangan diganti dengan susu.",
        "Santannya tidak perlu diganti susu.",
    ],
)
def test_what_is_not_to_be_replaced_is_spoken_for_and_what_would_replace_it_is_not(text: str) -> None:
    assert speaks_for(text, "santan")
    assert not speaks_for(text, "susu")


@pytest.mark.parametrize(
    "text",
    [
        "Pakai santan atau bisa diganti susu.",
        "200 ml santan (bisa diganti susu).",  # what is said first stands
        "Tidak ada pengganti santan yang segurih ini.",
        "Kalau susu habis, ganti santan saja.",  # which of the two it says is open
        "Ganti wajan lalu tuang santan dengan sendok.",
        "Ganti daun pisang bila sobek. Tuang santan dengan hati-hati.",
    ],
)
def test_where_it_may_be_left_as_it_is_it_is_spoken_for(text: str) -> None:
    assert speaks_for(text, "santan")
