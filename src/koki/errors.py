"""Every error Koki raises on purpose.

    KokiError                    what went wrong, where, and how to mend it
    ├── ConfigError              a setting is unknown, of the wrong type or out of range
    ├── DataError                a recipe file cannot be used
    │   └── RecipeFileNotFound   ... because it is not there (also a FileNotFoundError)
    ├── ModelError               a base model or tokenizer cannot be loaded or does not fit
    ├── CheckpointError          a checkpoint is damaged or belongs to another run
    ├── TrainingError            training started and could not go on
    ├── RunError                 a folder is not a finished run
    ├── BookError                a book of recipes cannot be read or written
    ├── HubError                 the Hugging Face hub cannot be reached, or refuses
    ├── ProofError               an exported file does not say what its run says
    ├── WorkerError              a process that did part of the work died
    ├── EmptyQuestion            a question has no words
    └── QuestionTooLong          a question has more tokens than the model reads

The command line prints the message without a traceback; ``--debug`` shows it.
"""

import copyreg
from typing import Any

from koki.language import _


class KokiError(Exception):
    """What went wrong, where, and how to mend it.

    Args:
        what: one sentence that names the file, row, column or setting.
        how: how to mend it, one sentence; may be empty.
    """

    def __init__(self, what: str, how: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.how = how

    def __str__(self) -> str:
        return f"{self.what}\n{self.how}" if self.how else self.what

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is, also where a kind of error is made from other arguments than these."""
        return copyreg.__newobj__, (type(self),), {"args": self.args, **self.__dict__}  # type: ignore[attr-defined]


class ConfigError(KokiError):
    """A setting is unknown, of the wrong type or out of range."""


class DataError(KokiError):
    """A recipe file cannot be used."""


class RecipeFileNotFound(DataError, FileNotFoundError):
    """A recipe file is not there."""


class ModelError(KokiError):
    """A base model or tokenizer cannot be loaded or does not fit."""


class CheckpointError(KokiError):
    """A checkpoint is damaged or belongs to another run."""


class TrainingError(KokiError):
    """Training started and could not go on."""


class RunError(KokiError):
    """A folder is not a finished run."""


class BookError(KokiError):
    """A book of recipes cannot be read or written, or has not what is asked for."""


class HubError(KokiError):
    """The Hugging Face hub cannot be reached, or refuses."""


class ProofError(KokiError):
    """An exported file does not say what its run says."""


class WorkerError(KokiError):
    """A process that did part of the work died."""


class EmptyQuestion(KokiError):
    """A question has no words."""

    def __init__(self) -> None:
        super().__init__(_("An empty question has no answer."), _('Ask something, such as "Resep soto ayam dong!"'))


class QuestionTooLong(KokiError):
    """A question has more tokens than the model reads.

    Attributes:
        tokens: number of tokens of the question, with the system prompt.
        context: number of tokens that the model reads.
    """

    def __init__(self, question: str, tokens: int, context: int) -> None:
        super().__init__(
            _(
                "The question {question!r} ... has {tokens:,} tokens; the model reads {context:,}.",
                question=question[:40],
                tokens=tokens,
                context=context,
            ),
            _("Ask a shorter one."),
        )
        self.tokens = tokens
        self.context = context
