"""What is true."""

import pytest
from cases import cookbook, recipe_named, samples

from koki.evaluation.cookbook import body_of, missing_for


def titles_in(text: str, *but_not: str) -> list[str]:
    return [recipe.title for recipe in cookbook().dishes_in(text, but_not)]


def test_a_text_names_dishes_in_any_capitals_and_in_its_order() -> None:
    assert titles_in("Coba TEMPE MENDOAN, atau rendang daging.") == ["Tempe Mendoan", "Rendang Daging"]


def test_of_overlapping_names_the_longest_counts() -> None:
    longer = [recipe.title for recipe in samples()[0] if recipe.title.startswith("Soto ")]
    assert titles_in(f"Bagaimana kalau {longer[0]}?") == [longer[0]]


def test_a_name_that_goes_on_with_a_capital_is_another_dish() -> None:
    assert titles_in("Coba Tempe Mendoan Bandung.") == []
    assert titles_in("Coba Tempe Mendoan. Bahannya mudah.") == ["Tempe Mendoan"]


def test_a_name_ends_with_its_line() -> None:
    assert titles_in("Resep Tempe Mendoan\nBahannya mudah.") == ["Tempe Mendoan"]


def test_a_comma_is_no_part_of_a_name() -> None:
    assert titles_in("tempe, mendoan") == []


def test_a_name_may_mean_something_else_here() -> None:
    assert titles_in("Tempe Mendoan", "tempe mendoan") == []


def test_a_text_starts_with_a_dish_or_does_not() -> None:
    found = cookbook().dish_at_start("Tempe Mendoan bisa jadi pilihan")
    assert found is not None
    assert found.title == "Tempe Mendoan"
    assert cookbook().dish_at_start("Coba Tempe Mendoan") is None


def test_a_recipe_has_its_ingredients_and_kinds_of_them() -> None:
    rendang = recipe_named("Rendang Daging")
    assert cookbook().has(rendang, "daging sapi")
    assert cookbook().has(rendang, "cabai")
    assert not cookbook().has(rendang, "udang")


@pytest.mark.parametrize("part", ["recipe", "ingredients", "steps"])
def test_every_recipe_is_nearest_to_itself(part: str) -> None:
    for recipe in samples()[0]:
        assert cookbook().is_nearest(recipe, body_of(recipe.ingredients, recipe.steps, part), part)


def test_another_recipe_is_nearer_to_another_text() -> None:
    rendang, rawon = recipe_named("Rendang Daging"), recipe_named("Rawon")
    assert not cookbook().is_nearest(rendang, body_of(rawon.ingredients, rawon.steps, "recipe"), "recipe")


@pytest.mark.parametrize("text", ["", "xyzzy"])
def test_a_text_without_a_known_word_is_near_to_none(text: str) -> None:
    assert not cookbook().is_nearest(recipe_named("Rawon"), text, "recipe")


def test_what_is_missing_for_a_dish_is_what_it_needs_besides() -> None:
    found = missing_for(recipe_named("Tempe Mendoan"), ["tempe"])
    assert found is not None
    assert found.at_hand == ("tempe",)
    assert found.missing
    assert "tempe" not in found.missing


def test_a_dish_that_uses_nothing_of_it_has_no_suggestion() -> None:
    assert missing_for(recipe_named("Tempe Mendoan"), ["udang"]) is None


def test_the_vocabulary_is_that_of_recipes_lexicon_and_conversations() -> None:
    assert {"rendang", "siung", "selamat", "memasak", "karena"} <= cookbook().vocabulary
    assert cookbook().vocabulary.isdisjoint({"however", "schnitzel", "the", "ingredients", "salt"})
