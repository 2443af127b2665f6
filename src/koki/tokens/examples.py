"""Conversations as a run trains on them: some of their questions typed as on a phone, another way each epoch."""

import random
from typing import Self

from torch.utils.data import Dataset

from koki.config import RunConfig
from koki.dialogue.conversation import RECIPE_KINDS
from koki.dialogue.phrasebook import load_phrasebook
from koki.dialogue.typist import Typist
from koki.dialogue.vocabulary import Vocabulary
from koki.tokens.batches import Drawn
from koki.tokens.dataset import ConversationDataset, Example


class TypedConversations(Dataset[Example]):
    """The examples of a data set, with questions that are typed anew each epoch; answers are as they are.

    Tips and refusals are asked as they are written, which is as people type already: each is seen a few times only, and
    with noise a small model did not learn what to decline.

    An example is a pure function of the seed, the epoch and its conversation: the same in every process and worker, and
    in a run that goes on.

    Args:
        share: of the questions about recipes that are typed as on a phone; 0 leaves all as they were composed.
    """

    def __init__(self, dataset: ConversationDataset, typist: Typist, share: float, seed: int) -> None:
        self._dataset, self._typist, self._share, self._seed = dataset, typist, share, seed

    @classmethod
    def of(cls, dataset: ConversationDataset, vocabulary: Vocabulary, config: RunConfig) -> Self:
        """What a run with this configuration trains on."""
        return cls(dataset, Typist(load_phrasebook(), vocabulary), config.data.typing_noise, config.seed)

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, drawn: Drawn) -> Example:
        """As `ConversationDataset`; where a typed question does not fit in the token limit, it is asked as composed."""
        if self._dataset.kind(drawn.number) not in RECIPE_KINDS:
            return self._dataset[drawn.number]
        question = self._dataset.question(drawn.number)
        draw = random.Random(f"{self._seed}:typing:{drawn.epoch}:{question}")
        if draw.random() >= self._share:
            return self._dataset[drawn.number]
        return self._dataset.asked(drawn.number, self._typist.type(question, draw))
