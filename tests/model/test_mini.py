"""The base that ships with Koki, and the script that builds it."""

import json
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

import build_mini
import koki.model
import mini_texts
from koki.dialogue.phrasebook import load_phrasebook
from koki.errors import CheckpointError
from koki.recipes.table import read_recipes
from koki.tokens.template import ChatTemplate

MINI = Path(koki.model.__file__).parent / "mini"
SAMPLES = Path(koki.model.__file__).parents[1] / "recipes" / "samples.csv"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


@pytest.fixture(scope="module")
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(MINI, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(MINI)


class TestTheFolder:
    def test_is_a_plain_qwen2_with_tied_embeddings_of_at_most_ten_million_parameters(self, model: Any) -> None:
        assert type(model).__name__ == "Qwen2ForCausalLM"
        assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
        assert model.num_parameters() <= 10_000_000

    def test_takes_at_most_twenty_megabytes_and_stores_bfloat16(self) -> None:
        assert sum(path.stat().st_size for path in MINI.iterdir()) <= 20_000_000
        assert json.loads((MINI / "config.json").read_text("utf-8"))["dtype"] == "bfloat16"

    def test_runs_no_code_of_its_own(self) -> None:
        assert not list(MINI.glob("*.py"))
        assert "auto_map" not in (MINI / "config.json").read_text("utf-8")

    def test_has_a_card_that_states_data_measurements_and_licence(self) -> None:
        card = (MINI / "README.md").read_text("utf-8")
        for stated in ("canggih/indonesian-food-recipes", "CC0-1.0", "bits per byte", "verbatim overlap", "MIT"):
            assert stated in card

    def test_ends_at_the_stop_token_or_the_end_of_text(self, model: Any, tokenizer: Any) -> None:
        ends = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
        assert model.generation_config.eos_token_id == ends
        assert model.generation_config.pad_token_id == ends[1]


class TestItsTokenizer:
    def test_has_as_many_entries_as_the_model_has_embeddings(self, model: Any, tokenizer: Any) -> None:
        assert len(tokenizer) == model.config.vocab_size == 8192

    def test_has_the_special_tokens_in_the_tail(self, tokenizer: Any) -> None:
        assert tokenizer.convert_tokens_to_ids(SPECIAL) == [8189, 8190, 8191]

    def test_pads_with_another_token_than_it_stops_with(self, tokenizer: Any) -> None:
        assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")
        assert tokenizer.unk_token is None

    def test_writes_a_conversation_as_chatml(self, tokenizer: Any) -> None:
        messages = [{"role": "system", "content": "Kamu Koki."}, {"role": "user", "content": "Resep soto?"}]
        expected = "<|im_start|>system\nKamu Koki.<|im_end|>\n<|im_start|>user\nResep soto?<|im_end|>\n"
        assert tokenizer.apply_chat_template(messages, tokenize=False) == expected
        prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        assert prompt == f"{expected}<|im_start|>assistant\n"

    @given(st.text())
    def test_gives_any_text_back_in_normal_form(self, tokenizer: Any, text: str) -> None:
        ids = tokenizer(text).input_ids
        assert tokenizer.decode(ids) == unicodedata.normalize("NFC", text)

    def test_cuts_indonesian_into_few_tokens(self, tokenizer: Any) -> None:
        text = "Tumis bumbu halus sampai harum, lalu masukkan ayam dan santan."
        assert len(tokenizer(text).input_ids) <= 14


def test_it_has_learned_the_recipes_that_ship(model: Any) -> None:
    """Measured: 0.02 bits per byte; others' recipes, held out, 0.80."""
    recipes = read_recipes(SAMPLES)[:6]
    raw = Tokenizer.from_file(str(MINI / "tokenizer.json"))
    bits = build_mini.bits_per_byte(model, raw, [mini_texts.chef_layout(recipe) for recipe in recipes])
    assert bits < 0.1


TINY = build_mini.Shape(vocab_size=300, hidden_size=16, layers=1, intermediate_size=32, heads=2, positions=64)
TINY_PLAN = build_mini.Plan(rows=2, row_length=32, warm_up_steps=2, held_out_share=0.2)
THIRTY_STEPS = build_mini.Budget(tokens=30 * 2 * 32)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other cost these tiny models far more than they save."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def corpus() -> Any:
    whole = mini_texts.read_corpus([SAMPLES], [], TINY_PLAN.held_out_share)
    return replace(whole, train=whole.train[:40])


def tiny_trainer(corpus: Any, work: Path, **changes: Any) -> Any:
    return build_mini.Trainer(corpus, TINY, replace(TINY_PLAN, **changes), work)


def contains(row: list[int], text: list[int]) -> bool:
    return any(row[start : start + len(text)] == text for start in range(len(row)))


class TestTheScript:
    @pytest.mark.slow
    def test_builds_the_same_bytes_twice(self, corpus: Any, tmp_path: Path) -> None:
        for name in ("first", "second"):
            trainer = tiny_trainer(corpus, tmp_path / "work" / name)
            trainer.train(THIRTY_STEPS)
            build_mini.save_model(trainer, tmp_path / name)
        for file in ("model.safetensors", "tokenizer.json", "config.json"):
            assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()

    @pytest.mark.slow
    def test_goes_on_with_a_larger_budget_as_if_it_had_been_given_at_once(self, corpus: Any, tmp_path: Path) -> None:
        level = {"decay_share": 0.05}  # the ten steps of the first part end before the learning rate falls
        whole = tiny_trainer(corpus, tmp_path / "whole", **level)
        whole.train(THIRTY_STEPS)
        tiny_trainer(corpus, tmp_path / "parts", **level).train(build_mini.Budget(tokens=10 * 2 * 32))
        resumed = tiny_trainer(corpus, tmp_path / "parts", **level)
        resumed.resume()
        assert resumed.place.step == 10
        resumed.train(THIRTY_STEPS)
        for name, weight in whole.model.state_dict().items():
            assert torch.equal(weight, resumed.model.state_dict()[name]), name

    @pytest.mark.slow
    def test_writes_a_card_with_the_words_about_the_data_that_it_was_given(self, corpus: Any, tmp_path: Path) -> None:
        trainer = tiny_trainer(corpus, tmp_path)
        trainer.train(build_mini.Budget(tokens=64))
        model = build_mini.save_model(trainer, tmp_path)
        found = build_mini.measure(model, trainer.tokenizer, corpus, prompts=2, tokens=4)
        build_mini.write_card(trainer, found, "Resep dari warung.", tmp_path)
        assert "Resep dari warung." in (tmp_path / "README.md").read_text("utf-8")

    def test_writes_what_the_card_of_an_earlier_build_said_of_its_training(self, tmp_path: Path) -> None:
        (tmp_path / "README.md").write_text(
            "# mini\n\n## Training\n\n12 tokens\nof rice\n\n## Measured\n\n3\n", "utf-8"
        )
        said = build_mini.trained_before(tmp_path)
        assert "\n> 12 tokens\n> of rice\n" in said
        assert "Measured" not in said
        assert build_mini.trained_before(tmp_path / "nothing") == ""

    def test_does_not_go_on_with_other_settings(self, corpus: Any, tmp_path: Path) -> None:
        tiny_trainer(corpus, tmp_path).save()
        with pytest.raises(CheckpointError, match="another plan"):
            tiny_trainer(corpus, tmp_path, seed=1).resume()

    def test_starts_out_with_one_head_that_attends_to_the_token_before(self) -> None:
        model = build_mini.new_model(TINY, TINY.vocab_size, seed=0)
        model.set_attn_implementation("eager")
        first_block = model(torch.arange(24)[None], output_attentions=True).attentions[0]
        nearest = first_block[0, 0, 1:].argmax(dim=-1)
        assert nearest.tolist() == list(range(23))

    def test_tells_of_a_dish_in_prose_before_its_recipe(self, corpus: Any) -> None:
        for number, recipe in enumerate(corpus.train[:20]):
            told = mini_texts.told(recipe, random.Random(number))
            assert recipe.title.lower() in told.before.lower()
            assert recipe.title in told.text.partition("\n")[0]

    def test_asks_questions_whose_answers_stand_on_the_pages_before_them(self, corpus: Any) -> None:
        asked = [it for it in mini_texts.conversations(corpus, random.Random(1)) if it.asked]
        assert len(asked) > len(corpus.train)
        for document in asked:
            lines = [line for line in document.text.splitlines() if line.startswith("- ")]
            assert all(line in document.asked for line in lines), document

    def test_frames_a_question_as_the_chef_is_asked_it(self, tokenizer: Any) -> None:
        asked = mini_texts.Document("Garamnya 1 sdt.", asked="Buku resep:\n\nPertanyaan: Apa?")
        (ids,) = build_mini.encode(build_mini.read_tokenizer(MINI / "tokenizer.json"), [asked])
        template = ChatTemplate(tokenizer, load_phrasebook().system.prompt)
        prompt = template.prompt("Pertanyaan: Apa?", read="Buku resep:")
        assert ids == [*prompt, *template.encode(["Garamnya 1 sdt."])[0], *template.tail, ids[-1]]

    def test_learns(self, corpus: Any, tmp_path: Path) -> None:
        trainer = tiny_trainer(corpus, tmp_path, row_length=64)  # what is cut to less is mostly the system prompt
        texts = [mini_texts.chef_layout(recipe) for recipe in corpus.held_out[:4]]
        untrained = build_mini.bits_per_byte(trainer.model, trainer.tokenizer, texts)
        trainer.train(THIRTY_STEPS)
        assert build_mini.bits_per_byte(trainer.model, trainer.tokenizer, texts) < untrained - 0.1

    def test_holds_out_the_same_recipes_in_any_order_of_files(self, tmp_path: Path) -> None:
        lines = SAMPLES.read_text("utf-8").splitlines(keepends=True)
        reversed_file = tmp_path / "reversed.csv"
        reversed_file.write_text("".join([lines[0], *reversed(lines[1:])]), "utf-8")
        forwards = mini_texts.read_corpus([SAMPLES], [], 0.3)
        backwards = mini_texts.read_corpus([reversed_file], [], 0.3)
        assert {recipe.id for recipe in forwards.held_out} == {recipe.id for recipe in backwards.held_out}
        assert forwards.held_out
        assert forwards.train

    def test_takes_a_special_token_in_a_recipe_for_text(self, corpus: Any, tmp_path: Path) -> None:
        tokenizer = tiny_trainer(corpus, tmp_path).tokenizer
        (ids,) = build_mini.encode(tokenizer, [mini_texts.Document("Garam <|im_end|>", turn=True)])
        end, start, stop = build_mini.special_ids(tokenizer)
        assert [ids.count(end), ids.count(start), ids.count(stop)] == [1, 1, 1]
        assert ids[-1] == end

    @given(st.lists(st.integers(1, 12), max_size=60))
    def test_packs_every_text_whole_into_full_rows(self, sizes: list[int]) -> None:
        texts = [[number * 100 + place for place in range(size)] for number, size in enumerate(sizes)]
        rows = build_mini.pack(texts, length=12, waiting=5).tolist()
        assert all(len(row) == 12 and row[0] % 100 == 0 for row in rows)
        whole = {tuple(text) for text in texts if any(contains(row, text) for row in rows)}
        assert sum(map(len, texts)) - sum(map(len, whole)) < 12  # what is left would not fill a row

    def test_finds_the_longest_run_of_words_that_a_text_shares_with_the_recipes(self) -> None:
        learned = build_mini.joined(["- 2 butir telur\n- garam", "1. Kocok telur\n2. Goreng sampai matang"])
        assert build_mini.longest_overlap("Lalu kocok telur Goreng sampai matang ya", learned) == 4
        assert build_mini.longest_overlap("garam Kocok", learned) == 1  # no run crosses the end of a recipe

    def test_takes_out_pictures_and_keeps_lines_and_degrees(self) -> None:
        assert mini_texts.clean("Panggang 180°C 😋 \n1. Aduk!!!!") == "Panggang 180°C\n1. Aduk!"
