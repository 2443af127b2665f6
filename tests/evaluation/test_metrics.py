"""Every measure against answers whose score was worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.dialogue.phrasebook import load_tips
from koki.evaluation.metrics import (
    compare_ingredients,
    gives_reason,
    has_control_token,
    has_loop,
    indonesian_share,
    key_words,
    mark_ingredients,
    rouge_l,
    said_of,
    steps_order,
)
from koki.ingredients.parse import parse_ingredients

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

    def test_marks_name_the_lines_that_are_right_near_and_invented_and_what_is_missing(self) -> None:
        true = parse_ingredients(["5 buah cabai rawit merah", "1 ekor ayam", "garam dan gula secukupnya", "Bumbu:"])
        said = parse_ingredients(["Bahan:", "ayam", "2 cabai", "100 g udang", "garam"])
        found = mark_ingredients(said, true)
        assert found.lines == (("ayam", "right"), ("2 cabai", "near"), ("100 g udang", "invented"), ("garam", "right"))
        assert found.missing == ("cabai rawit merah", "gula")

    def test_a_line_that_names_several_has_the_worst_mark_of_theirs(self) -> None:
        true = parse_ingredients(["garam", "cabai rawit"])
        marked = mark_ingredients(parse_ingredients(["garam dan cabai", "garam dan udang"]), true).lines
        assert [mark for _, mark in marked] == ["near", "invented"]

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


class TestLoops:
    def test_a_run_of_words_three_times_on_end_is_a_loop(self) -> None:
        assert has_loop("1. Tumis bumbu. Aduk rata lalu tutup, aduk rata lalu tutup, aduk rata lalu tutup")

    def test_twice_is_none(self) -> None:
        assert not has_loop("Aduk rata lalu tutup, aduk rata lalu tutup, sajikan.")

    def test_one_word_has_to_come_six_times(self) -> None:
        assert not has_loop("aduk aduk aduk aduk aduk lalu angkat")
        assert has_loop("aduk aduk aduk aduk aduk aduk")

    def test_a_line_that_comes_back_again_and_again_is_a_loop(self) -> None:
        lines = ["- 1 sdt garam halus", "- gula", "- 1 sdt garam halus", "- air", "- 1 sdt garam halus", "- serai"]
        assert not has_loop("\n".join(lines))
        assert has_loop("\n".join([*lines, "- 1 sdt garam halus"]))

    def test_thirty_words_that_come_a_second_time_are_a_loop(self) -> None:
        words = [f"kata{number}" for number in range(30)]
        assert has_loop(" ".join([*words, "lalu", *words]))
        assert not has_loop(" ".join([*words, "lalu", *words[:29]]))

    @pytest.mark.parametrize("text", ["", "soto", "Selamat memasak!"])
    def test_a_short_text_is_none(self, text: str) -> None:
        assert not has_loop(text)

    @given(st.text())
    def test_any_text_is_one_or_none(self, text: str) -> None:
        assert has_loop(text) in (True, False)


class TestWords:
    VOCABULARY = frozenset({"rebus", "ayam", "sampai", "empuk"})

    def test_the_indonesian_share_counts_words_of_letters(self) -> None:
        assert indonesian_share("Rebus 2 ayam until empuk!", self.VOCABULARY) == pytest.approx(3 / 4)

    def test_an_ending_does_not_make_a_word_foreign(self) -> None:
        assert indonesian_share("ayamnya rebuslah", self.VOCABULARY) == 1

    def test_another_script_is_not_indonesian(self) -> None:
        assert indonesian_share("煮鸡", self.VOCABULARY) == 0

    def test_no_words_have_no_share(self) -> None:
        assert indonesian_share("1 2 3", self.VOCABULARY) is None

    @pytest.mark.parametrize("text", ["Soto<|im_end|>", "<|im_start|>user", "<think>hm</think>"])
    def test_control_tokens_show(self, text: str) -> None:
        assert has_control_token(text)

    def test_plain_text_shows_none(self) -> None:
        assert not has_control_token("1 < 2 | 3 > 2")


class TestTips:
    def test_key_words_are_those_that_say_something(self) -> None:
        assert key_words("Gimana caranya supaya santan tidak pecah?") == {"santan", "pecah"}

    def test_what_is_said_of_key_words_is_their_share(self) -> None:
        assert said_of(key_words("santan pecah"), "Santannya bisa menggumpal.") == pytest.approx(1 / 2)

    @pytest.mark.parametrize("text", ["Kecilkan api supaya santan tidak pecah.", "Garam dulu, karena meresap lambat."])
    def test_a_word_that_reasons_are_given_with_gives_a_reason(self, text: str) -> None:
        assert gives_reason(text, "")

    def test_the_true_reason_in_its_own_words_is_one(self) -> None:
        true = "Gosok dengan minyak. Zat kuning kunyit larut dalam minyak, hampir tidak larut dalam air."
        assert gives_reason("Zat kuningnya larut dalam minyak.", true)
        assert not gives_reason("Gosok saja terus.", true)

    def test_every_tip_that_ships_gives_a_reason(self) -> None:
        assert [tip.answer for tip in load_tips() if not gives_reason(tip.answer, tip.answer)] == []
