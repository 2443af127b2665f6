"""Finds the longest version of each conversation that fits in the token limit, group by group."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple, TypeVar

from koki.dialogue.conversation import RECIPE_KINDS, Conversation, Kind
from koki.dialogue.fit import Version, shorter_and_shorter
from koki.tokens.fit_report import FitReport
from koki.tokens.store import PieceStore
from koki.tokens.template import ChatTemplate

_GROUPS_AT_ONCE: Final = 64
"""Groups that are handed over, or made into tokens, at a time. Answers that they share are cut and counted once; more
groups would only take memory."""

_U = TypeVar("_U", bound=Sequence[Conversation])
_Key = tuple[int, int, int]


def together(groups: Iterable[_U]) -> Iterator[list[_U]]:
    """The groups in lists of `_GROUPS_AT_ONCE`; the last list may be shorter."""
    remaining = iter(groups)
    while some := list(islice(remaining, _GROUPS_AT_ONCE)):
        yield some


class _Fitted(NamedTuple):
    """The pieces of an answer, None if none fits, and whether it is the answer as composed."""

    pieces: list[int] | None
    is_whole: bool


_LEFT_OUT: Final = _Fitted(None, is_whole=False)


class _Candidate(NamedTuple):
    """One version of an answer, in pieces."""

    pieces: list[int]
    tokens: int
    is_brief: bool


class Fitter:
    """Finds the longest version of each conversation that fits, and counts in a report what became of them."""

    def __init__(self, template: ChatTemplate, pieces: PieceStore, report: FitReport) -> None:
        self._template, self._pieces, self._report = template, pieces, report

    def fit(self, groups: Sequence[Sequence[Conversation]]) -> Iterator[list[tuple[Kind, list[int]]]]:
        """For each group, kind and pieces of every conversation that fits: its question, then those of its answer."""
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
                length = around + tokens_of(questions[number]) + candidate.tokens
                report.longest = max(report.longest, length)
                if length > report.max_length:
                    waiting.append(number)
                    continue
                fitted[number] = _Fitted(candidate.pieces, is_whole=is_first)
                report.without_recipe[kind] += candidate.is_brief
                report.shortened[kind] += not is_first and not candidate.is_brief
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
