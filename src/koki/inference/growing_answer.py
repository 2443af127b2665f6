"""One answer while it is generated, whatever engine makes its tokens."""

from collections.abc import Callable, Mapping

from tokenizers import Tokenizer

from koki.inference.engine import Ending, Generated
from koki.tokens.file_tokenizer import TextStream


def endings_of(tokenizer: Tokenizer, stop_id: int) -> dict[int, Ending]:
    """The tokens that end an answer, with why it is then over.

    Whatever control token comes, the answer is over; only one of them ends it well.
    """
    others = {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special} - {stop_id}
    return {stop_id: "stop_token", **dict.fromkeys(sorted(others), "control_token")}


class GrowingAnswer:
    """An answer that takes its tokens one by one until it has ended.

    Args:
        endings: as `endings_of`.
        room: tokens that the prompt leaves in the context, at least one.
        on_text, is_cancelled: as `koki.inference.engine.Engine.generate`, of this answer.

    Attributes:
        tokens: those of the answer so far.
        ended_by: None while the answer goes on.
        limit: the number of tokens at which it is cut off.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        endings: Mapping[int, Ending],
        *,
        max_new_tokens: int,
        room: int,
        on_text: Callable[[str], object] | None,
        is_cancelled: Callable[[], bool] | None,
    ) -> None:
        self.tokens: list[int] = []
        self.ended_by: Ending | None = None
        self.limit = min(max_new_tokens, room)
        # where both are reached, more tokens help nobody
        self._at_limit: Ending = "max_new_tokens" if max_new_tokens < room else "context"
        self._tokenizer = tokenizer
        self._endings = endings
        self._on_text = on_text
        self._is_cancelled = is_cancelled
        self._stream = TextStream(tokenizer)

    def take(self, token: int) -> None:
        """Add a token, unless the answer has ended: an engine may be ahead of it, or busy with others beside it."""
        if self.ended_by is not None:
            return
        self.tokens.append(token)
        self._pass_on(self._stream.put(token))
        self.ended_by = self._ending(token)
        if self.ended_by is not None:
            self._pass_on(self._stream.end())

    def end(self) -> None:
        """Say that no token follows, unless the answer has ended: an engine may count the tokens in another way."""
        if self.ended_by is None:
            self.ended_by = self._at_limit
            self._pass_on(self._stream.end())

    def generated(self, seconds: float) -> Generated:
        """The answer, once it has ended."""
        assert self.ended_by is not None
        text = str(self._tokenizer.decode(self.tokens, skip_special_tokens=True))
        return Generated(text, self.ended_by, len(self.tokens), round(seconds, 3))

    def _pass_on(self, text: str) -> None:
        if text and self._on_text is not None:
            self._on_text(text)

    def _ending(self, token: int) -> Ending | None:
        if token in self._endings:
            return self._endings[token]
        if len(self.tokens) == self.limit:
            return self._at_limit
        return "cancelled" if self._is_cancelled is not None and self._is_cancelled() else None
