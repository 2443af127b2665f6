"""Transformers answers prompts: side by side, in pieces, and no longer than somebody wants them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import torch
from asking import in_order, said
from helpers import QUESTIONS

from koki.config import ModelConfig
from koki.inference.chef import Chef
from koki.inference.engine import Sampling
from koki.inference.transformers_engine import TransformersEngine
from koki.model.base import load_base
from koki.model.device import detect_device
from koki.model.lora import load_adapter
from koki.model.source import find_base, load_tokenizer
from koki.pipeline import TrainResult
from koki.tokens.template import ChatTemplate


@pytest.fixture(scope="module")
def template(finished_run: TrainResult) -> ChatTemplate:
    return ChatTemplate(load_tokenizer(str(finished_run.folder)), "Kamu Koki.")


@pytest.fixture(scope="module")
def engine(finished_run: TrainResult, template: ChatTemplate) -> TransformersEngine:
    config, tokenizer = ModelConfig(name="mini"), load_tokenizer(str(finished_run.folder))
    return TransformersEngine.load(find_base(config), config, tokenizer, template.stop_id, adapter=finished_run.folder)


@pytest.fixture(scope="module")
def chef(engine: TransformersEngine, template: ChatTemplate) -> Chef:
    return Chef(engine, template)


@pytest.fixture(scope="module")
def prompts(template: ChatTemplate) -> list[list[int]]:
    return [template.prompt(question) for question in QUESTIONS]


def test_an_answer_that_breaks_off_with_a_control_token_did_not_end_well(finished_run: TrainResult) -> None:
    config = ModelConfig(name="mini")
    tokenizer: Any = load_tokenizer(str(finished_run.folder))
    model = load_base(find_base(config), config, detect_device("auto"))
    template = ChatTemplate(tokenizer, "Kamu Koki.")
    first = Chef(TransformersEngine(model, tokenizer, template.stop_id), template).ask(
        "Resep soto ayam dong!", max_new_tokens=1
    )
    (token,) = template.encode([first.answer])[0]
    tokenizer.add_special_tokens({"extra_special_tokens": ["<|im_start|>", tokenizer.convert_ids_to_tokens(token)]})
    broken = Chef(TransformersEngine(model, tokenizer, template.stop_id), template).ask(
        "Resep soto ayam dong!", max_new_tokens=30
    )
    assert (broken.answer, broken.stopped, broken.ended_by, broken.tokens) == ("", False, "control_token", 1)


@pytest.mark.slow
def test_what_the_base_advises_for_generation_is_not_followed(finished_run: TrainResult) -> None:
    config = ModelConfig(name="mini")
    tokenizer = load_tokenizer(str(finished_run.folder))
    template = ChatTemplate(tokenizer, "Kamu Koki.")
    model: Any = load_base(find_base(config), config, detect_device("auto"))
    chef = Chef(TransformersEngine(model, tokenizer, template.stop_id), template)
    plain = chef.ask("Resep soto ayam dong!", max_new_tokens=30).answer
    model.generation_config.repetition_penalty = 1e6  # this is what a base might bring
    model.generation_config.do_sample = True
    assert chef.ask("Resep soto ayam dong!", max_new_tokens=30).answer == plain


@pytest.mark.parametrize("with_adapter", [False, True], ids=["base", "adapter"])
def test_a_model_of_the_callers_is_left_as_it_was(finished_run: TrainResult, with_adapter: bool) -> None:
    config = ModelConfig(name="mini")
    tokenizer = load_tokenizer(str(finished_run.folder))
    template = ChatTemplate(tokenizer, "Kamu Koki.")
    tokenizer.pad_token = None
    base: Any = load_base(find_base(config), config, detect_device("auto"))
    model: Any = load_adapter(base, finished_run.folder, trainable=True) if with_adapter else base
    model.train()
    base.lm_head.eval()
    base.generation_config.repetition_penalty = 1.5
    advised, training = base.generation_config, [module.training for module in model.modules()]
    Chef(TransformersEngine(model, tokenizer, template.stop_id), template).ask("Resep soto?", max_new_tokens=2)
    assert base.generation_config is advised
    assert advised.repetition_penalty == 1.5
    assert [module.training for module in model.modules()] == training
    assert tokenizer.pad_token is None


# ------------------------------------------------------------------------------------------------ pieces as they come


@pytest.mark.slow
def test_an_answer_that_is_looked_at_as_it_comes_is_the_same_one(
    engine: TransformersEngine, prompts: list[list[int]]
) -> None:
    def drawn(**watching: Any) -> list[tuple[str, str, int]]:
        torch.manual_seed(1)
        return said(in_order(engine, prompts, max_new_tokens=30, sampling=Sampling(1.5), **watching))

    assert drawn(on_text=lambda _, __: None, is_cancelled=lambda _: False) == drawn()


# ---------------------------------------------------------------------------------------------- several threads at once


def test_what_fails_for_one_who_asks_does_not_fail_for_who_answers_in_the_same_place(
    engine: TransformersEngine, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread answers for all; a batch that fails is told to those whose prompts were in it."""
    whole, failed = engine._model.generate, list[int]()

    def fail_once(*given: Any, **named: Any) -> Any:
        if not failed:
            failed.append(1)
            raise RuntimeError("out of memory")
        return whole(*given, **named)

    monkeypatch.setattr(engine._model, "generate", fail_once)
    both = Barrier(2)

    def ask(sampling: Sampling) -> str:
        both.wait()
        try:
            return in_order(engine, prompts[:1], max_new_tokens=5, sampling=sampling)[0].ended_by
        except RuntimeError as error:
            return str(error)

    with ThreadPoolExecutor(2) as threads:  # other samplings are other batches
        told = sorted(threads.map(ask, [Sampling(), Sampling(0.5)]))
    assert told == ["max_new_tokens", "out of memory"]
    assert not engine._waiting


# ---------------------------------------------------------------------------------------------------- cut short


@pytest.mark.slow
def test_answers_that_have_ended_before_all_are_cancelled_keep_their_endings(
    engine: TransformersEngine, template: ChatTemplate
) -> None:
    long = template.prompt("soto " * (engine.context - len(template.prompt("soto")) - 10))
    asked: list[int] = []

    def is_cancelled(number: int) -> bool:
        asked.append(number)
        return asked.count(1) > engine.context - len(long)

    answers = in_order(engine, [long, template.prompt("Resep soto?")], max_new_tokens=300, is_cancelled=is_cancelled)
    assert [answer.ended_by for answer in answers] == ["context", "cancelled"]
    assert answers[1].tokens == answers[0].tokens + 1
