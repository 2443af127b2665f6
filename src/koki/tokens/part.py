"""A part of a data set: the conversations of some groups as arrays, in memory or in a file of their own.

Nothing in a part refers to another one. So parts are made side by side, by any number of processes or machines, and a
data set is a list of them. ``docs/design.md`` shows the arrays.
"""

import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
from safetensors import safe_open

from koki.config import TokensConfig
from koki.dialogue.conversation import KINDS, Conversation
from koki.gc_paused import gc_paused
from koki.tensors import facts_in, opened_tensors, write_tensors
from koki.tokens.fit_report import FitReport
from koki.tokens.fitter import Fitter, together
from koki.tokens.store import GrowingSequences, Numbers, PieceStore
from koki.tokens.template import ChatTemplate
from koki.tokens.words import WordByWord

ARRAYS: Final = (
    "tokens",
    "token_ends",
    "conversations",
    "conversation_ends",
    "kinds",
    "read_pieces",
    "lengths",
    "group_starts",
)
"""The names of the arrays, and all that there is of a part besides its facts."""


class Part(NamedTuple):
    """The conversations of some groups; a group is a recipe, a tip or a refusal.

    Attributes:
        arrays: by name, each of which can be sliced:
            ``tokens`` and ``token_ends``: the ids of all pieces, and where each piece ends, led by 0;
            ``conversations`` and ``conversation_ends``: in the same way the pieces of each conversation, those of what
            is read, of its question, and of its answer;
            ``kinds``: of each conversation its kind's place in `KINDS`, uint8;
            ``read_pieces``: how many of its pieces are read before the question, uint16;
            ``lengths``: its tokens, int32, those of the template too;
            ``group_starts``: the first conversation of each group, and at last the number of conversations, int64.
        report: what became of the conversations at the token limit.
        digest: SHA-256 of the arrays that decide the examples.
    """

    arrays: Mapping[str, Any]
    report: FitReport
    digest: str

    @classmethod
    def of(
        cls,
        groups: Iterable[Sequence[Conversation]],
        template: ChatTemplate,
        vocabulary_size: int,
        config: TokensConfig,
    ) -> Self:
        """Make a part of every conversation that fits.

        Args:
            groups: the conversations of each recipe, tip and refusal.
            vocabulary_size: all ids are smaller.
            config: the token limit.

        Raises:
            ModelError: the tokenizer merged the template's words with an answer's.
        """
        report = FitReport(config.max_length)
        encode = WordByWord(template.encode, vocabulary_size) if template.cuts_as_qwen else template.encode
        pieces = PieceStore(encode, vocabulary_size)
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
        numbers, ends = conversations.done()
        tokens, token_ends = pieces.done()
        arrays = {
            "tokens": tokens,
            "token_ends": token_ends,
            "conversations": numbers,
            "conversation_ends": ends,
            "kinds": np.array(kinds),
            "read_pieces": np.array(read),
            "lengths": _lengths(np.array(pieces.lengths), numbers, ends, template.length(0, 0)),
            "group_starts": np.array(group_starts),
        }
        _require_answer_prefixes(arrays, template)
        return cls(arrays, report, _digest(arrays))

    def whole(self, *names: str) -> list[Numbers]:
        """Some of the arrays."""
        return [self.arrays[name] for name in names]

    def write(self, path: Path, **facts: Any) -> None:
        """Write it to a file, beside and renamed, so that whoever finds the file finds it whole.

        Args:
            facts: JSON-ready; `PartFile.facts` gives them back.

        Raises:
            OSError: the file cannot be written.
        """
        write_tensors(path, self.arrays, {"report": vars(self.report), "digest": self.digest, **facts})


class PartFile:
    """A part in a file, of which no more is read than what is asked for.

    A process that gets a pickled one opens the file itself.

    Attributes:
        report, digest: as `Part` has them.

    Raises:
        OSError, ValueError: the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        facts = self.facts()
        self.report = FitReport.of_dict(facts["report"])
        self.digest = str(facts["digest"])

    @cached_property
    def arrays(self) -> dict[str, Any]:
        """As `Part` has them; the file is mapped into memory from then on."""
        file = safe_open(self._path, framework="numpy")
        return {name: _lazily(file, name) for name in ARRAYS}

    def facts(self) -> dict[str, Any]:
        """Those that were written beside the arrays, read anew: of many parts they would fill the memory."""
        with opened_tensors(self._path) as file:
            return facts_in(file)

    def whole(self, *names: str) -> list[Numbers]:
        """Some of the arrays, each as a whole."""
        with opened_tensors(self._path) as file:
            return [file.get_tensor(name) for name in names]

    def __reduce__(self) -> tuple[type["PartFile"], tuple[Path]]:
        return PartFile, (self._path,)


def _lazily(file: Any, name: str) -> Any:
    """An array of a file, of which slices are read; the library slices none that is empty."""
    array = file.get_slice(name)
    return array if array.get_shape()[0] else file.get_tensor(name)


def _lengths(tokens: Numbers, conversations: Numbers, ends: Numbers, around: int) -> Numbers:
    """The tokens of each conversation: those of its pieces, and those around them."""
    if len(ends) == 1:
        return np.empty(0, dtype=np.int32)
    return (around + np.add.reduceat(tokens[conversations], ends[:-1])).astype(np.int32)


def _require_answer_prefixes(arrays: Mapping[str, Numbers], template: ChatTemplate) -> None:
    first_of_answers = arrays["conversations"][arrays["conversation_ends"][:-1] + arrays["read_pieces"] + 1]
    ends, tokens = arrays["token_ends"], arrays["tokens"]
    for piece in np.unique(first_of_answers).tolist():
        template.require_answer_prefix(tokens[ends[piece] : ends[piece + 1]].tolist())


def _digest(arrays: Mapping[str, Numbers]) -> str:
    content = hashlib.sha256()
    for name in ("tokens", "token_ends", "conversations", "conversation_ends", "read_pieces", "group_starts"):
        content.update(np.ascontiguousarray(arrays[name]).data)
    return content.hexdigest()
