"""A run folder answers; what is no run says so."""

import doctest
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from helpers import QUESTIONS
from peft import PeftModel
from transformers import AutoModelForCausalLM, PreTrainedTokenizerBase

import koki
from koki.config import ModelConfig
from koki.errors import EmptyQuestion, KokiError, QuestionTooLong, RunError
from koki.inference.chef import Chef, Turn
from koki.inference.engine import Generated
from koki.inference.engines import load_engine
from koki.inference.transformers_engine import TransformersEngine
from koki.model.device import detect_device
from koki.model.source import find_base, load_tokenizer
from koki.pipeline import TrainResult
from koki.runs.finished import read_run
from koki.tokens.template import ChatTemplate


@pytest.fixture(scope="module")
def chef(finished_run: TrainResult) -> Chef:
    return Chef.load(finished_run.folder)


def test_an_answer_that_runs_into_the_limit_has_not_stopped_by_itself(chef: Chef) -> None:
    answer = chef.ask("Resep soto ayam dong!", max_new_tokens=5)
    assert (answer.stopped, answer.ended_by, answer.tokens) == (False, "max_new_tokens", 5)


@pytest.mark.slow
def test_answers_are_greedy_unless_asked_otherwise(chef: Chef) -> None:
    first, second = (chef.ask("Resep soto ayam dong!", max_new_tokens=20).answer for _ in range(2))
    assert first == second
    warm = {chef.ask("Resep soto ayam dong!", max_new_tokens=20, temperature=5).answer for _ in range(3)}
    assert len(warm) == 3


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


@pytest.mark.slow
def test_a_chef_that_may_answer_at_any_length_still_remembers(chef: Chef) -> None:
    history = [("Resep telur dadar?", "Kocok telur.")]
    remembers, forgets = (chef.ask("Lalu?", history=turns, max_new_tokens=20).answer for turns in (history, []))
    assert remembers != forgets
    assert chef.ask("Lalu?", history=history, max_new_tokens=chef.context).answer.startswith(remembers)


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


@pytest.mark.slow
def test_a_folder_of_merged_weights_answers_as_the_run_does(
    chef: Chef, finished_run: TrainResult, tmp_path: Path
) -> None:
    base = AutoModelForCausalLM.from_pretrained(find_base(ModelConfig(name="mini")).location, dtype=torch.float32)
    merged: Any = PeftModel.from_pretrained(base, finished_run.folder).merge_and_unload()
    merged.save_pretrained(tmp_path)
    load_tokenizer(str(finished_run.folder)).save_pretrained(tmp_path)
    question = "Resep soto ayam dong!"
    from_memory = chef.ask(question, max_new_tokens=20, book=False)
    assert Chef.load(tmp_path).ask(question, max_new_tokens=20).answer == from_memory.answer


@pytest.mark.slow
def test_the_tutorial_in_the_docstring_runs(finished_run: TrainResult, monkeypatch: pytest.MonkeyPatch) -> None:
    def three_tokens(*asked: Any, **options: Any) -> Generator[tuple[int, Generated], None, None]:
        return generate(*asked, **options | {"max_new_tokens": 3})

    generate = TransformersEngine.generate
    monkeypatch.setattr(TransformersEngine, "generate", three_tokens)
    monkeypatch.setattr(
        "koki.inference.chef.load_engine",
        lambda run, _, base_only: load_engine(run, "transformers", base_only=base_only),
    )
    names: dict[str, Any] = {}
    examples = doctest.DocTestParser().get_examples(Chef.__doc__ or "")
    for example in examples:
        exec(example.source.replace("runs/warung", str(finished_run.folder)), names)
    assert len(examples) > 6
    assert [answer.tokens for answer in names["answers"]] == [3, 3]


@pytest.mark.slow
def test_the_base_alone_answers_as_the_base(finished_run: TrainResult) -> None:
    question = "Resep soto ayam dong!"
    base = Chef.load(finished_run.folder, base_only=True).ask(question, max_new_tokens=20, book=False)
    folder = find_base(ModelConfig(name="mini")).location
    assert base.answer == Chef.load(folder).ask(question, max_new_tokens=20).answer


# ------------------------------------------------------------------------------------------------ a second engine


class Echo:
    """An engine that says the last words of a prompt again, the last prompt first."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, context: int = 1024) -> None:
        self._tokenizer = tokenizer
        self.name, self.context, self.at_once = "echo", context, 1

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        on_text: Callable[[int, str], object] | None = None,
        **_: Any,
    ) -> Generator[tuple[int, Generated], None, None]:
        for number in reversed(range(len(prompts))):
            ids = list(prompts[number][-max_new_tokens:])
            text = str(self._tokenizer.decode(ids, skip_special_tokens=True))
            if on_text is not None:
                on_text(number, text)
            yield number, Generated(text, "max_new_tokens", len(ids), 0.0)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer(find_base(ModelConfig(name="mini")).location)


@pytest.fixture(scope="module")
def template(tokenizer: PreTrainedTokenizerBase) -> ChatTemplate:
    return ChatTemplate(tokenizer, "Kamu Koki.")


def test_a_chef_answers_with_any_engine(tokenizer: PreTrainedTokenizerBase, template: ChatTemplate) -> None:
    chef = Chef(Echo(tokenizer), template)
    pieces: list[str] = []
    answer = chef.ask("Resep rawon?", history=[("Telur?", "Kocok.")], on_text=pieces.append)
    assert answer.answer == "system\nKamu Koki.\nuser\nTelur?\nassistant\nKocok.\nuser\nResep rawon?\nassistant"
    assert "".join(pieces) == f"{answer.answer}\n"
    assert (answer.question, answer.ended_by, answer.stopped) == ("Resep rawon?", "max_new_tokens", False)


def test_instructions_stand_behind_the_chefs_own_and_are_text(
    tokenizer: PreTrainedTokenizerBase, template: ChatTemplate
) -> None:
    asked = Chef(Echo(tokenizer), template).ask("Telur?", instructions=" Jawab pendek.<|im_end|> ")
    assert asked.answer == "system\nKamu Koki.\n\nJawab pendek.<|im_end|>\nuser\nTelur?\nassistant"


def test_answers_are_in_the_order_of_their_questions_whichever_the_engine_ends_first(
    tokenizer: PreTrainedTokenizerBase, template: ChatTemplate
) -> None:
    told: list[str] = []
    answers = Chef(Echo(tokenizer), template).ask(QUESTIONS, on_answer=lambda answer: told.append(answer.question))
    assert [answer.question for answer in answers] == QUESTIONS == told[::-1]
    assert all(answer.question in answer.answer for answer in answers)


@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
def test_a_question_that_leaves_no_room_for_an_answer_is_too_long(
    tokenizer: PreTrainedTokenizerBase, template: ChatTemplate, several: bool
) -> None:
    question = "Resep soto ayam dong!"
    tokens = len(template.prompt(question))
    with pytest.raises(QuestionTooLong) as caught:
        Chef(Echo(tokenizer, context=tokens), template).ask([question] if several else question)
    assert (caught.value.tokens, caught.value.context) == (tokens, tokens)


@pytest.mark.parametrize("question", ["", " \n", ["Soto?", " "]])
def test_an_empty_question_is_refused(
    tokenizer: PreTrainedTokenizerBase, template: ChatTemplate, question: str | list[str]
) -> None:
    with pytest.raises(EmptyQuestion):
        Chef(Echo(tokenizer), template).ask(question)


class Looked(list[Turn]):
    """Turns that know how many of them were looked at."""

    looked = 0

    def __reversed__(self) -> Iterator[Turn]:
        for turn in super().__reversed__():
            self.looked += 1
            yield turn


def test_of_a_long_history_only_what_the_context_may_hold_is_looked_at(
    tokenizer: PreTrainedTokenizerBase, template: ChatTemplate
) -> None:
    history = Looked((f"Resep {number}?", "Rebus ayam.") for number in range(10_000))
    chef = Chef(Echo(tokenizer), template)
    prompt = chef._prepare("Soto?", history, 100, True).prompt
    assert history.looked < chef.context // 8
    assert len(prompt) + 100 <= chef.context < len(prompt) + 130
    assert prompt == template.prompt("Soto?", history[1 - history.looked :])


@pytest.mark.slow
@pytest.mark.parametrize(
    "module", ["koki.inference.chef", "koki.inference.chat", "koki.runs.finished", "koki.runs.card"]
)
def test_what_needs_no_model_brings_no_torch_along(module: str) -> None:
    heavy = ("torch", "transformers.modeling_utils", "transformers.generation", "peft")
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_what_is_answered_by_program_asks_no_model(chef: Chef) -> None:
    pieces: list[str] = []
    one = chef.ask("Saya alergi udang, resep apa yang aman?", on_text=pieces.append)
    assert (one.tokens, one.stopped, "".join(pieces)) == (0, True, one.answer)
    assert "dokter" in one.answer


def test_what_is_answered_by_program_keeps_its_place_among_many(chef: Chef) -> None:
    questions = ["Resep soto ayam dong!", "halo", "Bahan rendang apa aja?"]
    told: list[str] = []
    answers = chef.ask(questions, max_new_tokens=3, on_answer=lambda answer: told.append(answer.question))
    assert [answer.question for answer in answers] == questions
    assert [answer.tokens == 0 for answer in answers] == [False, True, False]
    assert sorted(told) == sorted(questions)


def test_the_model_of_a_loaded_chef_has_no_dropout(finished_run: TrainResult) -> None:
    engine, _ = load_engine(finished_run.folder, "transformers")
    assert isinstance(engine, TransformersEngine)
    assert not any(module.training for module in engine._model.modules())


@pytest.mark.parametrize(("trained_in", "precision"), [("auto", "auto"), ("best", "best"), ("bf16", "best")])
def test_a_chef_answers_in_the_precision_that_it_was_trained_in_where_the_machine_has_it(
    finished_run: TrainResult, trained_in: str, precision: Literal["auto", "best"]
) -> None:
    run = read_run(finished_run.folder)
    engine, _ = load_engine(
        replace(run, settings=run.settings | {"training.mixed_precision": trained_in}), "transformers"
    )
    assert isinstance(engine, TransformersEngine)
    assert engine._model.dtype == detect_device(precision).dtype
