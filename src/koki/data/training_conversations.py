"""The conversations of a configuration as texts, as they are trained on."""

from collections.abc import Sequence
from typing import Any, NamedTuple, overload

from koki.config import RunConfig
from koki.data.build import build_dataset
from koki.dialogue.conversation import Kind
from koki.records import Records
from koki.tokens.dataset import ConversationDataset


class TrainingConversation(NamedTuple):
    """A question and its answer.

    Attributes:
        kind: what the question is about.
        question: behind the pages that are read before it, where there are such (``data.book_share``).
    """

    kind: Kind
    question: str
    answer: str


class TrainingConversations(Sequence[TrainingConversation], Records):
    """All conversations that a run trains on; the texts of each are made when it is asked for.

    Attributes:
        system: the system prompt, which stands before each of them.
    """

    def __init__(self, dataset: ConversationDataset) -> None:
        self._dataset = dataset
        self.system = dataset.system

    def __len__(self) -> int:
        return len(self._dataset)

    @overload
    def __getitem__(self, place: int) -> TrainingConversation: ...

    @overload
    def __getitem__(self, place: slice) -> list[TrainingConversation]: ...

    def __getitem__(self, place: int | slice) -> TrainingConversation | list[TrainingConversation]:
        numbers = range(len(self))[place]
        return self._texts(numbers) if isinstance(numbers, int) else [self._texts(number) for number in numbers]

    def __repr__(self) -> str:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in self._dataset.count_by_kind().items() if count)
        return f"<{len(self):,} conversations: {kinds}>"

    def to_dicts(self) -> list[dict[str, Any]]:
        """Each conversation as ``kind``, ``question`` and ``answer``."""
        return [conversation._asdict() for conversation in self]

    def _texts(self, number: int) -> TrainingConversation:
        return TrainingConversation(self._dataset.kind(number), *self._dataset.texts(number))


def conversations(config: RunConfig) -> TrainingConversations:
    """The conversations that a run with this configuration trains on: those that fit, with its base's tokenizer.

    A question about a recipe is as it is composed: how some are typed is drawn anew each epoch (``data.typing_noise``).

    Raises:
        KokiError: as `train`.

    >>> from koki import conversations, load_config
    >>> all_of_them = conversations(load_config(settings={"model.name": "mini", "data.files": ["resep.csv"]}))
    >>> all_of_them[0].question
    'Tolong berikan resep Soto Ayam.'
    """
    return TrainingConversations(build_dataset(config))
