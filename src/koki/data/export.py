"""The conversations as other trainers read them: one JSON object a line."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from koki.dialogue.phrasebook import load_phrasebook
from koki.files import require_ours, written_beside
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


FORMATS: Final[dict[str, Callable[[str, str, str], Record]]] = {
    "messages": _messages,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "prompt-completion": _prompt_completion,
}
"""Format -> the function that makes a record of a system prompt, a question and an answer."""

# What stands for a control token in the chat formats: <|im_end|>, <think>, </s>, <｜User｜>, [INST].
_CONTROL: Final = re.compile(r"<(?=[^<>\s]{1,40}>)|\[(?=/?(?:INST|SYS)\])")


@dataclass(frozen=True, slots=True)
class Exported:
    """How many conversations were written, and in how many what looks like a control token was taken apart."""

    conversations: int
    taken_apart: int


def export_conversations(dataset: ConversationDataset, form: str, path: Path) -> Exported:
    """Write every conversation, as it is trained on, to a JSON Lines file.

    Koki trains on ``<|im_end|>`` in a recipe as on other text; another trainer would take it for the end of an answer.
    So a space goes into whatever may be a control token, of this tokenizer or another: ``< |im_end|>``.

    The file is written beside and renamed, so an export that fails leaves an earlier one whole.

    Args:
        form: one of `FORMATS`.

    Raises:
        OSError: the file cannot be written.
    """
    taken_apart = 0
    with written_beside(path) as file:
        for number in range(len(dataset)):
            texts = (dataset.system, *dataset.texts(number))
            plain = [take_apart(text, dataset.control_tokens) for text in texts]
            taken_apart += plain != list(texts)
            file.write(json.dumps(FORMATS[form](*plain), ensure_ascii=False) + "\n")
    return Exported(len(dataset), taken_apart)


def require_export(path: Path) -> None:
    """Check that a file may be written: there is none, or an earlier export.

    Raises:
        ConfigError: something else is there.
    """
    require_ours(path, json.dumps(load_phrasebook().system.prompt, ensure_ascii=False))


def take_apart(text: str, control_tokens: Iterable[str]) -> str:
    """The text with a space after the first character of whatever may be a control token."""
    text = _CONTROL.sub(lambda first: f"{first[0]} ", text)
    for token in control_tokens:
        text = text.replace(token, f"{token[0]} {token[1:]}")
    return text
