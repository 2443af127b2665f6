"""What a chef said, what it had read before, and what of it stands in the book."""

from dataclasses import asdict, dataclass
from typing import Any

from koki.answers.check import Check, Source, line_of, source_of
from koki.book.reading import Reading
from koki.inference.engine import Ending


@dataclass(frozen=True, slots=True)
class Answer:
    """What the chef said.

    Attributes:
        answer: without blanks at its ends.
        ended_by: why it is over, see `koki.inference.engine.Ending`.
        tokens: of the answer, the token that ended it included; 0 where no model was asked (`koki.dialogue.certain`).
        seconds: of generation; answers that are generated side by side share the time evenly.
        reading: what was read before; None where the chef answered from memory.
        check: what of the answer stands in the book; None where nothing was read.
        prompt_tokens: what the model read, 0 where none was asked.
    """

    question: str
    answer: str
    ended_by: Ending
    tokens: int
    seconds: float
    reading: Reading | None = None
    check: Check | None = None
    prompt_tokens: int = 0

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the recipes stand that were read."""
        return tuple(map(source_of, self.reading.pages)) if self.reading else ()

    @property
    def where_it_stands(self) -> str:
        """In one line which recipe the answer was read from, and what in it differs; empty where nothing was read."""
        return line_of(self.check, self.reading) if self.check and self.reading else ""

    @property
    def stopped(self) -> bool:
        """Whether the model ended the answer itself."""
        return self.ended_by == "stop_token"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready.

        Returns:
            ``question``, ``answer``, ``stopped``, ``ended_by``, ``tokens`` and ``seconds`` as the attributes;
            ``sources``, each with ``title``, ``file``, ``line`` and ``sheet``; and ``check``, see `Check.as_dict`, or
            None.
        """
        return {
            "question": self.question,
            "answer": self.answer,
            "stopped": self.stopped,
            "ended_by": self.ended_by,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "sources": [asdict(source) for source in self.sources],
            "check": self.check.as_dict() if self.check else None,
        }
