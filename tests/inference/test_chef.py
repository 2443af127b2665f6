"""A run folder answers; what is no run says so."""

import doctest
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

import koki
from koki.config import ModelConfig
from koki.errors import KokiError, RunError
from koki.inference.chef import Chef
from koki.model.base import load_base
from koki.model.device import detect_device
from koki.model.source import find_base, load_tokenizer
from koki.pipeline import TrainResult
from koki.tokens.template import ChatTemplate

QUESTIONS = [
    "Resep soto ayam dong!",
    "Saya punya tempe, kecap manis, cabai merah, dan bawang merah. Bisa dimasak jadi apa?",
    "Telur?",
    "Langkah-langkah membuat telur dadar apa saja?",
    "Resep soto ayam dong!",
]


@pytest.fixture(scope="module")
def chef(finished_run: TrainResult) -> Chef:
    return Chef.load(finished_run.folder)


def test_an_answer_that_runs_into_the_limit_has_not_stopped_by_itself(chef: Chef) -> None:
    answer = chef.ask("Resep soto ayam dong!", max_new_tokens=5)
    assert (answer.stopped, answer.ended_by, answer.tokens) == (False, "max_new_tokens", 5)


def test_answers_are_greedy_unless_asked_otherwise(chef: Chef) -> None:
    first, second = (chef.ask("Resep soto ayam dong!", max_new_tokens=20).answer for _ in range(2))
    assert first == second
    warm = {chef.ask("Resep soto ayam dong!", max_new_tokens=20, temperature=5).answer for _ in range(3)}
    assert len(warm) == 3


def test_answers_given_side_by_side_are_those_given_one_by_one(chef: Chef) -> None:
    # in float32 on a CPU; padding changes the shapes of the sums and so, in half precision, may change a near tie
    together = chef.ask(QUESTIONS, max_new_tokens=60)
    alone = [chef.ask(question, max_new_tokens=60) for question in QUESTIONS]
    assert [(one.question, one.answer, one.tokens, one.stopped) for one in together] == [
        (one.question, one.answer, one.tokens, one.stopped) for one in alone
    ]


def test_each_answer_to_a_list_is_told_once(chef: Chef) -> None:
    told: list[str] = []
    chef.ask(QUESTIONS, max_new_tokens=3, on_answer=lambda answer: told.append(answer.question))
    assert sorted(told) == sorted(QUESTIONS)


def test_no_questions_have_no_answers(chef: Chef) -> None:
    assert chef.ask([]) == []


def test_several_questions_may_come_in_a_tuple_but_not_with_what_goes_with_one(chef: Chef) -> None:
    assert [answer.question for answer in chef.ask(("Telur?", "Soto?"), max_new_tokens=3)] == ["Telur?", "Soto?"]
    unchecked: Any = chef.ask
    with pytest.raises(TypeError, match="go with one question"):
        unchecked(["Lalu?"], history=[("Telur?", "Kocok.")])


def test_an_answer_comes_in_pieces_that_are_the_answer(chef: Chef) -> None:
    pieces: list[str] = []
    answer = chef.ask("Resep soto ayam dong!", max_new_tokens=40, on_text=pieces.append)
    assert len(pieces) > 5
    assert "".join(pieces).strip() == answer.answer


def test_what_does_not_fit_in_the_context_is_forgotten_the_oldest_first(chef: Chef) -> None:
    old, new = ("Resep soto?", "soto " * 1200), ("Resep telur?", "Kocok telur.")
    with_both = chef.ask("Lalu?", history=[old, new], max_new_tokens=20)
    assert with_both.answer == chef.ask("Lalu?", history=[new], max_new_tokens=20).answer


def test_a_question_longer_than_the_context_is_an_error_that_says_how_long_it_is(chef: Chef) -> None:
    with pytest.raises(KokiError, match="the model reads 1,024"):
        chef.ask("soto " * 2000)


def test_an_answer_ends_with_the_context_that_the_model_reads(chef: Chef) -> None:
    long = "soto " * (chef.context - 150)  # a token each, and a prompt around them
    alone = chef.ask(long, max_new_tokens=300)
    assert (alone.stopped, alone.ended_by) == (False, "context")
    assert 0 < alone.tokens < 150
    beside, short = chef.ask([long, "Resep soto?"], max_new_tokens=300)
    assert (beside.answer, beside.ended_by, beside.tokens) == (alone.answer, "context", alone.tokens)
    if not torch.cuda.is_available():  # in half precision a near tie may turn with what is beside it
        assert short.answer == chef.ask("Resep soto?", max_new_tokens=300).answer


def test_a_chef_that_may_answer_at_any_length_still_remembers(chef: Chef) -> None:
    history = [("Resep telur dadar?", "Kocok telur.")]
    remembers, forgets = (chef.ask("Lalu?", history=turns, max_new_tokens=20).answer for turns in (history, []))
    assert remembers != forgets
    assert chef.ask("Lalu?", history=history, max_new_tokens=chef.context).answer.startswith(remembers)


def test_an_answer_that_breaks_off_with_a_control_token_did_not_end_well(finished_run: TrainResult) -> None:
    config = ModelConfig(name="mini")
    tokenizer: Any = load_tokenizer(str(finished_run.folder))
    model = load_base(find_base(config), config, detect_device("auto"))
    template = ChatTemplate(tokenizer, "Kamu Koki.")
    first = Chef(model, tokenizer, template).ask("Resep soto ayam dong!", max_new_tokens=1)
    (token,) = template.encode([first.answer])[0]
    tokenizer.add_special_tokens({"extra_special_tokens": ["<|im_start|>", tokenizer.convert_ids_to_tokens(token)]})
    broken = Chef(model, tokenizer, template).ask("Resep soto ayam dong!", max_new_tokens=30)
    assert (broken.answer, broken.stopped, broken.ended_by, broken.tokens) == ("", False, "control_token", 1)


def test_what_the_base_advises_for_generation_is_not_followed(finished_run: TrainResult) -> None:
    config = ModelConfig(name="mini")
    tokenizer = load_tokenizer(str(finished_run.folder))
    template = ChatTemplate(tokenizer, "Kamu Koki.")
    model: Any = load_base(find_base(config), config, detect_device("auto"))
    plain = Chef(model, tokenizer, template).ask("Resep soto ayam dong!", max_new_tokens=30).answer
    model.generation_config.repetition_penalty = 1e6  # Chef has replaced it: this is what a base might bring
    model.generation_config.do_sample = True
    assert Chef(model, tokenizer, template).ask("Resep soto ayam dong!", max_new_tokens=30).answer == plain


def test_a_control_token_in_a_question_is_text(chef: Chef) -> None:
    assert chef.ask("Resep <|im_end|> soto?", max_new_tokens=5).question == "Resep <|im_end|> soto?"


def test_an_answer_shows_no_control_tokens(chef: Chef) -> None:
    assert "<|" not in chef.ask("Resep soto ayam dong!", max_new_tokens=60).answer


def test_a_folder_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="There is no run folder"):
        Chef.load(tmp_path / "tidak-ada")


def test_a_folder_that_is_not_finished_is_an_error_that_says_how_to_finish_it(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a finished run") as caught:
        Chef.load(tmp_path)
    assert "koki train" in caught.value.how


def test_a_run_folder_may_be_moved(finished_run: TrainResult, tmp_path: Path) -> None:
    moved = tmp_path / "pindah rumah"
    shutil.copytree(finished_run.folder, moved)
    assert Chef.load(moved).ask("Resep?", max_new_tokens=3).tokens == 3


def test_metadata_that_is_damaged_is_an_error_that_names_the_file(finished_run: TrainResult, tmp_path: Path) -> None:
    shutil.copytree(finished_run.folder, tmp_path / "run")
    (tmp_path / "run" / "training_metadata.json").write_text(json.dumps([])[:1])
    with pytest.raises(RunError, match=r"training_metadata\.json cannot be read"):
        Chef.load(tmp_path / "run")


def test_a_run_may_be_named_by_a_text(finished_run: TrainResult) -> None:
    assert koki.Chef.load(str(finished_run.folder)).ask("Resep?", max_new_tokens=3).tokens == 3


def test_a_folder_of_merged_weights_answers_as_the_run_does(
    chef: Chef, finished_run: TrainResult, tmp_path: Path
) -> None:
    base = AutoModelForCausalLM.from_pretrained(find_base(ModelConfig(name="mini")).location, dtype=torch.float32)
    merged: Any = PeftModel.from_pretrained(base, finished_run.folder).merge_and_unload()
    merged.save_pretrained(tmp_path)
    load_tokenizer(str(finished_run.folder)).save_pretrained(tmp_path)
    question = "Resep soto ayam dong!"
    assert Chef.load(tmp_path).ask(question, max_new_tokens=20).answer == chef.ask(question, max_new_tokens=20).answer


def test_the_tutorial_in_the_docstring_runs(finished_run: TrainResult, monkeypatch: pytest.MonkeyPatch) -> None:
    generation = Chef._generation
    monkeypatch.setattr(Chef, "_generation", lambda chef, _, temperature: generation(chef, 3, temperature))
    names: dict[str, Any] = {}
    examples = doctest.DocTestParser().get_examples(Chef.__doc__ or "")
    for example in examples:
        exec(example.source.replace("runs/warung", str(finished_run.folder)), names)
    assert len(examples) > 6
    assert [answer.tokens for answer in names["answers"]] == [3, 3]


def test_the_base_alone_answers_as_the_base(finished_run: TrainResult) -> None:
    question = "Resep soto ayam dong!"
    base = Chef.load(finished_run.folder, base_only=True).ask(question, max_new_tokens=20)
    folder = find_base(ModelConfig(name="mini")).location
    assert base.answer == Chef.load(folder).ask(question, max_new_tokens=20).answer
