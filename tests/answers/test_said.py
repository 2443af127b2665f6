"""An answer, taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.answers.said import read_answer


def names(text: str) -> list[str | None]:
    return [item.name for item in read_answer(text).ingredients if not item.heading]


KOKI = """Berikut resep Soto Ayam:

Bahan:
- 1 ekor ayam
- 2 batang serai, memarkan

Bumbu halus:
- 6 siung bawang merah

Cara membuat:
1. Rebus ayam.
2. Sajikan hangat.

Selamat memasak!"""


def test_an_answer_has_an_opening_ingredients_and_steps() -> None:
    said = read_answer(KOKI)
    assert said.opening.startswith("Berikut resep Soto Ayam:")
    assert names(KOKI) == ["ayam", "serai", "bawang merah"]
    assert said.steps == ("Rebus ayam.", "Sajikan hangat.")
    assert said.others == ()


@pytest.mark.parametrize(
    "opening",
    [
        "Bahan-bahan Soto Ayam:",
        "Untuk membuat Soto Ayam, siapkan bahan-bahan ini:",
        "Ini yang perlu disiapkan untuk Soto Ayam:",
        "Soto Ayam memerlukan bahan-bahan berikut:",
    ],
)
def test_an_opening_may_head_the_ingredients_itself(opening: str) -> None:
    assert names(f"{opening}\n\n- 1 ekor ayam\n- garam\n\nSelamat memasak!") == ["ayam", "garam"]


@pytest.mark.parametrize(
    "opening",
    ["Langkah-langkah membuat Ayam Bumbu Rujak:", "Begini cara membuat Soto Ayam:", "Ini urutan membuat Soto Ayam:"],
)
def test_an_opening_may_head_the_steps_itself(opening: str) -> None:
    said = read_answer(f"{opening}\n\n1. Rebus ayam.\n2. Sajikan.")
    assert said.steps == ("Rebus ayam.", "Sajikan.")
    assert said.ingredients == ()


def test_a_list_of_further_dishes_is_neither() -> None:
    said = read_answer(
        f"{KOKI}\n\nMasakan lain dengan ayam:\n- Opor Ayam, dengan santan.\n- Ayam Goreng, dengan lengkuas."
    )
    assert said.others == ("Opor Ayam, dengan santan.", "Ayam Goreng, dengan lengkuas.")
    assert said.steps == ("Rebus ayam.", "Sajikan hangat.")


def test_what_is_missing_does_not_head_a_list() -> None:
    said = read_answer(
        "Coba bikin Soto Ayam. Bahan lain yang masih diperlukan: serai dan kunyit. Ini resepnya:\n\n" + KOKI
    )
    assert len([item for item in said.ingredients if not item.heading]) == 3


def test_headings_in_markdown_are_headings() -> None:
    text = "## Soto Ayam\n\n**Bahan:**\n* 1 ekor **ayam**\n* serai\n\n### Cara Membuat\n1. Rebus ayam.\n2. Sajikan."
    assert names(text) == ["ayam", "serai"]
    assert read_answer(text).steps == ("Rebus ayam.", "Sajikan.")


def test_ingredients_may_be_numbered_and_steps_may_not() -> None:
    text = "Bahan:\n1. ayam\n2. serai\n\nCara membuat:\nRebus ayam.\nSajikan hangat."
    assert names(text) == ["ayam", "serai"]
    assert read_answer(text).steps == ("Rebus ayam.", "Sajikan hangat.")


def test_ingredients_may_stand_behind_their_heading() -> None:
    text = "Bahan: ayam\nLangkah:\n1. Rebus."
    assert names(text) == ["ayam"]


def test_a_list_under_no_heading_is_of_other_things() -> None:
    assert read_answer("Bisa dimasak jadi:\n1. Soto Ayam\n2. Opor Ayam").others == ("Soto Ayam", "Opor Ayam")


def test_a_tip_is_an_opening_and_nothing_else() -> None:
    said = read_answer("Aduk santan terus dengan api kecil. Panas yang tinggi membuatnya pecah.")
    assert (said.ingredients, said.steps, said.others) == ((), (), ())


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert read_answer(text).opening is not None
