"""What is served, and how: what all parts of a server share."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from koki.serving.errors import ApiError
from koki.serving.metrics import Metrics
from koki.serving.served_run import ServedRun

LOG: Final = logging.getLogger("koki.serving")


@dataclass(slots=True)
class Service:
    """What is served.

    Attributes:
        runs: by their names; the first is asked where none is named.
        book: as `koki.Chef.ask`, where a request does not say it.
        takes_feedback: whether what people say of answers is kept.
        logs_questions: whether the log has the questions.
    """

    runs: Mapping[str, ServedRun]
    book: bool | None = None
    takes_feedback: bool = False
    logs_questions: bool = False
    metrics: Metrics = field(init=False)

    def __post_init__(self) -> None:
        self.metrics = Metrics(self.runs)

    def run(self, name: str | None = None) -> ServedRun:
        """The run of a name.

        Raises:
            ApiError: there is none.
        """
        found = next(iter(self.runs.values())) if name is None else self.runs.get(name)
        if found is None:
            names = ", ".join(self.runs)
            raise ApiError(404, f"There is no such model; here are: {names}.", param="model", code="model_not_found")
        return found
