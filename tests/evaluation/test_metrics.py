"""Every measure against answers whose score was worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.dialogue.phrasebook import load_tips
from koki.evaluation.metrics import gives_reason, has_control_token, has_loop, indonesian_share, key_words, said_of


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

    def test_a_number_is_no_word_even_as_a_fraction(self) -> None:
        assert indonesian_share("rebus ¾ ayam 1⅛", self.VOCABULARY) == 1

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
