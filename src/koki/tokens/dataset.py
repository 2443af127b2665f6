"""Conversations as numbers of pieces; an example is put together when it is needed."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset

from koki.config import TokensConfig
from koki.dialogue.conversation import KINDS, Conversation, Kind
from koki.dialogue.pages import asked_after_reading, question_after_reading
from koki.dialogue.phrasebook import load_phrasebook
from koki.errors import DataError
from koki.gc_paused import gc_paused
from koki.language import _
from koki.tokens.fit_report import FitReport
from koki.tokens.fitter import Fitter, together
from koki.tokens.store import GrowingSequences, KnownPieces, Numbers, PieceStore, Sequences
from koki.tokens.template import ChatTemplate, Ids
from koki.tokens.words import WordByWord

IGNORED: Final = -100
"""The label that torch's cross-entropy leaves out."""

Example = dict[str, Ids]


class _Parts(NamedTuple):
    """The ids of a conversation's pieces."""

    read: list[Numbers]
    question: Numbers
    answer: list[Numbers]


class ConversationDataset(Dataset[Example]):
    """Every conversation that fits, as numbers of pieces; ``docs/design.md`` shows the arrays.

    A *group* is what an epoch draws variations of: a recipe, a tip or a refusal. Conversation ``i`` belongs to group
    ``g`` when ``group_starts[g] <= i < group_starts[g + 1]``.

    Attributes:
        kinds: of each conversation its kind's place in `KINDS`, shape (conversations,), uint8.
        read_pieces: how many pieces of each conversation are read before the question, shape (conversations,), uint16;
            none where the chef answers from memory.
        group_starts: shape (groups + 1,), int64.
        report: what became of the conversations at the token limit.
        template: the chat template of the model to train.

    Args:
        groups: the conversations of each recipe, tip and refusal.
        template: the chat template of the model to train.
        vocabulary_size: all ids are smaller.
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
        fitter = Fitter(template, pieces, report)
        conversations, kinds, group_starts = GrowingSequences(np.iinfo(np.uint32).max), array("B"), array("q", [0])
        read = array("H")
        with gc_paused():
            for some in together(groups):
                for fitting in fitter.fit(some):
                    for one in fitting:
                        kinds.append(KINDS.index(one.kind))
                        conversations.append(one.pieces)
                        read.append(one.read)
                    group_starts.append(len(kinds))
        if not kinds:
            raise DataError(
                _("Not one conversation fits in {max_length} tokens.", max_length=config.max_length),
                _("Raise it: --set tokens.max_length={longest}", longest=report.longest),
            )
        tokens, digests = pieces.done()
        self._hold(
            tokens, conversations.done(), digests, np.array(kinds), np.array(read), np.array(group_starts), report
        )
        self.template, self._config, self._digest = template, config, self._digest_of_all(template)
        self._require_answer_prefixes()

    @classmethod
    def kept(
        cls, arrays: Mapping[str, Numbers], facts: Mapping[str, Any], template: ChatTemplate, config: TokensConfig
    ) -> Self:
        """The data set whose `arrays` and `facts` these are, with the same template and token limit."""
        dataset = cls.__new__(cls)
        counts = facts["report"].items()
        report: dict[str, Any] = {name: Counter(it) if isinstance(it, dict) else it for name, it in counts}
        dataset._hold(
            Sequences(arrays["tokens"], arrays["token_ends"]),
            Sequences(arrays["conversations"], arrays["conversation_ends"]),
            arrays["digests"],
            arrays["kinds"],
            arrays["read_pieces"],
            arrays["group_starts"],
            FitReport(**report),
        )
        dataset.template, dataset._config, dataset._digest = template, config, facts["digest"]
        return dataset

    def _hold(
        self,
        tokens: Sequences,
        conversations: Sequences,
        digests: npt.NDArray[np.uint8],
        kinds: npt.NDArray[np.uint8],
        read_pieces: npt.NDArray[np.uint16],
        group_starts: npt.NDArray[np.int64],
        report: FitReport,
    ) -> None:
        self._tokens = tokens
        self._conversations = conversations  # the pieces of each: what is read, its question, then those of its answer
        self._digests = digests
        self.kinds = kinds
        self.read_pieces = read_pieces
        self.group_starts = group_starts
        self.report = report

    def arrays(self) -> dict[str, Numbers]:
        """All arrays of the data set by name; with the `facts`, they are all there is of it."""
        return {
            "tokens": self._tokens.flat,
            "token_ends": self._tokens.ends,
            "conversations": self._conversations.flat,
            "conversation_ends": self._conversations.ends,
            "digests": self._digests,
            "kinds": self.kinds,
            "read_pieces": self.read_pieces,
            "group_starts": self.group_starts,
        }

    def facts(self) -> dict[str, Any]:
        """The fit report and the digest, JSON-ready."""
        return {"report": vars(self.report), "digest": self._digest}

    def __len__(self) -> int:
        return len(self._conversations)

    def __getitem__(self, number: int) -> Example:
        """``input_ids`` and ``labels``, both of shape (tokens,), the labels not yet shifted."""
        parts = self._parts(number)
        return self._example([*parts.read, parts.question], parts.answer)

    def asked(self, number: int, question: str) -> Example:
        """The same conversation with another question, where that fits in the token limit; else with its own."""
        parts = self._parts(number)
        if parts.read:
            asked = self.template.cut_turn("", asked_after_reading(question, load_phrasebook()))[-1]
        else:
            asked = self.template.question_text(question)
        other = np.array(self.template.encode([asked])[0])
        fits = self.template.length(sum(map(len, (*parts.read, other))), sum(map(len, parts.answer)))
        own = parts.question if fits > self._config.max_length else other
        return self._example([*parts.read, own], parts.answer)

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
        parts = self._parts(number)
        if parts.read:
            return question_after_reading(self.template.decode_asked(parts.question.tolist()), load_phrasebook())
        return self.template.decode_question(parts.question.tolist())

    def texts(self, number: int) -> tuple[str, str]:
        """The question of one conversation, behind what is read, and its answer, decoded from the ids trained on."""
        parts = self._parts(number)
        turn = np.concatenate([*parts.read, parts.question]).tolist()
        return self.template.decode_question(turn), self.template.decode_answer(np.concatenate(parts.answer).tolist())

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

    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each conversation."""
        pieces = np.diff(self._tokens.ends)[self._conversations.flat]
        return np.asarray(self.template.length(0, 0) + np.add.reduceat(pieces, self._conversations.ends[:-1]))

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
        if self.read_pieces.any():  # data without a book have the digest that they have always had
            content.update(self.read_pieces.data)
        return content.hexdigest()

    def _parts(self, number: int) -> _Parts:
        pieces = [self._tokens[piece] for piece in self._conversations[number].tolist()]
        read = int(self.read_pieces[number])
        return _Parts(pieces[:read], pieces[read], pieces[read + 1 :])

    def _require_answer_prefixes(self) -> None:
        for piece in np.unique(self._conversations.flat[self._conversations.ends[:-1] + self.read_pieces + 1]).tolist():
            self.template.require_answer_prefix(self._tokens[piece].tolist())
