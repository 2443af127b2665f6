"""What every engine does: prompts are answered side by side, in pieces, and no longer than somebody wants them."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from helpers import QUESTIONS
from hypothesis import given
from hypothesis import strategies as st

from koki.dialogue.phrasebook import load_phrasebook
from koki.gguf.of_run import gguf_of_run
from koki.inference.chat import what_to_cook_with
from koki.inference.chef import Chef
from koki.inference.engine import Engine, Generated
from koki.inference.engines import load_engine
from koki.pipeline import TrainResult
from koki.runs.finished import read_run
from koki.tokens.template import ChatTemplate

ENGINES = ["transformers", "llama.cpp"]


@pytest.fixture(scope="module", params=ENGINES)
def loaded(request: pytest.FixtureRequest, finished_run: TrainResult) -> tuple[Engine, ChatTemplate]:
    """Each engine, in float32."""
    if request.param == "transformers":
        return load_engine(finished_run.folder, "transformers")
    pytest.importorskip("xllamacpp", reason="llama.cpp's wheel (xllamacpp) is not installed")
    file = gguf_of_run(read_run(finished_run.folder), "f32")
    return load_engine(file, "llama.cpp")


@pytest.fixture(scope="module")
def engine(loaded: tuple[Engine, ChatTemplate]) -> Engine:
    return loaded[0]


@pytest.fixture(scope="module")
def template(loaded: tuple[Engine, ChatTemplate]) -> ChatTemplate:
    return loaded[1]


@pytest.fixture(scope="module")
def chef(loaded: tuple[Engine, ChatTemplate]) -> Chef:
    return Chef(*loaded)


@pytest.fixture(scope="module")
def prompts(template: ChatTemplate) -> list[list[int]]:
    return [template.prompt(question) for question in QUESTIONS]


def said(answers: Sequence[Generated]) -> list[tuple[str, str, int]]:
    """All of answers but how long they took."""
    return [(one.text, one.ended_by, one.tokens) for one in answers]


def in_order(engine: Engine, prompts: list[list[int]], **options: Any) -> list[Generated]:
    answers = dict(engine.generate(prompts, **options))
    return [answers[number] for number in range(len(prompts))]


@pytest.mark.slow
def test_answers_given_side_by_side_are_those_given_one_by_one(chef: Chef) -> None:
    # in float32 on a CPU; padding changes the shapes of the sums and so, in half precision, may change a near tie
    together = chef.ask(QUESTIONS, max_new_tokens=60)
    alone = [chef.ask(question, max_new_tokens=60) for question in QUESTIONS]
    assert [(one.question, one.answer, one.tokens, one.stopped) for one in together] == [
        (one.question, one.answer, one.tokens, one.stopped) for one in alone
    ]


@pytest.mark.slow
def test_an_answer_ends_with_the_context_that_the_model_reads(chef: Chef) -> None:
    long = "soto " * (chef.context - 150)  # a token each, and a prompt around them
    alone = chef.ask(long, max_new_tokens=300)
    assert (alone.stopped, alone.ended_by) == (False, "context")
    assert 0 < alone.tokens < 150
    beside, short = chef.ask([long, "Resep soto?"], max_new_tokens=300)
    assert (beside.answer, beside.ended_by, beside.tokens) == (alone.answer, "context", alone.tokens)
    if not torch.cuda.is_available():  # in half precision a near tie may turn with what is beside it
        assert short.answer == chef.ask("Resep soto?", max_new_tokens=300).answer


@pytest.mark.slow
def test_several_answers_come_in_pieces_at_once_each_in_its_own(engine: Engine, prompts: list[list[int]]) -> None:
    pieces: list[tuple[int, str]] = []
    answers = in_order(engine, prompts, max_new_tokens=40, on_text=lambda *piece: pieces.append(piece))
    together: dict[int, str] = defaultdict(str)
    for number, text in pieces:
        together[number] += text
    assert [together[number] for number in range(len(prompts))] == [answer.text for answer in answers]
    turns = [number for number, _ in pieces]
    assert turns != sorted(turns, key=turns.index)  # none waits for another to end


def test_an_answer_that_is_cancelled_ends_after_the_token_at_which_it_was_and_the_others_go_on(
    engine: Engine, prompts: list[list[int]]
) -> None:
    asked: list[int] = []

    def is_cancelled(number: int) -> bool:
        asked.append(number)
        return number == 1 and asked.count(1) == 7

    whole = in_order(engine, prompts, max_new_tokens=20)
    answers = in_order(engine, prompts, max_new_tokens=20, is_cancelled=is_cancelled)
    (short,) = in_order(engine, prompts[1:2], max_new_tokens=7)
    assert (answers[1].ended_by, answers[1].tokens, answers[1].text) == ("cancelled", 7, short.text)
    assert said([*answers[:1], *answers[2:]]) == said([*whole[:1], *whole[2:]])


def test_an_answer_may_be_cancelled_by_who_hears_its_text(engine: Engine, prompts: list[list[int]]) -> None:
    heard: list[str] = []
    (answer,) = in_order(
        engine,
        prompts[:1],
        max_new_tokens=300,
        on_text=lambda _, text: heard.append(text),
        is_cancelled=lambda _: len(heard) == 3,
    )
    assert answer.ended_by == "cancelled"
    assert answer.tokens < 30
    assert "".join(heard) == answer.text


def test_a_prompt_that_has_not_been_started_when_the_generator_is_closed_is_not_answered(
    engine: Engine, prompts: list[list[int]]
) -> None:
    begun: set[int] = set()
    answers = engine.generate(prompts * 9, max_new_tokens=1, on_text=lambda number, _: begun.add(number))
    assert not begun
    next(answers)
    started = set(begun)
    answers.close()
    assert begun == started
    assert 0 < len(started) < len(prompts * 9)


@pytest.mark.slow
def test_threads_that_ask_at_once_get_the_answers_that_each_would_get_alone(chef: Chef) -> None:
    questions = QUESTIONS[:4] * 2
    alone = {question: chef.ask(question, max_new_tokens=40).answer for question in questions}
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda question: chef.ask(question, max_new_tokens=40).answer, questions))
    assert together == [alone[question] for question in questions]


def test_an_error_of_who_hears_an_answer_reaches_who_asked_and_the_engine_goes_on(
    engine: Engine, prompts: list[list[int]]
) -> None:
    def fail(_: int, __: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_order(engine, prompts[:2], max_new_tokens=20, on_text=fail)
    assert in_order(engine, prompts[:1], max_new_tokens=3)[0].tokens == 3


def test_at_a_temperature_answers_vary(chef: Chef) -> None:
    assert len({chef.ask("Resep soto ayam dong!", max_new_tokens=20, temperature=5).answer for _ in range(3)}) == 3


def test_a_greedy_answer_does_not_mind_what_was_asked_before(chef: Chef) -> None:
    first = chef.ask("Resep soto ayam dong!", max_new_tokens=40).answer
    chef.ask(["Resep soto?", "Telur?"], max_new_tokens=10)
    assert chef.ask("Resep soto ayam dong!", max_new_tokens=40).answer == first


@pytest.fixture(scope="module")
def in_float32(finished_run: TrainResult) -> tuple[Engine, ChatTemplate]:
    """llama.cpp over a file in float32."""
    pytest.importorskip("xllamacpp", reason="llama.cpp's wheel (xllamacpp) is not installed")
    return load_engine(gguf_of_run(read_run(finished_run.folder), "f32"), "llama.cpp")


@pytest.mark.slow
def test_both_engines_give_the_same_answers_to_a_hundred_questions(
    finished_run: TrainResult, in_float32: tuple[Engine, ChatTemplate]
) -> None:
    dishes, forms = ("soto ayam", "tempe orek", "telur dadar", "rawon", "es teler"), load_phrasebook().simple
    questions = [form.question.format(title=dish) for dish in dishes for form in forms]
    questions += [what_to_cook_with([first, second]) for first in dishes for second in dishes]
    ours, theirs = (
        Chef(*loaded).ask(questions[:100], max_new_tokens=24)
        for loaded in (in_float32, load_engine(finished_run.folder, "transformers"))
    )
    assert len(ours) == 100
    assert [(one.answer, one.ended_by) for one in ours] == [(one.answer, one.ended_by) for one in theirs]


@given(st.data())
def test_no_text_of_a_user_becomes_a_control_token(
    in_float32: tuple[Engine, ChatTemplate], data: st.DataObject
) -> None:
    engine, template = in_float32
    control = data.draw(st.sampled_from(sorted(template.control_tokens)))
    question = data.draw(st.text(max_size=20)) + control + data.draw(st.text(max_size=20))
    prompt = template.prompt(question)
    frame = template.prompt("")
    assert [number for number in prompt if number in template.control_tokens.values()] == [
        number for number in frame if number in template.control_tokens.values()
    ]
    ((_, answer),) = engine.generate([prompt], max_new_tokens=1)
    assert not any(text in answer.text for text in template.control_tokens)
