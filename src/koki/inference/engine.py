"""What a chef needs of the program that runs its model: prompts go in as token ids, answers come out as text."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

MAX_NEW_TOKENS: Final = 768
"""Of an answer, unless somebody says otherwise. Of 50 suggestions by a chef of 0.5B, half had more than 512 of
Qwen2.5's tokens, and all that ended had at most 703."""

Ending = Literal["stop_token", "max_new_tokens", "context", "control_token", "cancelled"]
"""Why an answer is over: the model ended it itself, it reached the limit, it filled the context, the model broke it off
with a control token that ends no answer, or it was cancelled."""


@dataclass(frozen=True, slots=True)
class Generated:
    """The answer to one prompt.

    Attributes:
        text: without control tokens; blanks at its ends are kept.
        tokens: of the answer, the token that ended it included.
        seconds: of generation; answers that are generated side by side share the time evenly.
    """

    text: str
    ended_by: Ending
    tokens: int
    seconds: float


class Engine(Protocol):
    """A loaded model that generates answers, in the thread that asks it."""

    @property
    def name(self) -> str:
        """What it is called; of one that runs a file, with the file's name."""
        ...

    @property
    def context(self) -> int:
        """Tokens that the model reads: a prompt and its answer."""
        ...

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        temperature: float = 0.0,
        on_text: Callable[[int, str], object] | None = None,
        is_cancelled: Callable[[int], bool] | None = None,
    ) -> Generator[tuple[int, Generated], None, None]:
        """Yield each answer with the number of its prompt as soon as it is complete, the shortest prompts first.

        Closing the generator leaves the prompts that have not been started without an answer.

        Args:
            prompts: token ids, each prompt shorter than the context.
            max_new_tokens: where an answer that does not end is cut off; the end of the context if that comes first.
            temperature: 0 is greedy; above 0, tokens are drawn at random.
            on_text: called with the number of a prompt and the next piece of its answer, a word or so, as soon as the
                piece is there; the pieces joined are the answer's text.
            is_cancelled: called with the number of a prompt after each token that does not end its answer; True ends
                this answer with the tokens that it has, the others go on.
        """
        ...
