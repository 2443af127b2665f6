"""Examples as a run trains on them: questions typed anew each epoch, answers as they are."""

import pytest

from koki.config import ModelConfig, TokensConfig
from koki.data.build import load_template
from koki.dialogue.conversation import Conversation, Segment
from koki.dialogue.phrasebook import load_phrasebook
from koki.dialogue.typist import Typist
from koki.dialogue.vocabulary import Vocabulary
from koki.model.source import find_base
from koki.tokens.batches import Drawn
from koki.tokens.dataset import IGNORED, ConversationDataset
from koki.tokens.examples import TypedConversations

QUESTION = "Bagaimana cara membuat Rendang Daging?"
TYPIST = Typist(
    load_phrasebook(), Vocabulary(frozenset(QUESTION.lower().rstrip("?").split()), frozenset(), frozenset())
)


@pytest.fixture(scope="module")
def dataset() -> ConversationDataset:
    return dataset_of(512)


def dataset_of(max_length: int) -> ConversationDataset:
    tokenizer, template = load_template(find_base(ModelConfig(name="mini")).folder)
    answer = (Segment("Rebus daging.\n\nTumis bumbu."),)
    conversation = Conversation("simple", template.system, QUESTION, answer)
    return ConversationDataset.of([[conversation]], template, len(tokenizer), TokensConfig(max_length=max_length))


def asked(dataset: ConversationDataset, share: float, epoch: int) -> str:
    """The question of the only example in an epoch."""
    ids = TypedConversations(dataset, TYPIST, share, seed=1)[Drawn(0, epoch)]["input_ids"]
    (question,) = dataset.template.questions_in(ids)
    return question


def test_a_question_is_typed_another_way_each_epoch(dataset: ConversationDataset) -> None:
    questions = [asked(dataset, 1.0, epoch) for epoch in range(20)]
    assert len(set(questions)) > 10
    assert questions == [asked(dataset, 1.0, epoch) for epoch in range(20)]


def test_so_large_a_share_of_the_questions_is_typed(dataset: ConversationDataset) -> None:
    typed = [asked(dataset, 0.25, epoch) != QUESTION for epoch in range(400)]
    assert 0.15 < sum(typed) / len(typed) < 0.3


def test_without_noise_examples_are_those_of_the_data_set(dataset: ConversationDataset) -> None:
    example = TypedConversations(dataset, TYPIST, 0.0, seed=1)[Drawn(0, 3)]
    assert all((example[name] == ids).all() for name, ids in dataset[0].items())


def test_the_answer_is_the_same_however_the_question_is_typed(dataset: ConversationDataset) -> None:
    own = dataset[0]
    supervised = own["labels"][own["labels"] != IGNORED].tolist()
    examples = TypedConversations(dataset, TYPIST, 1.0, seed=1)
    for epoch in range(20):
        labels = examples[Drawn(0, epoch)]["labels"]
        assert labels[labels != IGNORED].tolist() == supervised


def test_a_typed_question_that_does_not_fit_is_asked_as_it_was_composed(dataset: ConversationDataset) -> None:
    just = int(dataset.lengths[0])
    tight = dataset_of(just)
    longer = [epoch for epoch in range(40) if length(dataset, epoch) > just]
    assert longer
    assert {asked(tight, 1.0, epoch) for epoch in longer} == {QUESTION}
    assert max(length(tight, epoch) for epoch in range(40)) <= just


def length(dataset: ConversationDataset, epoch: int) -> int:
    """The tokens of the only example in an epoch, its question typed."""
    return len(TypedConversations(dataset, TYPIST, 1.0, seed=1)[Drawn(0, epoch)]["input_ids"])
