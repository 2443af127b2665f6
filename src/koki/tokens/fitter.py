"""Finds the longest version of each conversation that fits in the token limit, group by group."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple, TypeVar

from koki.dialogue.conversation import RECIPE_KINDS, Conversation, Kind
from koki.dialogue.fit import Version, shorter_and_shorter
from koki.dialogue.pages import asked_after_reading
from koki.dialogue.phrasebook import load_phrasebook
from koki.tokens.fit_report import FitReport
from koki.tokens.store import PieceStore
from koki.tokens.template import ChatTemplate

_GROUPS_AT_ONCE: Final = 64
"""Groups that are handed over, or made into tokens, at a time. Answers that they share are cut and counted once; more
groups would only take memory."""

# Kinds that a recipe has none of if it has too few ingredients.
_OF_INGREDIENTS: Final[frozenset[Kind]] = frozenset({"recommendation", "inquiry"})

_U = TypeVar("_U", bound=Sequence[Conversation])
_Key = tuple[int, int, int]


def together(groups: Iterable[_U]) -> Iterator[list[_U]]:
    """The groups in lists of `_GROUPS_AT_ONCE`; the last list may be shorter."""
    remaining = iter(groups)
    while some := list(islice(remaining, _GROUPS_AT_ONCE)):
        yield some


class _Fitted(NamedTuple):
    """The pieces of a conversation, None if none of its versions fits, and whether it is the one that was composed.

    Attributes:
        read: how many of the pieces come before the question's own: those of what is read.
    """

    pieces: list[int] | None
    read: int
    is_whole: bool


_LEFT_OUT: Final = _Fitted(None, 0, is_whole=False)


class FittedConversation(NamedTuple):
    """A conversation that fits: the numbers of its pieces, of which the first ``read`` are read before the question."""

    kind: Kind
    pieces: list[int]
    read: int


class _Turn(NamedTuple):
    """One version of a question's turn, in pieces."""

    pieces: list[int]
    tokens: int


class _Candidate(NamedTuple):
    """One version of an answer, in pieces."""

    pieces: list[int]
    tokens: int
    is_brief: bool


class Fitter:
    """Finds the longest version of each conversation that fits, and counts in a report what became of them."""

    def __init__(self, template: ChatTemplate, pieces: PieceStore, report: FitReport) -> None:
        self._template, self._pieces, self._report = template, pieces, report

    def fit(self, groups: Sequence[Sequence[Conversation]]) -> Iterator[list[FittedConversation]]:
        """For each group every conversation that fits: pieces of what is read, of its question, and of its answer."""
        conversations = [conversation for group in groups for conversation in group]
        turns = [self._cut_turns(conversation) for conversation in conversations]
        questions = self._pieces.append([versions[0][-1] for versions in turns])
        fitted = iter(self._fit_answers(conversations, self._numbered(turns, questions)))
        for group in groups:
            if group and group[0].kind in RECIPE_KINDS:
                self._report.unsupported.update(_OF_INGREDIENTS - {conversation.kind for conversation in group})
            found = list(zip(group, islice(fitted, len(group)), strict=True))
            self._report.groups_not_whole += any(not fit.is_whole for _, fit in found)
            self._report.groups_too_long += any(fit.pieces is None for _, fit in found)
            yield [
                FittedConversation(conversation.kind, fit.pieces, fit.read)
                for conversation, fit in found
                if fit.pieces is not None
            ]

    def _cut_turns(self, conversation: Conversation) -> list[list[str]]:
        """The texts of the pieces of a question's turn, a list for each version of what is read before it."""
        if not conversation.read:
            return [[self._template.question_text(conversation.question)]]
        asked = asked_after_reading(conversation.question, load_phrasebook())
        return [self._template.cut_turn(read, asked) for read in conversation.read]

    def _numbered(self, turns: Sequence[list[list[str]]], questions: Sequence[int]) -> list[list[_Turn]]:
        """The same turns in numbers of pieces; those of the questions are known."""
        read = (text for versions in turns for texts in versions for text in texts[:-1])
        numbers, tokens_of = self._pieces.numbers(read), self._pieces.lengths.__getitem__

        def turn(texts: Sequence[str], question: int) -> _Turn:
            pieces = [*(numbers[text] for text in texts[:-1]), question]
            return _Turn(pieces, sum(map(tokens_of, pieces)))

        return [
            [turn(texts, question) for texts in versions] for versions, question in zip(turns, questions, strict=True)
        ]

    def _fit_answers(self, conversations: Sequence[Conversation], turns: Sequence[Sequence[_Turn]]) -> list[_Fitted]:
        """Each conversation with as much of its answer, and then of what is read, as fits."""
        report = self._report
        around = self._template.length(0, 0)
        fitted = [_LEFT_OUT] * len(conversations)
        keys = [_answers_of(conversation) for conversation in conversations]
        versions = dict(zip(keys, map(shorter_and_shorter, conversations), strict=True))
        waiting = list(range(len(conversations)))
        report.composed.update(conversation.kind for conversation in conversations)
        is_first = True
        while waiting:
            candidates = self._next_candidates({keys[number]: versions[keys[number]] for number in waiting})
            asking, waiting = waiting, []
            for number in asking:
                kind, candidate = conversations[number].kind, candidates[keys[number]]
                if candidate is None:
                    report.left_out[kind] += 1
                    continue
                left = report.max_length - around - candidate.tokens
                report.longest = max(report.longest, report.max_length - left + turns[number][0].tokens)
                turn = next((turn for turn in turns[number] if turn.tokens <= left), None)
                if turn is None:
                    waiting.append(number)
                    continue
                is_whole = is_first and turn is turns[number][0]
                fitted[number] = _Fitted([*turn.pieces, *candidate.pieces], len(turn.pieces) - 1, is_whole)
                report.without_recipe[kind] += candidate.is_brief
                report.shortened[kind] += not is_whole and not candidate.is_brief
            is_first = False
        return fitted

    def _next_candidates(self, versions: Mapping[_Key, Iterator[Version]]) -> dict[_Key, _Candidate | None]:
        """The next version of each answer, in pieces; None where there is none left."""
        found = {key: version for key, remaining in versions.items() if (version := next(remaining, None))}
        cut = [self._template.cut_answer(version.text) for version in found.values()]
        numbers, tokens_of = self._pieces.numbers(chain.from_iterable(cut)), self._pieces.lengths.__getitem__
        candidates: dict[_Key, _Candidate | None] = dict.fromkeys(versions)
        for (key, version), texts in zip(found.items(), cut, strict=True):
            pieces = [numbers[text] for text in texts]
            candidates[key] = _Candidate(pieces, sum(map(tokens_of, pieces)), version.is_brief)
        return candidates


def _answers_of(conversation: Conversation) -> _Key:
    """Identifies the answers of a conversation, which several conversations may share, as long as they exist."""
    return id(conversation.answer), id(conversation.terse), id(conversation.brief)
