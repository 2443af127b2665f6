"""The tokenizer's own chat template, cut at its special tokens so that pieces can be joined exactly.

A byte-level tokenizer merges nothing across a special token. So the template is rendered once around marker words and
cut at its special tokens; what is left are pieces such as ``user\\n`` + question, which can be tokenised apart and
joined to the very ids that `apply_chat_template` gives:

    <|im_start|> system\\nKamu Koki ... <|im_end|> \\n <|im_start|>   user\\nResep ...?   <|im_end|> \\n <|im_start|>
    '------------------------- head ---------------------------'   '--- question ---'   '------- middle -------'

    assistant\\nBerikut ...   <|im_end|> \\n
    '----- answer ------'   '--- tail ---'

Qwen's tokenizers cut every text into words before they merge, and always behind the last newline of a run. So an answer
is cut once more, at its blank lines, and a recipe that many answers share is tokenised once.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from koki.errors import ModelError
from koki.language import _
from koki.tokens.sandbox import render

if TYPE_CHECKING:  # it takes a second to import
    from transformers import PreTrainedTokenizerBase

    from koki.tokens.file_tokenizer import FileTokenizer

Ids = npt.NDArray[np.int64]

QWEN2_SPLIT: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How the tokenizers of Qwen2, Qwen2.5 and Qwen3 cut a text into words."""

# Behind a blank line, where a character follows that no run of blanks can take in.
_BLANK_LINES: Final = re.compile(r"(?<=\n\n)(?=\S)")

# The words that stand for messages when the template is rendered.
_SYSTEM: Final = "KOKISYSTEM"
_QUESTION: Final = "KOKIQUESTION"
_ANSWER: Final = "KOKIANSWER"
_NEXT: Final = "KOKINEXT"


class ChatTemplate:
    """How one tokenizer writes a system prompt, a question and an answer.

    Attributes:
        system: the system prompt of every conversation.
        stop_id: the id of the special token that ends an answer; it is always supervised.
        control_tokens: text -> id of the tokens that steer a model.
        head, middle, tail: ids before the question, between question and answer, and from the stop token on.
        answer_start: ids at the front of an encoded answer that belong to the template, not to the answer.
        cuts_as_qwen: whether the tokenizer cuts texts into words as Qwen's do; of others it is not known what merges.
        fingerprint: SHA-256 of all that decides the ids of a conversation: tokenizer, chat template and system prompt.

    Raises:
        ModelError: the tokenizer has no chat template, or one in which no stop token follows the answer; or the text
            of a control token becomes that token.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase | FileTokenizer", system: str) -> None:
        self.system = system
        self._text_tokenizer = _without_added_tokens(tokenizer)
        description = self._text_tokenizer.to_str()
        self.cuts_as_qwen = json.dumps(QWEN2_SPLIT) in description
        self.control_tokens = {
            token.content: number for number, token in tokenizer.added_tokens_decoder.items() if token.special
        }
        self._require_text_to_stay_text()
        conversation, conversation_that_goes_on = _render(tokenizer)
        pieces = _cut(conversation, tokenizer)
        _slot(pieces, _SYSTEM)  # a template that drops the system prompt would drop it silently
        at_question, at_answer = _slot(pieces, _QUESTION), _slot(pieces, _ANSWER)
        self._question_form = str(pieces[at_question])
        self._answer_form = str(pieces[at_answer])
        self._before_question = pieces[:at_question]
        self.head = self._join(self._before_question, system)
        self.middle = self._join(pieces[at_question + 1 : at_answer])
        self.tail = self._join(pieces[at_answer + 1 :])
        stop = next(iter(pieces[at_answer + 1 :]), None)
        if not isinstance(stop, int) or not self._answer_form.endswith(_ANSWER):
            raise ModelError(
                _(
                    "The chat template puts no stop token right after an answer, "
                    "so the model would never learn to stop."
                ),
                _("Use an instruct model of the Qwen2 or Qwen3 family."),
            )
        self.stop_id = stop
        self._answer_prefix = self.encode([self._answer_form.removesuffix(_ANSWER)])[0]
        self.answer_start = len(self._answer_prefix)
        # a template may write an answer that more follows in another way (Qwen3: without its thoughts)
        pieces = _cut(conversation_that_goes_on, tokenizer)
        at_question, at_answer, at_next = (_slot(pieces, marker) for marker in (_QUESTION, _ANSWER, _NEXT))
        self._before_earlier_answer = self._join(pieces[at_question + 1 : at_answer])
        self._earlier_answer_form = str(pieces[at_answer])
        self._between = self._join(pieces[at_answer + 1 : at_next])
        forms = (description, self._question_form, self._answer_form, *(ids.tolist() for ids in self.constants))
        self.fingerprint = hashlib.sha256(json.dumps(forms).encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text; what looks like a special token in it is text."""
        return [
            encoding.ids for encoding in self._text_tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        ]

    def encode_questions(self, questions: Sequence[str]) -> list[list[int]]:
        """The ids of each question's piece, from ``user\\n`` to the last character."""
        return self.encode([self.question_text(question) for question in questions])

    def question_text(self, question: str) -> str:
        """The text of a question's piece, from ``user\\n`` on."""
        return self._question_form.replace(_QUESTION, question)

    def cut_turn(self, read: str, asked: str) -> list[str]:
        """The texts of the pieces of a turn in which something is read before it is asked, from ``user\\n`` on.

        The last piece is the question's own. What is read is cut as an answer is, so that both share their pieces.
        """
        before, _, after = self._question_form.partition(_QUESTION)
        *cut, last = _at_blank_lines(before + read) if self.cuts_as_qwen else [before + read]
        return [*cut, f"{last}\n\n", asked + after]

    def encode_turn(self, read: str, asked: str) -> list[int]:
        """The ids of a turn, of its pieces joined; nothing may be read in it."""
        texts = self.cut_turn(read, asked) if read else [self.question_text(asked)]
        return [number for ids in self.encode(texts) for number in ids]

    def cut_answer(self, answer: str) -> list[str]:
        """The texts of an answer's pieces, from ``assistant\\n`` on: one for each block between blank lines.

        Encoded apart and joined, they give the ids of the whole.
        """
        whole = self._answer_form.replace(_ANSWER, answer)
        return _at_blank_lines(whole) if self.cuts_as_qwen else [whole]

    def require_answer_prefix(self, ids: Sequence[int]) -> None:
        """Check that the ids of an answer's first piece start with those of ``assistant\\n``.

        Raises:
            ModelError: the tokenizer merged the template's words with an answer's.
        """
        if list(ids[: self.answer_start]) != self._answer_prefix:
            raise ModelError(
                _(
                    "The tokenizer merges the chat template with an answer: {answer!r}.",
                    answer=self.decode_answer(ids)[:40],
                )
            )

    def decode_question(self, ids: Sequence[int]) -> str:
        """The question of a piece from `encode_questions`."""
        before, _, after = self._question_form.partition(_QUESTION)
        return self._text_tokenizer.decode(list(ids)).removeprefix(before).removesuffix(after)

    def decode_asked(self, ids: Sequence[int]) -> str:
        """The last piece of a turn, from `cut_turn`, that has these ids."""
        return self._text_tokenizer.decode(list(ids)).removesuffix(self._question_form.partition(_QUESTION)[2])

    def decode_answer(self, ids: Sequence[int]) -> str:
        """The answer whose pieces, from `cut_answer`, have these ids."""
        return self._text_tokenizer.decode(list(ids)).removeprefix(self._answer_form.removesuffix(_ANSWER))

    def questions_in(self, ids: npt.ArrayLike) -> list[str]:
        """The questions of all conversations in the ids of a batch, however they are laid out in it."""
        flat = np.asarray(ids).ravel()
        ends = _occurrences(flat, self.middle)
        return [
            self.decode_question(flat[start : ends[np.searchsorted(ends, start)]].tolist())
            for start in _occurrences(flat, self.head) + len(self.head)
        ]

    def prompt(
        self, question: str, history: Sequence[tuple[str, str]] = (), read: str = "", instructions: str = ""
    ) -> list[int]:
        """Ids up to where the answer starts, for generation.

        Args:
            question: as it stands in its turn, behind what is read.
            history: earlier questions and answers of the same conversation, the oldest first.
            read: what is read before the question, in its turn.
            instructions: stand behind the system prompt, a blank line between them.
        """
        head = self._join(self._before_question, f"{self.system}\n\n{instructions}") if instructions else self.head
        ids = head.tolist()
        for turn in history:
            ids += self._turn(*turn)
        return [*ids, *self.encode_turn(read, question), *self.middle, *self._answer_prefix]

    def length_of_turn(self, asked: str, answered: str) -> int:
        """Tokens that an earlier question and its answer add to a prompt."""
        return len(self._turn(asked, answered))

    def _turn(self, asked: str, answered: str) -> list[int]:
        answer = self._earlier_answer_form.replace(_ANSWER, answered)
        before, between = self._before_earlier_answer, self._between
        return [*self.encode_questions([asked])[0], *before, *self.encode([answer])[0], *between]

    def length(self, question: int, answer: int) -> int:
        """Tokens of a whole conversation, given those of its question's piece and of all pieces of its answer."""
        return len(self.head) + question + len(self.middle) + answer + len(self.tail)

    @property
    def constants(self) -> tuple[Ids, ...]:
        """The ids that are the same in every conversation."""
        return self.head, self.middle, self.tail

    def _require_text_to_stay_text(self) -> None:
        for (text, number), ids in zip(
            self.control_tokens.items(), self.encode(list(self.control_tokens)), strict=True
        ):
            if number in ids:
                raise ModelError(
                    _(
                        "The tokenizer makes the control token of the text {text!r}, wherever that comes from.",
                        text=text,
                    ),
                    _("Use the tokenizer of the Qwen2 or Qwen3 family."),
                )

    def _join(self, pieces: Sequence[int | str], system: str = "") -> Ids:
        ids: list[int] = []
        for piece in pieces:
            ids += [piece] if isinstance(piece, int) else self.encode([piece.replace(_SYSTEM, system)])[0]
        return np.array(ids, dtype=np.int64)


def _at_blank_lines(text: str) -> list[str]:
    """The text split at `_BLANK_LINES`; where no character behind a blank line is a blank, that goes without a pattern.

    This is several times faster.
    """
    *blocks, last = text.split("\n\n")
    if any(not block or block[0].isspace() for block in (*blocks[1:], last)):
        return _BLANK_LINES.split(text)
    return [*(f"{block}\n\n" for block in blocks), last]


def _occurrences(ids: npt.NDArray[Any], piece: Ids) -> npt.NDArray[np.int64]:
    """Where ``piece`` starts in ``ids``."""
    if len(ids) < len(piece):
        return np.empty(0, dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(ids, len(piece))
    return np.flatnonzero((windows == piece).all(axis=1))


def _render(tokenizer: "PreTrainedTokenizerBase | FileTokenizer") -> tuple[str, ...]:
    """One conversation of marker words, in the template's form; and again, with a second question behind it."""
    if not tokenizer.chat_template:
        raise ModelError(
            _("The tokenizer has no chat template."), _("Use an instruct model of the Qwen2 or Qwen3 family.")
        )
    messages = [
        {"role": "system", "content": _SYSTEM},
        {"role": "user", "content": _QUESTION},
        {"role": "assistant", "content": _ANSWER},
    ]
    return render(tokenizer, [messages, [*messages, {"role": "user", "content": _NEXT}]])


def _cut(rendered: str, tokenizer: "PreTrainedTokenizerBase | FileTokenizer") -> list[int | str]:
    """Special tokens as ids, the text between them as it is."""
    added = {token.content: number for number, token in tokenizer.added_tokens_decoder.items()}
    longest_first = sorted(added, key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, longest_first))})", rendered) if added else [rendered]
    return [added.get(part, part) for part in parts if part]


def _slot(pieces: Sequence[int | str], marker: str) -> int:
    places = [place for place, piece in enumerate(pieces) if isinstance(piece, str) and marker in piece]
    if len(places) != 1:
        raise ModelError(
            _("The chat template does not show each message once."),
            _("Use an instruct model of the Qwen2 or Qwen3 family."),
        )
    return places[0]


def _without_added_tokens(tokenizer: "PreTrainedTokenizerBase | FileTokenizer") -> Tokenizer:
    """The same tokenizer without a single added token, so that no text can turn into one; they share the vocabulary."""
    backend: Tokenizer | None = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(_("The tokenizer has no fast implementation."), _("Its folder needs a tokenizer.json."))
    plain = Tokenizer(backend.model)
    for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        setattr(plain, part, getattr(backend, part))
    return plain
