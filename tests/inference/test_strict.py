"""Where it is sure which page is meant, the lists of an answer are the book's, whatever the model would say."""

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages_of_a_book import book_answers, for_ayam, rawon, recipe_of_soto, soto, sure, text, with_serai

from koki.answers.check import check
from koki.book.reading import Reading
from koki.inference.engine import GREEDY, Ending, Generated, Sampling
from koki.inference.strict import generate_strictly, is_sure

CLOSING = "Selamat memasak!"
WRONG = "Berikut resep Soto Ayam:\n\nBahan:\n- 200 gram tepung terigu\n\nCara membuat:\n1. Panggang.\n\nSelamat!"


def encode(said: str) -> list[int]:
    return [*map(ord, said)]


class Scripted:
    """A model that says what it is told to, a word or a line's end at a time.

    Args:
        says: the answers to the prompts, in their order, each as it goes on behind what stands in the prompt so far.
        behind_lists: what it says where an answer goes on behind the lists of a book.
    """

    name = "scripted"
    at_once = 1

    def __init__(self, *says: str, behind_lists: str = CLOSING, context: int = 10_000) -> None:
        self._says, self._behind_lists = says, behind_lists
        self.context = context
        self.generated = 0

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        sampling: Sampling = GREEDY,  # noqa: ARG002
        on_text: Callable[[int, str], object] | None = None,
        is_cancelled: Callable[[int], bool] | None = None,
    ) -> Generator[tuple[int, Generated], None, None]:
        for number, prompt in enumerate(prompts):
            goes_on = len(prompt) > 1
            pieces = re.findall(r"\n|\S+ *| +", self._behind_lists if goes_on else self._says[prompt[0]])
            said: list[str] = []
            ended_by: Ending = "stop_token"
            for piece in pieces:
                said.append(piece)
                if on_text:
                    on_text(number, piece)
                if len(said) == max_new_tokens:
                    ended_by = "max_new_tokens"
                    break
                if is_cancelled and is_cancelled(number):
                    ended_by = "cancelled"
                    break
            self.generated += len(said)
            yield number, Generated("".join(said), ended_by, len(said), 0.5)


def ask(engine: Scripted, *readings: Reading, told: list[str] | None = None, most: int = 512) -> list[Generated]:
    """The answers to one question for each reading; what is told of the first is put into ``told``."""
    prompts = [[number] for number in range(len(readings))]
    answers = generate_strictly(
        engine,
        encode,
        prompts,
        readings,
        max_new_tokens=most,
        on_text=lambda number, piece: told.append(piece) if told is not None and number == 0 else None,
    )
    found = dict(answers)
    return [found[number] for number in range(len(readings))]


def test_the_lists_are_the_books_and_the_rest_is_the_models() -> None:
    (answer,) = ask(Scripted(WRONG), sure())
    assert answer.text == recipe_of_soto()
    assert answer.ended_by == "stop_token"
    assert check(answer.text, sure()).is_right


def test_the_model_does_not_generate_the_lists() -> None:
    engine = Scripted(recipe_of_soto())
    (answer,) = ask(engine, sure())
    assert answer.text == recipe_of_soto()
    assert answer.tokens == engine.generated < 12


@pytest.mark.parametrize("part", ["ingredients", "steps"])
def test_a_part_that_is_wanted_is_put_in_alone(part: str) -> None:
    true = text(book_answers().requested(soto(), part))  # type: ignore[arg-type]
    (answer,) = ask(Scripted(re.sub(r"\d", "7", true)), sure(part))
    assert answer.text == true


def test_what_is_told_as_it_comes_is_the_answer() -> None:
    told: list[str] = []
    (answer,) = ask(Scripted(WRONG), sure(), told=told)
    assert "".join(told) == answer.text
    assert len(told) > 1


def test_a_list_that_the_model_begins_anew_behind_those_of_the_book_is_left_out() -> None:
    for more in ("Bahan:\n- terigu", "- terigu", "Semoga suka.\n\nCara membuat:\n1. Panggang.", "**Bahan**\n* terigu"):
        (answer,) = ask(Scripted(WRONG, behind_lists=more), sure())
        assert check(answer.text, sure()).is_right
        assert "terigu" not in answer.text
        assert answer.ended_by == "stop_token"


def test_further_dishes_stand_behind_the_recipe() -> None:
    whole = text(book_answers().recommended(for_ayam())[0])
    behind = whole[whole.index("Pilihan lain") :]
    (answer,) = ask(Scripted(whole.replace("1 ekor", "9 ekor"), behind_lists=behind), for_ayam())
    assert answer.text == whole


@pytest.mark.parametrize("said", ["Maaf, Soto Ayam tidak ada di buku resep.", "Soto Ayam enak dimakan hangat."])
def test_an_answer_without_a_list_gives_way_to_the_books(said: str) -> None:
    told: list[str] = []
    (answer,) = ask(Scripted(said), sure(), told=told)
    assert answer.text == "".join(told)
    assert check(answer.text, sure()).is_right
    assert said not in answer.text


def test_an_opening_that_names_a_dish_that_was_not_read_is_replaced() -> None:
    (answer,) = ask(Scripted(WRONG.replace("Soto Ayam", "Rendang Mars")), sure())
    assert answer.text == recipe_of_soto()


def test_an_opening_that_is_wrong_about_what_is_missing_is_replaced() -> None:
    whole = text(book_answers().recommended(for_ayam())[0])
    (answer,) = ask(Scripted(whole.replace("bawang putih.", "kecap manis.", 1), behind_lists=""), for_ayam())
    assert answer.text == whole.partition("\n\nPilihan lain")[0]


def test_an_opening_that_names_a_further_dish_leads_to_the_recipe_of_that() -> None:
    said = "Dengan serai, kamu bisa membuat Rawon. Ini resepnya:\n\nBahan:\n- santan"
    (answer,) = ask(Scripted(said), with_serai())
    assert "5 buah kluwek" in answer.text
    assert check(answer.text, with_serai()).is_right


def test_for_more_portions_the_amounts_are_multiplied() -> None:
    doubled = Reading("recipe", (replace(soto(), times=Fraction(2)),))
    (answer,) = ask(Scripted(WRONG), doubled)
    assert "- 8 siung bawang putih" in answer.text
    assert check(answer.text, doubled).is_right


def test_only_where_one_page_is_meant_and_lists_are_wanted_it_is_sure() -> None:
    assert is_sure(sure())
    assert not is_sure(Reading("recipe", (soto(), rawon())))
    assert not is_sure(Reading("recipe", absent="Rendang"))
    assert not is_sure(sure("detail"))


def test_where_it_is_not_sure_all_is_the_models_and_comes_word_by_word() -> None:
    told: list[str] = []
    (answer,) = ask(Scripted(WRONG), Reading("recipe", (soto(), rawon())), told=told)
    assert (answer.text, "".join(told)) == (WRONG, WRONG)
    assert len(told) > 20


def test_several_are_asked_side_by_side() -> None:
    unsure = Reading("recipe", (soto(), rawon()))
    first, second, third = ask(Scripted(WRONG, WRONG, WRONG), sure(), unsure, sure())
    assert (first.text, second.text, third.text) == (recipe_of_soto(), WRONG, recipe_of_soto())


def test_without_room_behind_the_lists_they_end_the_answer() -> None:
    (answer,) = ask(Scripted(WRONG, context=30), sure())
    assert answer.text == recipe_of_soto().removesuffix(f"\n\n{CLOSING}")
    assert answer.ended_by == "stop_token"


def test_an_opening_that_runs_into_the_limit_has_no_lists() -> None:
    (answer,) = ask(Scripted(WRONG), sure(), most=2)
    assert (answer.text, answer.ended_by) == ("Berikut resep ", "max_new_tokens")


def test_one_that_is_cancelled_is_over() -> None:
    answers = generate_strictly(
        Scripted(WRONG), encode, [[0]], [sure()], max_new_tokens=512, is_cancelled=lambda _: True
    )
    assert [(number, answer.ended_by) for number, answer in answers] == [(0, "cancelled")]


LINES = st.sampled_from(
    ["Berikut resep Soto Ayam:", "", "Bahan:", "- 9 kg garam", "Cara membuat:", "1. Goreng.", "Rawon enak.", "* gula"]
)


@given(st.lists(LINES), st.lists(LINES))
def test_whatever_the_model_says_the_lists_of_an_answer_are_right(before: list[str], behind: list[str]) -> None:
    (answer,) = ask(Scripted("\n".join([*before, "- x y"]), behind_lists="\n".join(behind)), sure())
    found = check(answer.text, sure())
    assert found.ingredients is not None
    assert found.ingredients.is_right
    assert found.steps is not None
    assert found.steps.is_right
