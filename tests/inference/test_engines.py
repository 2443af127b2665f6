"""What both engines do: side by side, in pieces, no longer than somebody wants, and for several threads at once."""

import itertools
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import torch
from asking import in_order, said
from helpers import QUESTIONS
from hypothesis import given
from hypothesis import strategies as st

from koki.config import ModelConfig, RunConfig
from koki.data.recipes import recipe_files
from koki.evaluation.questions import Examiner
from koki.gguf.of_run import gguf_of_run
from koki.inference.chef import Chef
from koki.inference.engine import Engine, Sampling
from koki.inference.transformers_engine import TransformersEngine
from koki.model.source import find_base, load_tokenizer
from koki.pipeline import TrainResult
from koki.recipes.table import read_recipes
from koki.runs.finished import read_run
from koki.tokens.template import ChatTemplate


@pytest.fixture(scope="module")
def template(finished_run: TrainResult) -> ChatTemplate:
    return ChatTemplate(load_tokenizer(finished_run.folder), "Kamu Koki.")


def load_transformers(run: Path, template: ChatTemplate, _: Path) -> TransformersEngine:
    config, tokenizer = ModelConfig(name="mini"), load_tokenizer(run)
    return TransformersEngine.load(find_base(config), config, tokenizer, template.stop_id, adapter=run)


def load_llama_cpp(run: Path, template: ChatTemplate, folder: Path) -> Engine:
    pytest.importorskip("xllamacpp", reason="llama.cpp's wheel (xllamacpp) is not installed")
    from koki.inference.llama_cpp_engine import LlamaCppEngine

    file, context = gguf_of_run(read_run(run), "f32", folder=folder), find_base(ModelConfig(name="mini")).config
    tokenizer = load_tokenizer(run).backend_tokenizer
    return LlamaCppEngine(file, context.max_position_embeddings, tokenizer, template.stop_id, exact=True)


@pytest.fixture(scope="module", params=[load_transformers, load_llama_cpp], ids=["transformers", "llama.cpp"])
def engine(
    request: pytest.FixtureRequest,
    finished_run: TrainResult,
    template: ChatTemplate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Engine:
    loaded: Engine = request.param(finished_run.folder, template, tmp_path_factory.mktemp("gguf"))
    return loaded


@pytest.fixture(scope="module")
def chef(engine: Engine, template: ChatTemplate) -> Chef:
    return Chef(engine, template)


@pytest.fixture(scope="module")
def prompts(template: ChatTemplate) -> list[list[int]]:
    return [template.prompt(question) for question in QUESTIONS]


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


@pytest.mark.slow
def test_an_answer_of_any_characters_is_its_pieces_joined(engine: Engine, template: ChatTemplate) -> None:
    pieces: defaultdict[int, list[str]] = defaultdict(list)
    torch.manual_seed(1)
    prompts = [template.prompt("鱼🐟?")] * 8  # one of them may draw the token that ends it early
    options: dict[str, Any] = {"max_new_tokens": 100, "sampling": Sampling(9.0)}
    answers = in_order(engine, prompts, on_text=lambda number, text: pieces[number].append(text), **options)
    assert max(map(len, pieces.values())) > 20
    assert ["".join(pieces[number]) for number in range(len(prompts))] == [answer.text for answer in answers]


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


def test_an_engine_whose_answer_was_broken_off_answers_again(engine: Engine, prompts: list[list[int]]) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    whole = in_order(engine, prompts[:1], max_new_tokens=10)
    with pytest.raises(KeyboardInterrupt):
        in_order(engine, prompts, max_new_tokens=10, on_text=interrupt)
    assert said(in_order(engine, prompts[:1], max_new_tokens=10)) == said(whole)


def test_threads_that_ask_one_chef_at_once_get_the_answers_that_each_would_get_alone(chef: Chef) -> None:
    alone = [chef.ask(question, max_new_tokens=12).answer for question in QUESTIONS]
    together = Barrier(len(QUESTIONS))

    def ask(question: str) -> str:
        together.wait()
        return chef.ask(question, max_new_tokens=12).answer

    with ThreadPoolExecutor(len(QUESTIONS)) as threads:
        assert list(threads.map(ask, QUESTIONS)) == alone


def test_each_token_of_an_answer_counts_also_where_several_make_one_character(
    engine: Engine, template: ChatTemplate
) -> None:
    # tokens drawn at random have bytes among them, of which some make a character together, and most make none
    answers = in_order(engine, [template.prompt("🐟?")] * 4, max_new_tokens=150, sampling=Sampling(9.0))
    assert all(answer.tokens == 150 for answer in answers if answer.ended_by == "max_new_tokens")
    assert all(answer.tokens < 150 for answer in answers if answer.ended_by != "max_new_tokens")


def test_what_several_threads_ask_comes_side_by_side(engine: Engine, prompts: list[list[int]]) -> None:
    """While the first is answered all others come, and none of them waits until another has ended."""
    turns: list[int] = []
    all_asked = Barrier(len(prompts))

    def ask(number: int) -> None:
        def hear(*_: object) -> None:
            if not turns:
                all_asked.wait()
            turns.append(number)

        if number:
            all_asked.wait()
        in_order(engine, [prompts[number]], max_new_tokens=40, on_text=hear)

    with ThreadPoolExecutor(len(prompts)) as threads:
        list(threads.map(ask, range(len(prompts))))
    changes = sum(one != other for one, other in itertools.pairwise(turns))
    assert changes > 2 * len(prompts)


def test_one_who_does_not_hear_an_answer_costs_nobody_else_theirs(engine: Engine, prompts: list[list[int]]) -> None:
    alone = said(in_order(engine, prompts[:1], max_new_tokens=20))
    both_asked = Barrier(2)

    def fail(*_: object) -> None:
        raise ConnectionError

    def ask(on_text: Callable[[int, str], object] | None) -> list[tuple[str, str, int]]:
        both_asked.wait()
        return said(in_order(engine, prompts[:1], max_new_tokens=20, on_text=on_text))

    with ThreadPoolExecutor(2) as threads:
        failing, other = threads.submit(ask, fail), threads.submit(ask, None)
        assert other.result() == alone
        with pytest.raises(ConnectionError):
            failing.result()


def test_the_same_seed_draws_the_same_tokens_and_the_likeliest_alone_are_the_greedy_ones(chef: Chef) -> None:
    def drawn(**sampling: Any) -> str:
        return chef.ask("Resep soto ayam dong!", max_new_tokens=20, temperature=5, **sampling).answer

    assert drawn(seed=7) == drawn(seed=7)
    assert drawn(seed=7) != drawn(seed=8)
    assert drawn(top_p=1e-6) == chef.ask("Resep soto ayam dong!", max_new_tokens=20).answer


def test_at_a_temperature_answers_vary(chef: Chef) -> None:
    assert len({chef.ask("Resep soto ayam dong!", max_new_tokens=20, temperature=5).answer for _ in range(3)}) == 3


def test_a_greedy_answer_does_not_mind_what_was_asked_before(chef: Chef) -> None:
    first = chef.ask("Resep soto ayam dong!", max_new_tokens=40).answer
    chef.ask(["Resep soto?", "Telur?"], max_new_tokens=10)
    assert chef.ask("Resep soto ayam dong!", max_new_tokens=40).answer == first


@given(st.data())
def test_no_text_of_a_user_becomes_a_control_token(engine: Engine, template: ChatTemplate, data: st.DataObject) -> None:
    control = data.draw(st.sampled_from(sorted(template.control_tokens)))
    question = data.draw(st.text(max_size=20)) + control + data.draw(st.text(max_size=20))
    prompt = template.prompt(question)
    frame = template.prompt("")
    assert [number for number in prompt if number in template.control_tokens.values()] == [
        number for number in frame if number in template.control_tokens.values()
    ]
    ((_, answer),) = engine.generate([prompt], max_new_tokens=1)
    assert not any(text in answer.text for text in template.control_tokens)


# ------------------------------------------------------------------------------------------------- the two together


@pytest.mark.slow
def test_both_engines_give_the_same_answers_to_a_hundred_questions(
    finished_run: TrainResult, template: ChatTemplate, tmp_path: Path
) -> None:
    """In float32; where the logits of two tokens are as good as equal, either may come."""
    transformers = load_transformers(finished_run.folder, template, tmp_path)
    llama_cpp = load_llama_cpp(finished_run.folder, template, tmp_path)
    prompts = [template.prompt(question) for question in hundred_questions(template)]
    for prompt, one, other in zip(
        prompts,
        in_order(transformers, prompts, max_new_tokens=60),
        in_order(llama_cpp, prompts, max_new_tokens=60),
        strict=True,
    ):
        if said([one]) != said([other]):
            assert distance_where_they_part(transformers, template, prompt, one.text, other.text) < 1e-3


def distance_where_they_part(
    engine: TransformersEngine, template: ChatTemplate, prompt: list[int], one: str, other: str
) -> float:
    """Between the logits of the best two tokens behind the words that two answers have in common."""
    tokens = zip(*template.encode([one, other]), strict=False)
    common = [token for token, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], tokens)]
    with torch.inference_mode():
        first, second = engine._model(torch.tensor([prompt + common])).logits[0, -1].topk(2).values.tolist()
    return float(first - second)


def hundred_questions(template: ChatTemplate) -> list[str]:
    """Of all capabilities, about the recipes that ship."""
    config = RunConfig()
    recipes = read_recipes(*recipe_files(config))
    asked = Examiner(recipes, [], config, template, vocabulary_size=8192, seed=1).draw(20)
    return [one.question for one in asked[:: len(asked) // 100][:100]]
