"""Conversations as numbers of pieces; an example is put together when it is needed."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from rich.console import Group
from rich.table import Table
from torch.utils.data import Dataset

from koki.config import TokensConfig
from koki.dialogue.compose import KINDS, RECIPE_KINDS, Conversation, Kind
from koki.dialogue.fit import shorter_and_shorter
from koki.errors import DataError
from koki.tokens.store import TokenStore
from koki.tokens.template import ChatTemplate, Ids

IGNORED = -100  # the label that torch's cross-entropy leaves out

_T = TypeVar("_T")

Example = dict[str, Ids]

# Units tokenised together: enough texts for all cores of the Rust tokenizer, few enough to stay small in memory.
_UNITS_AT_ONCE = 64


@dataclass
class FitReport:
    """What became of the conversations at the token limit. Nothing in it was cut."""

    max_length: int
    composed: Counter[str] = field(default_factory=Counter)
    shortened: Counter[str] = field(default_factory=Counter)
    without_recipe: Counter[str] = field(default_factory=Counter)  # that suggest a dish and offer its recipe
    left_out: Counter[str] = field(default_factory=Counter)
    unsupported: Counter[str] = field(default_factory=Counter)  # recipes with too few ingredients for this kind
    units_not_whole: int = 0  # recipes or tips of which at least one conversation does not fit as composed
    units_too_long: int = 0  # ... or is left out
    longest: int = 0  # tokens of the longest conversation as composed

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "max_length": self.max_length,
            "composed": dict(self.composed),
            "shortened": dict(self.shortened),
            "without_recipe": dict(self.without_recipe),
            "left_out": dict(self.left_out),
            "recipes_without": dict(self.unsupported),
            "recipes_with_conversations_not_whole": self.units_not_whole,
            "recipes_with_conversations_left_out": self.units_too_long,
            "longest": self.longest,
        }

    def render(self) -> Group:
        """For a terminal: a row for each kind of conversation."""
        table = Table(title="Conversations", title_justify="left", box=None, pad_edge=False, title_style="bold")
        table.add_column("kind")
        columns = {
            "composed": self.composed,
            "shortened": self.shortened,
            "without recipe": self.without_recipe,
            "left out": self.left_out,
        }
        for column in columns:
            table.add_column(column, justify="right")
        for kind in self.composed:
            table.add_row(kind, *(f"{counts[kind]:,}" for counts in columns.values()))
        return Group(table, *self._notes())

    def _notes(self) -> Iterator[str]:
        for kind, recipes in self.unsupported.items():
            yield f"{recipes:,} recipes have too few ingredients for conversations of kind {kind}."
        if self.units_not_whole:
            yield (
                f"{self.units_not_whole:,} recipes have conversations of more than {self.max_length} tokens; "
                f"--set tokens.max_length={self.longest} would keep all of them whole."
            )
        if any(self.without_recipe.values()):
            yield "Without recipe: the answer names the dish and offers its recipe, which would not fit."
        if self.units_too_long:
            yield (
                f"{self.units_too_long:,} recipes have conversations that do not fit even without courtesy and tips; "
                "these are left out, not cut."
            )


class _Fitted(NamedTuple):
    """The number of an answer, None if none fits, and whether it is the answer as composed."""

    answer: int | None
    is_whole: bool


_LEFT_OUT = _Fitted(None, is_whole=False)


class ConversationDataset(Dataset[Example]):
    """Every conversation that fits, as piece numbers.

    A *unit* is what an epoch draws variations of: a recipe or a tip. Conversation ``i`` belongs to unit ``u`` when
    ``unit_starts[u] <= i < unit_starts[u + 1]``.

    Args:
        units: the conversations of each recipe or tip.
        template: the chat template of the model to train.
        config: the token limit, and which tokens are supervised.

    Raises:
        DataError: not one conversation fits.
    """

    def __init__(
        self,
        units: Iterable[Sequence[Conversation]],
        template: ChatTemplate,
        vocabulary_size: int,
        config: TokensConfig,
    ) -> None:
        self._template = template
        self._config = config
        self._store = TokenStore(vocabulary_size)
        self._answer_pieces = TokenStore(np.iinfo(np.int32).max)  # numbers of pieces instead of tokens
        self._questions, self._answers, kinds = array("q"), array("q"), array("B")
        unit_starts = array("q", [0])
        self.report = FitReport(config.max_length)
        for chunk in _chunks(units, _UNITS_AT_ONCE):
            for fitting in self._fit(chunk):
                for kind, question, answer in fitting:
                    kinds.append(KINDS.index(kind))
                    self._questions.append(question)
                    self._answers.append(answer)
                unit_starts.append(len(kinds))
        self.unit_starts: npt.NDArray[np.int64] = np.array(unit_starts, dtype=np.int64)
        self.kinds: npt.NDArray[np.uint8] = np.array(kinds, dtype=np.uint8)
        if not len(self):
            raise DataError(
                f"Not one conversation fits in {config.max_length} tokens.",
                f"Raise it: --set tokens.max_length={self.report.longest}",
            )

    def __len__(self) -> int:
        return len(self._questions)

    def __getitem__(self, number: int) -> Example:
        """``input_ids`` and ``labels``, both of shape (tokens,), the labels not yet shifted."""
        question = self._store[self._questions[number]]
        answer = self._answer(number)
        template = self._template
        input_ids = np.concatenate([template.head, question, template.middle, answer, template.tail]).astype(np.int64)
        labels = input_ids.copy()
        if self._config.loss_on == "answer":
            answer_starts = len(template.head) + len(question) + len(template.middle) + template.answer_start
            stop = len(input_ids) - len(template.tail)
            labels[:answer_starts] = IGNORED
            labels[stop + 1 :] = IGNORED
        return {"input_ids": input_ids, "labels": labels}

    def texts(self, number: int) -> tuple[str, str]:
        """Question and answer of one conversation, decoded from the ids that are trained on."""
        question, answer = self._store[self._questions[number]], self._answer(number)
        return self._template.decode_question(question.tolist()), self._template.decode_answer(answer.tolist())

    @property
    def system(self) -> str:
        """The system prompt of every conversation."""
        return self._template.system

    @property
    def control_tokens(self) -> Collection[str]:
        """The texts of the tokens that steer the model."""
        return self._template.control_tokens.keys()

    def kind(self, number: int) -> Kind:
        """What kind of conversation this is."""
        return KINDS[int(self.kinds[number])]

    def count_by_kind(self) -> dict[str, int]:
        """Conversations of each kind."""
        counts = np.bincount(self.kinds, minlength=len(KINDS))
        return dict(zip(KINDS, counts.tolist(), strict=True))

    @property
    def tokens_stored(self) -> int:
        """Tokens of the distinct pieces."""
        return self._store.tokens

    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each conversation."""
        pieces = np.diff(self._store.ends)
        tokens_before = np.concatenate([[0], pieces[self._answer_pieces.content].cumsum()])
        answers = np.diff(tokens_before[self._answer_pieces.ends])
        return np.asarray(self._template.length(0, 0) + pieces[self._questions] + answers[self._answers])

    def digest(self) -> str:
        """SHA-256 of all examples, in order: two data sets that train alike have the same."""
        content = hashlib.sha256(self._store.content.tobytes())
        arrays = (self._answer_pieces.content, self._answer_pieces.ends, self._questions, self._answers)
        for numbers in (*arrays, self.unit_starts, *self._template.constants):
            content.update(np.asarray(numbers).tobytes())
        return content.hexdigest()

    def _answer(self, number: int) -> Ids:
        """The ids of one conversation's answer."""
        return np.concatenate([self._store[piece] for piece in self._answer_pieces[self._answers[number]]])

    def _fit(self, units: Sequence[Sequence[Conversation]]) -> Iterator[list[tuple[Kind, int, int]]]:
        """Of each unit, kind, question piece and answer piece of every conversation that fits."""
        conversations = [conversation for unit in units for conversation in unit]
        questions = self._encode_questions(conversations)
        fitted = iter(zip(questions, self._fit_answers(conversations, [len(ids) for ids in questions]), strict=True))
        for unit in units:
            if unit and unit[0].kind != "tip":
                self.report.unsupported.update(RECIPE_KINDS - {conversation.kind for conversation in unit})
            answered = list(zip(unit, islice(fitted, len(unit)), strict=True))
            self.report.units_not_whole += any(not fit.is_whole for _, (_, fit) in answered)
            self.report.units_too_long += any(fit.answer is None for _, (_, fit) in answered)
            yield [
                (conversation.kind, self._store.append(ids), fit.answer)
                for conversation, (ids, fit) in answered
                if fit.answer is not None
            ]

    def _encode_questions(self, conversations: Sequence[Conversation]) -> list[list[int]]:
        return self._template.encode_questions([conversation.question for conversation in conversations])

    def _fit_answers(self, conversations: Sequence[Conversation], question_lengths: Sequence[int]) -> list[_Fitted]:
        """The number of each answer, as long as fits; None where not even the shortest does."""
        fitted = [_LEFT_OUT] * len(conversations)
        ladders = [shorter_and_shorter(conversation) for conversation in conversations]
        waiting = list(range(len(conversations)))
        self.report.composed.update(conversation.kind for conversation in conversations)
        answers = _AnswerPieces(self._template, self._store, self._answer_pieces)
        is_first = True
        while waiting:
            versions = {number: next(ladders[number], None) for number in waiting}
            answers.encode([version.text for version in versions.values() if version])
            waiting = []
            for number, version in versions.items():
                kind = conversations[number].kind
                if version is None:
                    self.report.left_out[kind] += 1
                    continue
                length = self._template.length(question_lengths[number], answers.length(version.text))
                self.report.longest = max(self.report.longest, length)
                if length > self._config.max_length:
                    waiting.append(number)
                    continue
                fitted[number] = _Fitted(answers.store(version.text), is_whole=is_first)
                self.report.without_recipe[kind] += version.is_brief
                self.report.shortened[kind] += not is_first and not version.is_brief
            is_first = False
        return fitted


class _AnswerPieces:
    """Answers of conversations that belong together, each of their pieces encoded and stored once."""

    def __init__(self, template: ChatTemplate, pieces: TokenStore, answers: TokenStore) -> None:
        self._template = template
        self._pieces, self._answers = pieces, answers
        self._cut: dict[str, list[str]] = {}
        self._ids: dict[str, list[int]] = {}
        self._piece_numbers: dict[str, int] = {}
        self._answer_numbers: dict[str, int] = {}

    def encode(self, texts: Sequence[str]) -> None:
        """Encode what is new in these answers.

        Raises:
            ModelError: the tokenizer merged the template's words with an answer's.
        """
        self._cut |= {text: self._template.cut_answer(text) for text in texts if text not in self._cut}
        new = list(dict.fromkeys(piece for text in texts for piece in self._cut[text] if piece not in self._ids))
        self._ids |= zip(new, self._template.encode(new), strict=True)
        for text in texts:
            self._template.require_answer_prefix(self._ids[self._cut[text][0]])

    def length(self, text: str) -> int:
        """Tokens of an encoded answer."""
        return sum(len(self._ids[piece]) for piece in self._cut[text])

    def store(self, text: str) -> int:
        """Put an encoded answer into the stores; its number."""
        if text not in self._answer_numbers:
            for piece in self._cut[text]:
                if piece not in self._piece_numbers:
                    self._piece_numbers[piece] = self._pieces.append(self._ids[piece])
            numbers = [self._piece_numbers[piece] for piece in self._cut[text]]
            self._answer_numbers[text] = self._answers.append(numbers)
        return self._answer_numbers[text]


def _chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
