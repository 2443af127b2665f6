"""What an answer gives against what is true, in figures that were worked out by hand."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.answers.comparison import compare_ingredients, mark_ingredients, rouge_l, steps_order
from koki.ingredients.parse import Ingredient, parse_ingredients

TRUE = parse_ingredients(["1 ekor ayam", "2 batang serai", "4 siung bawang putih", "garam secukupnya"])


class TestIngredients:
    def test_precision_recall_and_f1_count_each_ingredient_once_under_any_spelling(self) -> None:
        said = parse_ingredients(["1 ekor ayam", "3 batang sereh", "2 buah wortel", "sereh lagi"])
        found = compare_ingredients(said[:3], TRUE)
        assert found.precision == pytest.approx(2 / 3)  # ayam and sereh, not wortel
        assert found.recall == pytest.approx(2 / 4)
        assert found.f1 == pytest.approx(4 / 7)

    def test_a_quantity_is_right_with_the_same_number_and_unit(self) -> None:
        said = parse_ingredients(["1 ekor ayam", "3 batang serai", "4 butir bawang putih", "secukupnya garam"])
        assert compare_ingredients(said, TRUE).quantities == pytest.approx(2 / 4)  # ayam and garam

    @pytest.mark.parametrize(
        ("said", "true", "right"),
        [
            ("½ kg daging", "500 gram daging", 1),
            ("1 liter santan", "1000 ml santan", 1),
            ("1-2 kg ayam", "1000-2000 gram ayam", 1),
            ("500 kg daging", "500 gram daging", 0),
            ("1 ml santan", "1 liter santan", 0),
            ("1 sdt garam", "1 sdm garam", 0),
            ("gram daging", "kg daging", 0),
        ],
    )
    def test_a_weight_or_volume_is_right_in_either_unit_and_wrong_by_a_thousand(
        self, said: str, true: str, right: int
    ) -> None:
        assert compare_ingredients(parse_ingredients([said]), parse_ingredients([true])).quantities == right

    def test_the_amount_of_an_ingredient_that_is_not_said_is_not_right(self) -> None:
        assert compare_ingredients(parse_ingredients(["1 ekor ayam"]), TRUE).quantities == pytest.approx(1 / 4)

    def test_an_amount_that_two_lines_name_is_asked_for_twice(self) -> None:
        twice = parse_ingredients(["1 sdt garam", "2 siung bawang", "1 sdt garam"])
        assert compare_ingredients(twice[:2], twice).quantities == pytest.approx(2 / 3)

    def test_an_ingredient_is_invented_when_the_recipe_has_no_kind_of_it(self) -> None:
        true = parse_ingredients(["5 buah cabai rawit merah", "1 ekor ayam"])
        said = parse_ingredients(["cabai", "ayam kampung", "udang", "santan"])
        found = compare_ingredients(said, true)
        assert found.invented == pytest.approx(2 / 4)  # udang and santan
        assert found.precision == 0  # no name is the recipe's own

    def test_either_of_two_alternatives_is_right(self) -> None:
        true = parse_ingredients(["1 sdm mentega atau margarin"])
        assert compare_ingredients(parse_ingredients(["1 sdm margarin"]), true).f1 == 1

    def test_several_ingredients_in_one_line_are_several(self) -> None:
        true = parse_ingredients(["garam dan gula secukupnya"])
        assert compare_ingredients(parse_ingredients(["gula secukupnya"]), true).recall == pytest.approx(1 / 2)

    def test_marks_name_the_lines_that_are_right_and_those_that_are_not_and_what_is_missing(self) -> None:
        true = parse_ingredients(["5 buah cabai rawit merah", "1 ekor ayam", "garam dan gula secukupnya", "Bumbu:"])
        said = parse_ingredients(["Bahan:", "1 ekor ayam", "2 cabai", "100 g udang", "garam"])
        found = mark_ingredients(said, true)
        assert found.lines == (
            ("1 ekor ayam", "right", ""),
            ("2 cabai", "near", "5 buah cabai rawit merah"),
            ("100 g udang", "invented", ""),
            ("garam", "amount", "garam dan gula secukupnya"),
        )
        assert not found.is_right
        assert found.missing == ("cabai rawit merah", "gula")

    def test_a_line_that_names_several_has_the_worst_mark_of_theirs(self) -> None:
        true = parse_ingredients(["garam", "cabai rawit"])
        marked = mark_ingredients(parse_ingredients(["garam dan cabai", "garam dan udang"]), true).lines
        assert [line.mark for line in marked] == ["near", "invented"]

    def test_of_two_amounts_of_one_thing_each_is_held_against_its_own(self) -> None:
        true = parse_ingredients(["1 sdt garam", "½ sdt garam"])
        assert mark_ingredients(true[::-1], true).is_right
        once = mark_ingredients(true[1:], true)
        assert (once.lines, once.missing) == ((("½ sdt garam", "right", ""),), ("garam",))

    def test_what_is_said_twice_and_is_once_in_the_recipe_is_not_right(self) -> None:
        true = parse_ingredients(["1 sdt garam"])
        assert [line.mark for line in mark_ingredients([*true, *true], true).lines] == ["right", "amount"]

    def test_an_amount_in_another_unit_that_is_as_much_is_right(self) -> None:
        said, true = (parse_ingredients([line]) for line in ("½ kg daging", "500 gram daging"))
        assert mark_ingredients(said, true).is_right

    @given(st.lists(st.sampled_from(TRUE), unique=True), st.randoms())
    def test_a_recipe_is_right_in_any_order_of_its_lines(self, lines: list[Ingredient], draw: Random) -> None:
        assert mark_ingredients(draw.sample(lines, len(lines)), lines).is_right

    def test_headings_are_no_ingredients(self) -> None:
        said = parse_ingredients(["Bumbu halus:", "1 ekor ayam"])
        assert compare_ingredients(said, parse_ingredients(["1 ekor ayam"])).precision == 1

    def test_nothing_said_is_nothing_right_and_nothing_invented(self) -> None:
        found = compare_ingredients((), TRUE)
        assert (found.precision, found.recall, found.f1, found.quantities, found.invented) == (0, 0, 0, 0, None)

    def test_a_recipe_compared_with_itself_is_all_right(self) -> None:
        found = compare_ingredients(TRUE, TRUE)
        assert (found.precision, found.recall, found.f1, found.quantities, found.invented) == (1, 1, 1, 1, 0)


class TestSteps:
    def test_rouge_l_is_twice_the_common_subsequence_over_the_words_of_both(self) -> None:
        # rebus, ayam, sampai, empuk: 2 * 4 / (4 + 6)
        assert rouge_l("Rebus ayam sampai empuk.", "rebus ayam kampung sampai benar empuk") == pytest.approx(0.8)

    def test_the_same_words_in_another_order_have_less_in_common(self) -> None:
        assert rouge_l("empuk sampai ayam rebus", "rebus ayam sampai empuk") == pytest.approx(0.25)

    def test_nothing_said_has_nothing_in_common(self) -> None:
        assert rouge_l("", "rebus ayam") == 0

    STEPS = (
        "Rebus ayam sampai empuk.",
        "Haluskan semua bumbu.",
        "Tumis bumbu halus sampai harum.",
        "Sajikan selagi hangat.",
    )

    def test_order_is_kendalls_tau_over_the_steps_found_again(self) -> None:
        second_first = (self.STEPS[1], self.STEPS[0], self.STEPS[2])
        assert steps_order(second_first, self.STEPS) == pytest.approx(1 / 3)  # two pairs in order, one not

    def test_the_true_order_is_1_and_its_reverse_minus_1(self) -> None:
        assert steps_order(self.STEPS, self.STEPS) == 1
        assert steps_order(self.STEPS[::-1], self.STEPS) == -1

    def test_a_step_in_nearly_the_same_words_is_found_again(self) -> None:
        said = ("Rebus dulu ayamnya sampai empuk.", "Haluskan bumbu.", "Sajikan hangat.")
        assert steps_order(said, self.STEPS) == 1

    def test_fewer_than_two_steps_found_again_have_no_order(self) -> None:
        assert steps_order(self.STEPS[:1], self.STEPS) == 0
        assert steps_order(("Nyalakan oven.",) * 3, self.STEPS) == 0

    def test_a_step_that_is_said_twice_is_found_once(self) -> None:
        assert steps_order((self.STEPS[0],) * 4, self.STEPS) == 0

    def test_a_recipe_of_one_step_is_in_order_when_it_is_there(self) -> None:
        assert steps_order(("Campur semua bahan.",), ("Campur semua bahan.",)) == 1
        assert steps_order((), ("Campur semua bahan.",)) == 0
