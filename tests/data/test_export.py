"""Exported conversations are those that are trained on, in formats that others read."""

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import compose

from koki.config import load_config
from koki.data.build import build_dataset
from koki.data.export import FORMATS, Exported, export_conversations
from koki.dialogue.phrasebook import load_phrasebook
from koki.recipes.table import read_recipes
from koki.tokens.dataset import ConversationDataset


@pytest.fixture(scope="module")
def dataset(recipe_csv: Path) -> ConversationDataset:
    flags = {"model.name": "mini", "data.files": [str(recipe_csv)], "data.validation_fraction": 0}
    return build_dataset(load_config(settings=flags))


def records(dataset: ConversationDataset, form: str, folder: Path) -> list[dict[str, Any]]:
    path = folder / "keluar.jsonl"
    assert export_conversations(dataset, form, path) == Exported(len(dataset), taken_apart=0)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_questions_and_answers_are_those_composed(dataset: ConversationDataset, recipe_csv: Path) -> None:
    config = load_config(settings={"data.files": [str(recipe_csv)]})
    composed = [c for group in compose(read_recipes(recipe_csv), config) for c in group]
    texts = [(c.question, "\n\n".join(segment.text for segment in c.answer)) for c in composed]
    assert [dataset.texts(number) for number in range(len(dataset))] == texts


@pytest.mark.parametrize("form", FORMATS)
def test_every_conversation_is_a_line(dataset: ConversationDataset, tmp_path: Path, form: str) -> None:
    assert len(records(dataset, form, tmp_path)) == len(dataset)


def test_messages_have_system_user_and_assistant(dataset: ConversationDataset, tmp_path: Path) -> None:
    messages = records(dataset, "messages", tmp_path)[0]["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant"]
    assert messages[0]["content"] == load_phrasebook().system.prompt
    assert "Soto Ayam" in messages[2]["content"]


def test_sharegpt_has_system_human_and_gpt(dataset: ConversationDataset, tmp_path: Path) -> None:
    turns = records(dataset, "sharegpt", tmp_path)[0]["conversations"]
    assert [turn["from"] for turn in turns] == ["system", "human", "gpt"]


def test_alpaca_has_instruction_input_output_and_system(dataset: ConversationDataset, tmp_path: Path) -> None:
    assert list(records(dataset, "alpaca", tmp_path)[0]) == ["instruction", "input", "output", "system"]


def test_prompt_completion_splits_before_the_answer(dataset: ConversationDataset, tmp_path: Path) -> None:
    record = records(dataset, "prompt-completion", tmp_path)[0]
    assert [message["role"] for message in record["prompt"]] == ["system", "user"]
    assert [message["role"] for message in record["completion"]] == ["assistant"]
