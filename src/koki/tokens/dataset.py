"""Conversations as numbers of pieces; an example is put together when it is needed."""

import hashlib
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset

from koki.config import TokensConfig
from koki.dialogue.conversation import KINDS, Conversation, Kind
from koki.dialogue.pages import asked_after_reading, question_after_reading
from koki.dialogue.phrasebook import load_phrasebook
from koki.errors import DataError
from koki.language import _
from koki.tokens.fit_report import FitReport
from koki.tokens.part import Part, PartFile
from koki.tokens.store import Numbers
from koki.tokens.template import ChatTemplate, Ids

IGNORED: Final = -100
"""The label that torch's cross-entropy leaves out."""

Example = dict[str, Ids]


class _Pieces(NamedTuple):
    """The ids of a conversation's pieces."""

    read: list[Numbers]
    question: Numbers
    answer: list[Numbers]


class ConversationDataset(Dataset[Example]):
    """Every conversation that fits, in parts; ``docs/design.md`` shows the arrays.

    A *group* is what an epoch draws variations of: a recipe, a tip or a refusal. Conversation ``i`` belongs to group
    ``g`` when ``group_starts[g] <= i < group_starts[g + 1]``.

    Attributes:
        kinds: of each conversation its kind's place in `KINDS`, shape (conversations,), uint8.
        read_pieces: how many pieces of each conversation are read before the question, shape (conversations,), uint16;
            none where the chef answers from memory.
        lengths: tokens of each conversation, shape (conversations,), int32.
        group_starts: shape (groups + 1,), int64.
        report: what became of the conversations at the token limit.
        template: the chat template of the model to train.

    Args:
        parts: in order; those in files are read where they lie, an example at a time.
        template: the chat template that they were made with.
        config: which tokens are supervised.

    Raises:
        DataError: not one conversation fits.
    """

    def __init__(self, parts: Sequence[Part | PartFile], template: ChatTemplate, config: TokensConfig) -> None:
        self.report = FitReport.joined([part.report for part in parts])
        group_starts = [starts for part in parts for starts in part.whole("group_starts")]
        self.parts, self._starts = parts, [*accumulate((int(starts[-1]) for starts in group_starts), initial=0)]
        if not self._starts[-1]:
            raise DataError(
                _("Not one conversation fits in {max_length} tokens.", max_length=config.max_length),
                _("Raise it: --set tokens.max_length={longest}", longest=self.report.longest),
            )
        self.group_starts = _joined(group_starts)
        count = self._starts[-1]
        self.kinds: npt.NDArray[np.uint8] = np.empty(count, np.uint8)
        self.read_pieces: npt.NDArray[np.uint16] = np.empty(count, np.uint16)
        self.lengths: npt.NDArray[np.int32] = np.empty(count, np.int32)
        for part, (start, end) in zip(parts, pairwise(self._starts), strict=True):
            whole = part.whole("kinds", "read_pieces", "lengths")
            self.kinds[start:end], self.read_pieces[start:end], self.lengths[start:end] = whole
        self.template, self._config = template, config

    @classmethod
    def of(
        cls,
        groups: Iterable[Sequence[Conversation]],
        template: ChatTemplate,
        vocabulary_size: int,
        config: TokensConfig,
    ) -> Self:
        """A data set in memory, of the conversations of each recipe, tip and refusal.

        Raises:
            DataError: not one conversation fits.
            ModelError: as `Part.of`.
        """
        return cls([Part.of(groups, template, vocabulary_size, config)], template, config)

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, number: int) -> Example:
        """``input_ids`` and ``labels``, both of shape (tokens,), the labels not yet shifted."""
        pieces = self._pieces(number)
        return self._example([*pieces.read, pieces.question], pieces.answer)

    def asked(self, number: int, question: str) -> Example:
        """The same conversation with another question, where that fits in the token limit; else with its own."""
        pieces = self._pieces(number)
        if pieces.read:
            asked = self.template.cut_turn("", asked_after_reading(question, load_phrasebook()))[-1]
        else:
            asked = self.template.question_text(question)
        other = np.array(self.template.encode([asked])[0])
        fits = self.template.length(sum(map(len, (*pieces.read, other))), sum(map(len, pieces.answer)))
        own = pieces.question if fits > self._config.max_length else other
        return self._example([*pieces.read, own], pieces.answer)

    def _example(self, turn: Sequence[Numbers], answer: Sequence[Numbers]) -> Example:
        template = self.template
        input_ids = np.concatenate([template.head, *turn, template.middle, *answer, template.tail]).astype(np.int64)
        labels = input_ids.copy()
        if self._config.loss_on == "answer":
            before = len(template.head) + sum(map(len, turn)) + len(template.middle) + template.answer_start
            stop = len(input_ids) - len(template.tail)
            labels[:before] = IGNORED
            labels[stop + 1 :] = IGNORED
        return {"input_ids": input_ids, "labels": labels}

    def question(self, number: int) -> str:
        """The question of one conversation, without what is read before it, decoded from its ids."""
        pieces = self._pieces(number)
        if pieces.read:
            return question_after_reading(self.template.decode_asked(pieces.question.tolist()), load_phrasebook())
        return self.template.decode_question(pieces.question.tolist())

    def texts(self, number: int) -> tuple[str, str]:
        """The question of one conversation, behind what is read, and its answer, decoded from the ids trained on."""
        pieces = self._pieces(number)
        turn = np.concatenate([*pieces.read, pieces.question]).tolist()
        return self.template.decode_question(turn), self.template.decode_answer(np.concatenate(pieces.answer).tolist())

    @property
    def system(self) -> str:
        """The system prompt of every conversation."""
        return self.template.system

    @property
    def control_tokens(self) -> Collection[str]:
        """The texts of the tokens that steer the model."""
        return self.template.control_tokens.keys()

    def kind(self, number: int) -> Kind:
        """What kind of conversation this is."""
        return KINDS[int(self.kinds[number])]

    def count_by_kind(self) -> dict[str, int]:
        """Conversations of each kind."""
        counts = np.bincount(self.kinds, minlength=len(KINDS))
        return dict(zip(KINDS, counts.tolist(), strict=True))

    def digest(self) -> str:
        """SHA-256 of all examples, in order: two data sets that train alike have the same."""
        content = hashlib.sha256("".join(part.digest for part in self.parts).encode())
        for ids in self.template.constants:
            content.update(ids.data)
        return content.hexdigest()

    def _pieces(self, number: int) -> _Pieces:
        read = int(self.read_pieces[number])
        place = bisect_right(self._starts, number) - 1
        arrays, number = self.parts[place].arrays, number - self._starts[place]
        start, end = arrays["conversation_ends"][number : number + 2].tolist()
        pieces = [_piece(arrays, piece) for piece in arrays["conversations"][start:end].tolist()]
        return _Pieces(pieces[:read], pieces[read], pieces[read + 1 :])


def _joined(ends: Sequence[Numbers]) -> Numbers:
    """Ends of several parts, each led by 0, as those of all of them."""
    before = accumulate((int(some[-1]) for some in ends), initial=0)
    return np.concatenate(
        [np.zeros(1, np.int64), *(some[1:] + start for some, start in zip(ends, before, strict=False))]
    )


def _piece(arrays: Mapping[str, Any], number: int) -> Numbers:
    start, end = arrays["token_ends"][number : number + 2].tolist()
    ids: Numbers = arrays["tokens"][start:end]
    return ids
