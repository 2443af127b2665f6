"""The conversations as other trainers read them: one JSON object a line."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from koki.tokens.dataset import ConversationDataset

Record = dict[str, Any]


def _messages(system: str, question: str, answer: str) -> Record:
    return {"messages": [*_prompt(system, question), {"role": "assistant", "content": answer}]}


def _sharegpt(system: str, question: str, answer: str) -> Record:
    turns = (("system", system), ("human", question), ("gpt", answer))
    return {"conversations": [{"from": speaker, "value": value} for speaker, value in turns]}


def _alpaca(system: str, question: str, answer: str) -> Record:
    return {"instruction": question, "input": "", "output": answer, "system": system}


def _prompt_completion(system: str, question: str, answer: str) -> Record:
    return {"prompt": _prompt(system, question), "completion": [{"role": "assistant", "content": answer}]}


def _prompt(system: str, question: str) -> list[Record]:
    return [{"role": "system", "content": system}, {"role": "user", "content": question}]


FORMATS: dict[str, Callable[[str, str, str], Record]] = {
    "messages": _messages,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "prompt-completion": _prompt_completion,
}
"""Format -> record of a system prompt, a question and an answer."""


def export_conversations(dataset: ConversationDataset, form: str, path: Path) -> int:
    """Write every conversation, as it is trained on, to a JSON Lines file; how many there are.

    The file is written beside and renamed, so an export that fails leaves an earlier one whole.
    """
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        for record in _records(dataset, FORMATS[form]):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    beside.replace(path)
    return len(dataset)


def _records(dataset: ConversationDataset, record: Callable[[str, str, str], Record]) -> Iterator[Record]:
    for number in range(len(dataset)):
        yield record(dataset.system, *dataset.texts(number))
