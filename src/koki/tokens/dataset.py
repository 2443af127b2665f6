"""Conversations as numbers of pieces; an example is put together when it is needed."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
import numpy.typing as npt
from rich.console import Group
from rich.table import Table
from torch.utils.data import Dataset

from koki.config import TokensConfig
from koki.dialogue.compose import KINDS, RECIPE_KINDS, Conversation, Kind
from koki.dialogue.fit import Version, shorter_and_shorter
from koki.errors import DataError
from koki.gc_paused import gc_paused
from koki.tokens.store import GrowingSequences, KnownPieces, Numbers, PieceStore, Sequences
from koki.tokens.template import ChatTemplate, Ids
from koki.tokens.words import WordByWord

# Groups that are handed over, or made into tokens, at a time: answers that they share are cut and counted once. More
# would only take memory.
GROUPS_AT_ONCE = 64

IGNORED = -100  # the label that torch's cross-entropy leaves out

Example = dict[str, Ids]

_U = TypeVar("_U", bound=Sequence[Conversation])


@dataclass
class FitReport:
    """What became of the conversations at the token limit. Nothing in it was cut."""

    max_length: int
    composed: Counter[str] = field(default_factory=Counter)
    shortened: Counter[str] = field(default_factory=Counter)
    without_recipe: Counter[str] = field(default_factory=Counter)  # that suggest a dish and offer its recipe
    left_out: Counter[str] = field(default_factory=Counter)
    unsupported: Counter[str] = field(default_factory=Counter)  # recipes with too few ingredients for this kind
    groups_not_whole: int = 0  # recipes, tips or refusals of which at least one conversation does not fit as composed
    groups_too_long: int = 0  # ... or is left out
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
            "recipes_with_conversations_not_whole": self.groups_not_whole,
            "recipes_with_conversations_left_out": self.groups_too_long,
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
        if self.groups_not_whole:
            yield (
                f"{self.groups_not_whole:,} recipes have conversations of more than {self.max_length} tokens; "
                f"--set tokens.max_length={self.longest} would keep all of them whole."
            )
        if any(self.without_recipe.values()):
            yield "Without recipe: the answer names the dish and offers its recipe, which would not fit."
        if self.groups_too_long:
            yield (
                f"{self.groups_too_long:,} recipes have conversations that do not fit even without courtesy and tips; "
                "these are left out, not cut."
            )


class _Fitted(NamedTuple):
    """The pieces of an answer, None if none fits, and whether it is the answer as composed."""

    pieces: list[int] | None
    is_whole: bool


_LEFT_OUT = _Fitted(None, is_whole=False)

_Key = tuple[int, int, int]


class _Rung(NamedTuple):
    """One version of an answer."""

    pieces: list[int]
    tokens: int
    is_brief: bool


class ConversationDataset(Dataset[Example]):
    """Every conversation that fits, as piece numbers.

    A *group* is what an epoch draws variations of: a recipe or a tip. Conversation ``i`` belongs to group ``g`` when
    ``group_starts[g] <= i < group_starts[g + 1]``.

    Args:
        groups: the conversations of each recipe or tip.
        template: the chat template of the model to train.
        config: the token limit, and which tokens are supervised.
        known: pieces that need not be tokenised again.

    Raises:
        DataError: not one conversation fits.
        ModelError: the tokenizer merged the template's words with an answer's.
    """

    def __init__(
        self,
        groups: Iterable[Sequence[Conversation]],
        template: ChatTemplate,
        vocabulary_size: int,
        config: TokensConfig,
        known: KnownPieces | None = None,
    ) -> None:
        report = FitReport(config.max_length)
        encode = WordByWord(template.encode, vocabulary_size) if template.cuts_as_qwen else template.encode
        pieces = PieceStore(encode, vocabulary_size, known)
        fitter = _Fitter(template, pieces, report)
        conversations, kinds, group_starts = GrowingSequences(np.iinfo(np.uint32).max), array("B"), array("q", [0])
        with gc_paused():
            for some in together(groups):
                for fitting in fitter.fit(some):
                    for kind, numbers in fitting:
                        kinds.append(KINDS.index(kind))
                        conversations.append(numbers)
                    group_starts.append(len(kinds))
        if not kinds:
            raise DataError(
                f"Not one conversation fits in {config.max_length} tokens.",
                f"Raise it: --set tokens.max_length={report.longest}",
            )
        tokens, digests = pieces.done()
        self._hold(tokens, conversations.done(), digests, np.array(kinds), np.array(group_starts), report)
        self._template, self._config, self._digest = template, config, self._digest_of_all(template)
        self._require_answer_prefixes()

    @classmethod
    def kept(
        cls, arrays: Mapping[str, Numbers], facts: Mapping[str, Any], template: ChatTemplate, config: TokensConfig
    ) -> Self:
        """A data set from what `arrays` and `facts` gave, with the same template and limit."""
        dataset = cls.__new__(cls)
        counts = facts["report"].items()
        report: dict[str, Any] = {name: Counter(it) if isinstance(it, dict) else it for name, it in counts}
        dataset._hold(
            Sequences(arrays["tokens"], arrays["token_ends"]),
            Sequences(arrays["conversations"], arrays["conversation_ends"]),
            arrays["digests"],
            arrays["kinds"],
            arrays["group_starts"],
            FitReport(**report),
        )
        dataset._template, dataset._config, dataset._digest = template, config, facts["digest"]
        return dataset

    def _hold(
        self,
        tokens: Sequences,
        conversations: Sequences,
        digests: npt.NDArray[np.uint8],
        kinds: npt.NDArray[np.uint8],
        group_starts: npt.NDArray[np.int64],
        report: FitReport,
    ) -> None:
        self._tokens = tokens
        self._conversations = conversations  # of each the pieces: its question, then those of its answer
        self._digests = digests
        self.kinds = kinds
        self.group_starts = group_starts
        self.report = report

    def arrays(self) -> dict[str, Numbers]:
        """All there is, but for a few `facts`."""
        return {
            "tokens": self._tokens.flat,
            "token_ends": self._tokens.ends,
            "conversations": self._conversations.flat,
            "conversation_ends": self._conversations.ends,
            "digests": self._digests,
            "kinds": self.kinds,
            "group_starts": self.group_starts,
        }

    def facts(self) -> dict[str, Any]:
        """What goes with the `arrays`, JSON-ready."""
        return {"report": vars(self.report), "digest": self._digest}

    def __len__(self) -> int:
        return len(self._conversations)

    def __getitem__(self, number: int) -> Example:
        """``input_ids`` and ``labels``, both of shape (tokens,), the labels not yet shifted."""
        question, answer = self._question_and_answer(number)
        template = self._template
        input_ids = np.concatenate([template.head, question, template.middle, *answer, template.tail]).astype(np.int64)
        labels = input_ids.copy()
        if self._config.loss_on == "answer":
            answer_starts = len(template.head) + len(question) + len(template.middle) + template.answer_start
            stop = len(input_ids) - len(template.tail)
            labels[:answer_starts] = IGNORED
            labels[stop + 1 :] = IGNORED
        return {"input_ids": input_ids, "labels": labels}

    def texts(self, number: int) -> tuple[str, str]:
        """Question and answer of one conversation, decoded from the ids that are trained on."""
        question, answer = self._question_and_answer(number)
        whole = np.concatenate(answer)
        return self._template.decode_question(question.tolist()), self._template.decode_answer(whole.tolist())

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

    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each conversation."""
        pieces = np.diff(self._tokens.ends)[self._conversations.flat]
        return np.asarray(self._template.length(0, 0) + np.add.reduceat(pieces, self._conversations.ends[:-1]))

    def digest(self) -> str:
        """SHA-256 of all examples, in order: two data sets that train alike have the same."""
        return self._digest

    def _digest_of_all(self, template: ChatTemplate) -> str:
        content = hashlib.sha256()
        for sequences in (self._tokens, self._conversations):
            content.update(sequences.flat.data)
            content.update(sequences.ends.data)
        for numbers in (self.group_starts, *template.constants):
            content.update(numbers.data)
        return content.hexdigest()

    def _question_and_answer(self, number: int) -> tuple[Numbers, list[Numbers]]:
        """The ids of one conversation's question, and of the pieces of its answer."""
        question, *answer = (self._tokens[piece] for piece in self._conversations[number].tolist())
        return question, answer

    def _require_answer_prefixes(self) -> None:
        for piece in np.unique(self._conversations.flat[self._conversations.ends[:-1] + 1]).tolist():
            self._template.require_answer_prefix(self._tokens[piece].tolist())


def together(groups: Iterable[_U]) -> Iterator[list[_U]]:
    """`GROUPS_AT_ONCE` at a time."""
    remaining = iter(groups)
    while some := list(islice(remaining, GROUPS_AT_ONCE)):
        yield some


class _Fitter:
    """Finds the longest version of each conversation that fits, and counts in a report what became of them."""

    def __init__(self, template: ChatTemplate, pieces: PieceStore, report: FitReport) -> None:
        self._template, self._pieces, self._report = template, pieces, report

    def fit(self, groups: Sequence[Sequence[Conversation]]) -> Iterator[list[tuple[Kind, list[int]]]]:
        """Of each group, kind and pieces of every conversation that fits: its question, then those of its answer."""
        conversations = [conversation for group in groups for conversation in group]
        texts = [self._template.question_text(conversation.question) for conversation in conversations]
        questions = self._pieces.append(texts)
        fitted = iter(zip(questions, self._fit_answers(conversations, questions), strict=True))
        for group in groups:
            if group and group[0].kind in RECIPE_KINDS:
                self._report.unsupported.update(RECIPE_KINDS - {conversation.kind for conversation in group})
            answered = list(zip(group, islice(fitted, len(group)), strict=True))
            self._report.groups_not_whole += any(not fit.is_whole for _, (_, fit) in answered)
            self._report.groups_too_long += any(fit.pieces is None for _, (_, fit) in answered)
            yield [
                (conversation.kind, [question, *fit.pieces])
                for conversation, (question, fit) in answered
                if fit.pieces is not None
            ]

    def _fit_answers(self, conversations: Sequence[Conversation], questions: Sequence[int]) -> list[_Fitted]:
        """The pieces of each answer, as long as fits; None where not even the shortest does."""
        report, tokens_of = self._report, self._pieces.lengths.__getitem__
        around = self._template.length(0, 0)
        fitted = [_LEFT_OUT] * len(conversations)
        keys = [_answers_of(conversation) for conversation in conversations]
        ladders = dict(zip(keys, map(shorter_and_shorter, conversations), strict=True))
        waiting = list(range(len(conversations)))
        report.composed.update(conversation.kind for conversation in conversations)
        is_first = True
        while waiting:
            rungs = self._rungs({keys[number]: ladders[keys[number]] for number in waiting})
            asking, waiting = waiting, []
            for number in asking:
                kind, rung = conversations[number].kind, rungs[keys[number]]
                if rung is None:
                    report.left_out[kind] += 1
                    continue
                length = around + tokens_of(questions[number]) + rung.tokens
                report.longest = max(report.longest, length)
                if length > report.max_length:
                    waiting.append(number)
                    continue
                fitted[number] = _Fitted(rung.pieces, is_whole=is_first)
                report.without_recipe[kind] += rung.is_brief
                report.shortened[kind] += not is_first and not rung.is_brief
            is_first = False
        return fitted

    def _rungs(self, ladders: Mapping[_Key, Iterator[Version]]) -> dict[_Key, _Rung | None]:
        """The next version of each answer, in pieces; None where there is none left."""
        versions = {key: version for key, ladder in ladders.items() if (version := next(ladder, None))}
        cut = [self._template.cut_answer(version.text) for version in versions.values()]
        numbers, tokens_of = self._pieces.numbers(chain.from_iterable(cut)), self._pieces.lengths.__getitem__
        rungs: dict[_Key, _Rung | None] = dict.fromkeys(ladders)
        for (key, version), texts in zip(versions.items(), cut, strict=True):
            pieces = [numbers[text] for text in texts]
            rungs[key] = _Rung(pieces, sum(map(tokens_of, pieces)), version.is_brief)
        return rungs


def _answers_of(conversation: Conversation) -> _Key:
    """Tells the answers to a question, which several may share, while they exist."""
    return id(conversation.answer), id(conversation.terse), id(conversation.brief)
