"""What has an ingredient in it, what can be cooked of what is at hand, and what is a kind of what."""

import time
import tomllib
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.book.pantry import Pantry, Suggestion, thing
from koki.ingredients.lexicon import fold, is_staple
from koki.ingredients.parse import parse_ingredients
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes


def recipe(title: str, *lines: str, loves: int | None = None) -> Recipe:
    """A recipe with these ingredient lines; its title is its id."""
    return Recipe(title, title, parse_ingredients(list(lines)), ("Masak.",), loves, None, None, "resep.csv", 2)


def titles(found: Sequence[Recipe]) -> list[str]:
    return [it.title for it in found]


def dishes(found: Sequence[Suggestion]) -> list[str]:
    return [it.recipe.title for it in found]


SOTO = recipe("Soto Ayam", "1 ekor ayam kampung", "2 batang sereh", "4 siung bawang putih", "garam", loves=9)
GEPREK = recipe("Ayam Geprek", "2 paha ayam fillet", "10 cabe rawit merah", "2 siung bawang putih", loves=40)
BALADO = recipe("Telur Balado", "5 butir telor ayam", "3 cabe merah besar", "5 siung bawang merah", loves=9)
SUP = recipe("Sup Makaroni", "100 gram makaroni", "500 ml kaldu ayam", "1 wortel")
PANTRY = Pantry([SOTO, GEPREK, BALADO, SUP])


# ---------------------------------------------------------------------------------------- with_ingredient: spelling


@pytest.mark.parametrize("name", ["telur", "telor", "Telur", "telur ayam"])
def test_spellings_of_a_name_find_the_same_recipes(name: str) -> None:
    assert titles(PANTRY.with_ingredient(name)) == ["Telur Balado"]


@pytest.mark.parametrize(("asked", "written"), [("serai", "sereh"), ("bawput", "bawang putih"), ("kubis", "daun kol")])
def test_other_names_of_a_thing_find_it(asked: str, written: str) -> None:
    assert Pantry([recipe("Lodeh", written)]).with_ingredient(asked)


def test_a_name_that_no_recipe_has_finds_nothing() -> None:
    assert PANTRY.with_ingredient("nangka") == []


@pytest.mark.parametrize("name", ["", " ", "!?", "😋"])
def test_a_name_that_says_nothing_finds_nothing(name: str) -> None:
    assert PANTRY.with_ingredient(name) == []
    assert PANTRY.what_can_i_cook([name], 3) == []


# ------------------------------------------------------------------------------------------- with_ingredient: order


def test_the_best_loved_recipe_comes_first() -> None:
    assert titles(PANTRY.with_ingredient("bawang putih")) == ["Ayam Geprek", "Soto Ayam"]


def test_equally_loved_recipes_come_by_id_and_unknown_love_is_none() -> None:
    recipes = [recipe("C", "tahu"), recipe("B", "tahu", loves=1), recipe("A", "tahu", loves=1), recipe("D", "tahu")]
    assert titles(Pantry(recipes).with_ingredient("tahu")) == ["A", "B", "C", "D"]


def test_a_recipe_that_has_an_ingredient_twice_is_found_once() -> None:
    assert titles(Pantry([recipe("Opor", "santan encer", "santan kental")]).with_ingredient("santan")) == ["Opor"]


def test_alternatives_and_optional_ingredients_are_found_too() -> None:
    found = Pantry([recipe("Tumis", "100 gram cumi atau udang", "petai (boleh skip)")])
    assert titles(found.with_ingredient("udang")) == titles(found.with_ingredient("pete")) == ["Tumis"]


# ------------------------------------------------------------------------------------------------------------ kinds

KINDS = [
    ("cabe rawit", "cabai"),
    ("cabai rawit merah", "cabe rawit"),
    ("rawit setan", "cabai rawit"),
    ("cabe kecil", "cabai rawit"),
    ("cabai merah keriting", "cabai keriting"),
    ("cabai merah keriting", "cabai merah"),
    ("daging sapi giling", "daging sapi"),
    ("daging giling", "daging sapi"),
    ("daging has dalam", "daging"),
    ("ayam kampung", "ayam"),
    ("paha ayam fillet", "ayam"),
    ("dada ayam fillet", "dada ayam"),
    ("fillet dada ayam", "dada ayam fillet"),
    ("daging ayam", "ayam"),
    ("tongkol", "ikan"),
    ("fillet ikan dori", "dori"),
    ("tahu putih kotak", "tahu kotak"),
    ("putih telur", "telur"),
    ("telur puyuh", "telur"),
    ("kuning telur asin", "telur asin"),
    ("bombay", "bawang bombay"),
    ("terigu serbaguna", "tepung terigu"),
    ("salam", "daun salam"),
    ("kemangi", "daun kemangi"),
    ("daun jeruk purut", "daun jeruk"),
    ("air asam jawa", "asem"),
    ("lemon", "jeruk lemon"),
    ("kara", "santan"),
    ("saori saus tiram", "saus tiram"),
    ("bubuk kunyit", "kunyit"),
    ("baby buncis", "buncis"),
    ("buah nanas", "nanas"),
    ("kecap manis", "kecap"),
    ("keju cheddar", "keju"),
]


@pytest.mark.parametrize(("name", "asked"), KINDS)
def test_who_asks_for_a_thing_finds_its_kinds(name: str, asked: str) -> None:
    assert Pantry([recipe("Masakan", name)]).with_ingredient(asked)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("cabai merah besar", "cabai rawit"),
        ("cabai rawit merah", "cabai merah"),
        ("cabai", "cabai rawit"),
        ("cabai bubuk", "cabai"),
        ("telur ayam", "ayam"),
        ("kaldu ayam", "ayam"),
        ("kulit ayam", "ayam"),
        ("hati ayam", "ayam"),
        ("bakso sapi", "daging sapi"),
        ("iga sapi", "daging sapi"),
        ("dada ayam", "paha ayam"),
        ("telur asin", "telur"),
        ("daun salam", "daun jeruk"),
        ("daun bawang", "bawang"),
        ("bawang merah", "bawang putih"),
        ("bawang goreng", "bawang merah"),
        ("kacang panjang", "kacang tanah"),
        ("minyak wijen", "wijen"),
        ("tepung beras", "tepung"),
        ("jeruk nipis", "jeruk lemon"),
        ("kecap asin", "kecap"),
        ("ikan asin", "ikan"),
        ("susu bubuk", "susu cair"),
    ],
)
def test_who_asks_for_a_thing_does_not_find_another(name: str, asked: str) -> None:
    assert not Pantry([recipe("Masakan", name)]).with_ingredient(asked)


def _listed(data: Any) -> Iterator[str]:
    """The words of texts and the phrases of lists."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from (*name.split(), *_listed(value))
    elif isinstance(data, str):
        yield from data.split()
    else:
        for value in data:
            yield from [value] if isinstance(value, str) else _listed(value)


def test_the_lists_are_spelt_as_names_are_compared() -> None:
    """A word in another spelling would never match."""
    data = tomllib.loads(files("koki.book").joinpath("pantry.toml").read_text(encoding="utf-8"))
    assert [entry for entry in _listed(data) if fold(entry) != entry.replace("_", " ")] == []


# ----------------------------------------------------------------------------------------- what can I cook: missing


def test_names_are_as_the_recipe_writes_them_and_in_its_order() -> None:
    [found] = PANTRY.what_can_i_cook(["bawput", "cabai", "ayam"], 1)
    assert found == Suggestion(GEPREK, at_hand=("paha ayam fillet", "cabe rawit merah", "bawang putih"), missing=())


def test_what_is_missing_is_said_exactly() -> None:
    [found] = PANTRY.what_can_i_cook(["telur"], 1)
    assert found == Suggestion(BALADO, at_hand=("telor ayam",), missing=("cabe merah besar", "bawang merah"))


def missing(lines: list[str], have: list[str]) -> tuple[str, ...]:
    [found] = Pantry([recipe("Masakan", *lines)]).what_can_i_cook(have, 1)
    return found.missing


def test_staples_are_never_missing() -> None:
    assert missing(["tempe", "garam", "2 sdm gula pasir", "minyak goreng", "500 ml air"], ["tempe"]) == ()


def test_headings_are_never_missing() -> None:
    assert missing(["tempe", "Bumbu halus:", "kemiri"], ["tempe"]) == ("kemiri",)


def test_what_may_be_left_out_is_never_missing() -> None:
    assert missing(["tempe", "petai (boleh skip)"], ["tempe"]) == ()


def test_what_one_line_may_leave_out_and_another_may_not_is_missing() -> None:
    assert missing(["tempe", "cabai (boleh skip)", "5 cabai"], ["tempe"]) == ("cabai",)


def test_what_a_staple_can_replace_is_not_missing() -> None:
    assert missing(["tempe", "margarin atau minyak goreng"], ["tempe"]) == ()


def test_an_alternative_at_hand_is_named_instead_of_the_first_choice() -> None:
    [found] = Pantry([recipe("Tumis", "100 gram cumi atau udang", "petai")]).what_can_i_cook(["udang"], 1)
    assert (found.at_hand, found.missing) == (("udang",), ("petai",))


def test_of_alternatives_that_are_missing_the_first_is_named() -> None:
    assert missing(["100 gram cumi atau udang", "petai"], ["petai"]) == ("cumi",)


def test_each_ingredient_of_one_line_counts() -> None:
    assert missing(["tempe", "bawang merah, bawang putih, kemiri"], ["tempe", "bawang putih"]) == (
        "bawang merah",
        "kemiri",
    )


def test_an_ingredient_of_two_lines_is_missing_once() -> None:
    assert missing(["tempe", "2 siung bawang putih", "1 siung bawang putih"], ["tempe"]) == ("bawang putih",)


def test_a_kind_at_hand_is_good_for_the_thing_and_the_thing_for_its_kind() -> None:
    assert missing(["cabai"], ["cabai rawit"]) == missing(["cabai rawit"], ["cabai"]) == ()


def test_one_kind_is_not_good_for_another() -> None:
    assert missing(["tempe", "cabai rawit"], ["tempe", "cabai merah"]) == ("cabai rawit",)


# ----------------------------------------------------------------------------------------- what can I cook: ranking


def best(have: list[str], *recipes: Recipe) -> str:
    return dishes(Pantry(recipes).what_can_i_cook(have, 1))[0]


def test_the_dish_with_less_missing_comes_first() -> None:
    assert best(["tempe"], recipe("A", "tempe", "udang", "petai"), recipe("B", "tempe", "petai")) == "B"


def test_the_dish_that_uses_more_of_what_is_at_hand_comes_first() -> None:
    assert best(["tempe", "udang"], recipe("A", "tempe"), recipe("B", "tempe", "udang", "petai")) == "B"


def test_what_makes_the_dish_counts_more_than_seasoning() -> None:
    seasoned = recipe("Tahu Bumbu", "tahu", "serai", "lengkuas")
    assert best(["tempe", "serai", "lengkuas"], seasoned, recipe("Tempe Petai", "tempe", "petai")) == "Tempe Petai"


def test_a_rare_ingredient_counts_more_than_a_common_one() -> None:
    common = [recipe(f"A {number}", "tempe", "wortel", "kol") for number in range(20)]
    assert best(["tempe", "kikil"], *common, recipe("B", "kikil", "wortel", "kol")) == "B"


def test_of_equally_good_dishes_the_best_loved_comes_first_and_then_the_lower_id() -> None:
    recipes = [recipe("B", "tahu"), recipe("A", "tahu"), recipe("C", "tahu", loves=1)]
    assert dishes(Pantry(recipes).what_can_i_cook(["tahu"], 3)) == ["C", "A", "B"]


def test_a_dish_that_uses_nothing_at_hand_is_no_suggestion() -> None:
    assert dishes(PANTRY.what_can_i_cook(["makaroni"], 10)) == ["Sup Makaroni"]


def test_what_no_recipe_uses_changes_nothing() -> None:
    assert PANTRY.what_can_i_cook(["ayam", "salju"], 3) == PANTRY.what_can_i_cook(["ayam"], 3)


@pytest.mark.parametrize("number", [0, -1])
def test_no_dish_is_suggested_where_none_is_asked_for(number: int) -> None:
    assert PANTRY.what_can_i_cook(["ayam"], number) == []


def test_an_empty_pantry_suggests_nothing() -> None:
    assert Pantry([]).what_can_i_cook(["ayam"], 3) == []
    assert Pantry([]).with_ingredient("ayam") == []


# ------------------------------------------------------------------------------------------------------------- laws

NAMES = sorted({name for pair in KINDS for name in pair} | {"garam", "kaldu ayam", "cabai merah", "telur asin"})
names = st.sampled_from(NAMES) | st.lists(st.sampled_from(" ".join(NAMES).split()), max_size=4).map(" ".join)
recipes = st.lists(
    st.builds(lambda lines, loves: (lines, loves), st.lists(names, max_size=6), st.integers(0, 3) | st.none()),
    max_size=8,
).map(lambda rows: [recipe(f"R{place}", *lines, loves=loves) for place, (lines, loves) in enumerate(rows)])
at_hand = st.lists(names, max_size=4)


@given(names, names, names)
def test_a_kind_of_a_kind_is_a_kind(one: str, two: str, three: str) -> None:
    a, b, c = thing(one), thing(two), thing(three)
    if a and b and c:
        assert a.is_kind_of(a)
        assert not (a.is_kind_of(b) and b.is_kind_of(c)) or a.is_kind_of(c)


@given(recipes)
def test_every_main_ingredient_finds_its_recipe(recipes: list[Recipe]) -> None:
    pantry = Pantry(recipes)
    for it in recipes:
        assert all(it in pantry.with_ingredient(name) for name in it.main_ingredients)


@pytest.mark.slow
@given(recipes, at_hand)
def test_what_a_dish_needs_is_at_hand_or_missing_and_no_staple_is_missing(
    recipes: list[Recipe], have: list[str]
) -> None:
    for found in Pantry(recipes).what_can_i_cook(have, 10):
        assert found.at_hand
        assert not set(found.at_hand) & set(found.missing)
        assert not any(map(is_staple, found.missing))
        assert set(found.missing) <= set(found.recipe.main_ingredients)


@pytest.mark.slow
@given(recipes)
def test_with_everything_at_hand_nothing_is_missing(recipes: list[Recipe]) -> None:
    pantry = Pantry(recipes)
    for it in recipes:
        for found in pantry.what_can_i_cook(it.main_ingredients, len(recipes)):
            assert found.recipe != it or not found.missing


@given(recipes, at_hand, st.integers(0, 9), st.randoms())
def test_the_order_of_recipes_and_of_what_is_at_hand_changes_nothing(
    recipes: list[Recipe], have: list[str], number: int, random: Any
) -> None:
    found = Pantry(recipes).what_can_i_cook(have, number)
    random.shuffle(recipes)
    random.shuffle(have)
    assert Pantry(recipes).what_can_i_cook([*have, *have], number) == found


@pytest.mark.slow
@given(recipes, at_hand)
def test_fewer_suggestions_are_the_first_of_more(recipes: list[Recipe], have: list[str]) -> None:
    pantry = Pantry(recipes)
    everything = pantry.what_can_i_cook(have, 10)
    assert all(pantry.what_can_i_cook(have, number) == everything[:number] for number in range(10))


@given(st.lists(st.text(max_size=30), max_size=4))
def test_no_text_raises(have: list[str]) -> None:
    PANTRY.what_can_i_cook(have, 3)
    for name in have:
        PANTRY.with_ingredient(name)


@pytest.mark.parametrize("word", ["buah ", "dada ", "cabai ", "daun"])
def test_a_long_name_raises_nothing(word: str) -> None:
    assert PANTRY.what_can_i_cook([word * 5000 + "zaitun"], 3) == []


# -------------------------------------------------------------------------------------------------- the real recipes

DATA = Path(__file__).parents[3] / "shared" / "data" / "recipes"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the real recipe files are not beside the repository")
def test_a_question_about_thousands_of_recipes_takes_milliseconds() -> None:
    recipes = read_recipes(DATA / "dataset-tempe.csv", DATA / "dataset-ayam.csv")
    pantry = Pantry(recipes)
    asked = [it.main_ingredients[:4] for it in recipes[::10]]
    started = time.process_time()
    for have in asked:
        pantry.what_can_i_cook(have, 3)
    assert (time.process_time() - started) / len(asked) < 0.005  # 0.5 ms, and room for a slow machine
