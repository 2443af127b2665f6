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
class Sampling:
    """How the next token is chosen.

    Attributes:
        temperature: 0 is greedy, whatever else is said; above 0, tokens are drawn at random.
        top_p: drawn from the likeliest tokens that together have this probability.
        seed: the same one draws the same tokens again, as far as the engine adds up in the same order; None draws
            others each time.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None


GREEDY: Final = Sampling()


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
    """A loaded model that generates answers. Several threads may ask it at once: their answers come side by side."""

    @property
    def name(self) -> str:
        """What it is called; of one that runs a file, with the file's name."""
        ...

    @property
    def context(self) -> int:
        """Tokens that the model reads: a prompt and its answer."""
        ...

    @property
    def at_once(self) -> int:
        """Answers that it generates side by side; further ones wait."""
        ...

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        sampling: Sampling = GREEDY,
        on_text: Callable[[int, str], object] | None = None,
        is_cancelled: Callable[[int], bool] | None = None,
    ) -> Generator[tuple[int, Generated], None, None]:
        """Yield each answer with the number of its prompt as soon as it is complete, the shortest prompts first.

        Closing the generator leaves the prompts that have not been started without an answer.

        Args:
            prompts: token ids, each prompt shorter than the context.
            max_new_tokens: where an answer that does not end is cut off; the end of the context if that comes first.
            sampling: of all of them.
            on_text: called with the number of a prompt and the next piece of its answer, a word or so, as soon as the
                piece is there, perhaps in the thread of another who asks; the pieces joined are the answer's text.
            is_cancelled: called with the number of a prompt after each token that does not end its answer; True ends
                this answer with the tokens that it has, the others go on.
        """
        ...
