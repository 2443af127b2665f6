"""An answer is held against what was read for it, part by part."""

from dataclasses import replace
from fractions import Fraction

import pytest
from pages_of_a_book import book_answers, for_ayam, page, rawon, recipe_of_soto, soto, sure, text, with_serai

from koki.answers.check import Check, check, line_of, source_of
from koki.book.reading import Reading, TipPage


@pytest.mark.parametrize("answers", ["recipe", "ingredients", "steps"])
def test_a_recipe_or_a_part_of_it_as_it_stands_in_the_book_is_right(answers: str) -> None:
    answer = text(book_answers().requested(soto(), answers))  # type: ignore[arg-type]
    found = check(answer, sure(answers))
    assert found.is_right
    assert line_of(found, sure()) == "cocok dengan resep Soto Ayam, resep.csv baris 3"


def test_only_what_is_given_is_checked() -> None:
    ingredients = check(text(book_answers().requested(soto(), "ingredients")), sure())
    assert (ingredients.steps, ingredients.is_right) == (None, True)
    steps = check(text(book_answers().requested(soto(), "steps")), sure())
    assert (steps.ingredients, steps.is_right) == (None, True)


def test_what_is_put_behind_the_books_own_list_is_not_right() -> None:
    found = check(recipe_of_soto().replace("- ½ sdt garam\n", "- ½ sdt garam\n- 2 sdm gula\n"), sure())
    assert found.ingredients is not None
    assert [line.line for line in found.ingredients.lines if line.mark != "right"] == ["2 sdm gula"]


def test_lines_that_could_not_be_told_from_headings_are_right_as_they_stand_in_the_book() -> None:
    lines = ("1 ekor ayam", "Bahan:", "4 siung bawang", "Cara lain :", "Saus : (banyaknya bisa disesuaikan):", "gula")
    strange = page("Ayam Kriwul", lines, ("Lalu:", "Goreng. Bahan: semua.", "Catatan: sajikan"))
    for answers in ("recipe", "ingredients", "steps"):
        answer = text(book_answers().requested(strange, answers))
        assert check(answer, Reading("recipe", (strange,))).is_right


def test_a_whole_recipe_that_ends_behind_its_ingredients_lacks_its_steps() -> None:
    found = check(recipe_of_soto().partition("\n\nCara membuat:")[0], sure())
    assert found.steps is not None
    assert len(found.steps.missing) == 3
    assert not found.is_right


def test_a_line_is_right_of_another_amount_or_invented_and_what_is_left_out_is_missing() -> None:
    answer = recipe_of_soto().replace("- 1 sdt garam\n", "- 2 sdt garam\n")
    answer = answer.replace("- 2 batang serai", "- 200 gram tepung terigu")
    found = check(answer, sure())
    assert found.ingredients is not None
    assert [tuple(line) for line in found.ingredients.lines if line.mark != "right"] == [
        ("2 sdt garam", "amount", "1 sdt garam"),
        ("200 gram tepung terigu", "invented", ""),
    ]
    assert found.ingredients.missing == ("serai",)
    assert line_of(found, sure()) == (
        "berbeda dari resep Soto Ayam, resep.csv baris 3: 200 gram tepung terigu tidak ada di resep; "
        "2 sdt garam, di buku 1 sdt garam; tidak disebut serai"
    )


def test_a_step_in_other_words_is_changed_and_one_in_another_place_is_out_of_order() -> None:
    changed = check(recipe_of_soto().replace("Rebus ayam", "Goreng ayam"), sure()).steps
    assert changed is not None
    assert (changed.changed, changed.missing) == (("Goreng ayam 45 menit.",), ("Rebus ayam 45 menit.",))
    mixed = recipe_of_soto().replace(
        "1. Rebus ayam 45 menit.\n2. Tumis bumbu halus.", "1. Tumis bumbu halus.\n2. Rebus ayam 45 menit."
    )
    steps = check(mixed, sure()).steps
    assert steps is not None
    assert (steps.changed, steps.missing, steps.in_order) == ((), (), False)


def test_a_recipe_of_a_dish_that_was_not_read_is_from_memory() -> None:
    answer = text(book_answers().requested(rawon(), "recipe"))
    for reading in (sure(), Reading("recipe"), Reading("recipe", absent="Rawon", nearest=("Soto Ayam",))):
        found = check(answer, reading)
        assert found.is_from_memory
        assert not found.is_right
        assert line_of(found, reading) == "tidak ada di buku resep: dari ingatan"


def test_a_name_that_goes_on_is_another_dish() -> None:
    assert check(recipe_of_soto().replace("Soto Ayam", "Soto Ayam Mars"), sure()).is_from_memory


def test_of_several_pages_the_one_that_the_answer_names_is_the_one_that_counts() -> None:
    found = check(recipe_of_soto(), Reading("recipe", (rawon(), soto())))
    assert found.source == source_of(soto())
    assert found.is_right


def test_an_opening_in_other_words_that_names_no_dish_is_held_against_the_page_it_is_most_like() -> None:
    _, _, lists = recipe_of_soto().partition("\n\n")
    found = check(f"Tentu, silakan!\n\n{lists}", Reading("recipe", (rawon(), soto())))
    assert found.source == source_of(soto())
    assert found.is_right


def test_that_the_book_lacks_a_dish_is_nothing_to_check() -> None:
    reading = Reading("recipe", absent="Rendang", nearest=("Soto Ayam",))
    found = check(text(book_answers().absent("Rendang", ["Soto Ayam"])), reading)
    assert (found, found.is_right, line_of(found, reading)) == (Check(), True, "")


@pytest.mark.parametrize("which", [0, 1])
def test_a_recommendation_is_right_with_and_without_its_recipe(which: int) -> None:
    answer = text(book_answers().recommended(for_ayam())[which])
    found = check(answer, for_ayam())
    assert (found.missing_is_exact, found.others, found.is_right) == (True, (), True)
    assert (found.ingredients is None) == bool(which)


def test_what_is_missing_must_be_exact() -> None:
    answer = text(book_answers().recommended(for_ayam())[0]).replace("bawang putih.", "bawang putih dan serai.", 1)
    found = check(answer, for_ayam())
    assert (found.missing_is_exact, found.is_right) == (False, False)
    assert line_of(found, for_ayam()).endswith("yang belum ada menurut buku: bawang putih")


def test_a_further_dish_must_be_as_it_was_read() -> None:
    answer = text(book_answers().recommended(for_ayam())[0]).replace("daging sapi dan kluwek", "kluwek")
    found = check(answer, for_ayam())
    assert [line.partition(":")[0] for line in found.others] == ["Rawon"]
    assert not found.is_right


def test_an_inquiry_is_right_where_each_dish_stands_in_what_was_read() -> None:
    whole, brief = (text(answer) for answer in book_answers().inquired(with_serai()))
    assert check(whole, with_serai()).is_right
    assert check(brief, with_serai()).is_right
    assert not check(whole.replace("- Rawon:", "- Gulai Mars:"), with_serai()).is_right


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("Untuk Soto Ayam, bawang putihnya 4 siung.", ()),
        ("Garamnya 1 sdt dan ½ sdt.", ()),
        ("Garamnya 1 1/2 sdt.", ("1 1/2 sdt",)),
        ("Ayamnya direbus 45 menit.", ()),
        ("Ayamnya direbus 15 menit.", ("15 menit",)),
        ("Ya, pakai serai.", ()),
        ("Untuk 10 porsi, 4 siung.", ()),
    ],
)
def test_a_detail_is_checked_by_its_amounts(answer: str, wrong: tuple[str, ...]) -> None:
    found = check(answer, sure("detail"), question="Buat 10 porsi berapa bawang putihnya?")
    assert (found.amounts, found.is_right) == (wrong, not wrong)


def test_for_more_portions_the_amounts_are_those_of_the_recipe_times_as_many() -> None:
    doubled = Reading("recipe", (replace(soto(), times=Fraction(2)),))
    answer = "Bahan Soto Ayam:\n\n- 2 ekor ayam\n- 2 sdt garam\n- 4 batang serai\n- 8 siung bawang putih\n- 1 sdt garam"
    assert check(answer, doubled).is_right
    assert not check(answer, sure()).is_right
    assert check("Bawang putihnya 8 siung.", replace(doubled, wanted="detail")).is_right
    assert not check("Bawang putihnya 4 siung.", replace(doubled, wanted="detail")).is_right


def test_a_tip_is_right_as_it_stands_in_the_book() -> None:
    tip = "Rebus ikan buntal tidak menghilangkan racunnya, jadi jangan dimasak sendiri."
    reading = Reading("harm", tips=(TipPage("ikan buntal", tip),))
    assert line_of(check(tip, reading), reading) == "cocok dengan tips ikan buntal"
    wrong = check(tip.replace("tidak ", "").replace("jangan", "boleh"), reading)
    assert line_of(wrong, reading) == "berbeda dari tips ikan buntal"
    assert not wrong.is_right


def test_of_many_differences_three_are_told() -> None:
    answer = "Resep Soto Ayam:\n\nBahan:\n- 1 kg terigu\n- 2 butir telur\n- 3 sdm gula\n\nCara membuat:\n1. Panggang."
    told = line_of(check(answer, sure()), sure())
    assert told.count(";") == 3
    assert told.endswith("dan 2 lainnya")


def test_a_recipe_of_a_sheet_of_a_workbook_is_told_with_the_sheet() -> None:
    recipe = replace(soto().recipe, file="resep.xlsx", sheet="Ayam", line=4)
    reading = Reading("recipe", (replace(soto(), recipe=recipe),))
    assert line_of(check(recipe_of_soto(), reading), reading) == (
        "cocok dengan resep Soto Ayam, resep.xlsx lembar Ayam baris 4"
    )


def test_json_holds_each_line_with_its_mark() -> None:
    content = check(recipe_of_soto().replace("1 ekor", "2 ekor"), sure()).as_dict()
    assert content["is_right"] is False
    assert content["source"] == {"title": "Soto Ayam", "file": "data/resep.csv", "line": 3, "sheet": ""}
    assert content["ingredients"]["lines"][0] == {"line": "2 ekor ayam", "mark": "amount", "book": "1 ekor ayam"}
    assert content["steps"] == {"changed": [], "missing": [], "in_order": True}
