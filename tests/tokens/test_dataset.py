"""Examples: nothing cut, the answer and its stop token supervised."""

from collections.abc import Callable

import numpy as np
import pytest
from transformers import PreTrainedTokenizerBase

from koki.config import ModelConfig, TokensConfig
from koki.dialogue.conversation import Conversation, Segment
from koki.errors import DataError
from koki.model.source import find_base, load_tokenizer
from koki.tokens.dataset import IGNORED, ConversationDataset
from koki.tokens.template import ChatTemplate

MakeDataset = Callable[..., ConversationDataset]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer(find_base(ModelConfig(name="mini")).location)


@pytest.fixture(scope="module")
def make_dataset(tokenizer: PreTrainedTokenizerBase) -> MakeDataset:
    template = ChatTemplate(tokenizer, "Kamu Koki.")

    def make(groups: list[list[Conversation]], **tokens: object) -> ConversationDataset:
        return ConversationDataset.of(groups, template, len(tokenizer), TokensConfig.model_validate(tokens))

    return make


def conversation(question: str, body: str, *, tip: str = "", courtesy: str = "") -> Conversation:
    segments = [Segment(body), Segment(tip, "extra"), Segment(courtesy, "courtesy")]
    return Conversation("simple", "Kamu Koki.", question, tuple(s for s in segments if s.text))


def stored_tokens(dataset: ConversationDataset) -> int:
    return sum(len(part.arrays["tokens"][:]) for part in dataset.parts)


def test_the_answer_and_its_stop_token_are_supervised_and_nothing_else(
    make_dataset: MakeDataset, tokenizer: PreTrainedTokenizerBase
) -> None:
    example = make_dataset([[conversation("Resep soto?", "Rebus ayam.")]])[0]
    supervised = example["input_ids"][example["labels"] != IGNORED]
    assert tokenizer.decode(supervised) == "Rebus ayam.<|im_end|>"
    assert np.array_equal(example["labels"][example["labels"] != IGNORED], supervised)


def test_with_loss_on_all_every_token_is_supervised(make_dataset: MakeDataset) -> None:
    example = make_dataset([[conversation("Resep soto?", "Rebus ayam.")]], loss_on="all")[0]
    assert np.array_equal(example["labels"], example["input_ids"])


def test_an_answer_that_is_too_long_loses_courtesy_then_tip_and_keeps_its_stop_token(
    make_dataset: MakeDataset, tokenizer: PreTrainedTokenizerBase
) -> None:
    long = conversation("Resep?", "Rebus ayam.", tip="Tips: " + "pelan " * 20, courtesy="Selamat " * 10)
    whole = int(make_dataset([[long]]).lengths[0])
    without_courtesy = make_dataset([[long]], max_length=whole - 1)
    assert "Tips: pelan" in tokenizer.decode(without_courtesy[0]["input_ids"])
    body_only = make_dataset([[long]], max_length=int(without_courtesy.lengths[0]) - 1)
    text = tokenizer.decode(body_only[0]["input_ids"])
    assert "Rebus ayam.<|im_end|>" in text
    assert "Tips" not in text
    assert body_only.report.shortened["simple"] == 1


def test_a_body_that_does_not_fit_is_left_out_and_counted(make_dataset: MakeDataset) -> None:
    long = conversation("Resep?", "Rebus ayam. " * 50)
    short = conversation("Resep?", "Rebus ayam.")
    dataset = make_dataset([[long, short], [short]], max_length=64)
    assert len(dataset) == 2
    assert dataset.report.left_out["simple"] == 1
    assert dataset.report.groups_too_long == 1
    assert list(dataset.group_starts) == [0, 1, 2]


def test_an_answer_whose_recipe_does_not_fit_is_given_without_it_and_counted(make_dataset: MakeDataset) -> None:
    recipe = Segment("Rebus ayam. " * 50)
    brief = (Segment("Soto. Mau resepnya?"),)
    suggestion = Conversation("inquiry", "Kamu Koki.", "Ayam?", (Segment("Soto."), recipe), brief=brief)
    dataset = make_dataset([[suggestion], [conversation("Resep?", "Rebus ayam.")]], max_length=64)
    assert dataset.texts(0) == ("Ayam?", "Soto. Mau resepnya?")
    report = dataset.report
    assert (report.without_recipe["inquiry"], report.shortened["inquiry"], report.left_out["inquiry"]) == (1, 0, 0)
    assert (report.groups_not_whole, report.groups_too_long) == (1, 0)


def test_every_conversation_is_whole_or_shortened_or_without_recipe_or_left_out(make_dataset: MakeDataset) -> None:
    groups = [[conversation(f"Resep {n}?", "Rebus ayam. " * n, courtesy="Selamat " * 9)] for n in range(1, 30)]
    dataset = make_dataset(groups, max_length=64)
    report, whole = dataset.report, len(groups) - dataset.report.groups_not_whole
    parts = (report.shortened, report.without_recipe, report.left_out)
    assert report.composed["simple"] == whole + sum(counts["simple"] for counts in parts)
    assert len(dataset) == report.composed["simple"] - report.left_out["simple"]


def test_the_length_that_the_report_names_keeps_all_whole(make_dataset: MakeDataset) -> None:
    groups = [[conversation(f"Resep {n}?", "Rebus ayam. " * n, courtesy="Selamat " * 9)] for n in range(1, 30)]
    longest = make_dataset(groups, max_length=64).report.longest
    assert make_dataset(groups, max_length=longest).report.groups_not_whole == 0


def test_a_recipe_without_conversations_of_a_kind_is_told(make_dataset: MakeDataset) -> None:
    dataset = make_dataset([[conversation("Resep?", "Rebus ayam.")]])
    assert dataset.report.unsupported == {"recommendation": 1, "inquiry": 1}


def test_when_nothing_fits_the_error_says_how_many_tokens_would(make_dataset: MakeDataset) -> None:
    with pytest.raises(DataError, match="Not one conversation fits in 16 tokens") as caught:
        make_dataset([[conversation("Resep?", "Rebus ayam. " * 9)]], max_length=16)
    assert "tokens.max_length=" in caught.value.how


def test_lengths_are_those_of_the_examples(make_dataset: MakeDataset) -> None:
    dataset = make_dataset([[conversation(f"Resep {n}?", "Rebus ayam. " * n) for n in range(1, 9)]])
    assert [len(dataset[number]["input_ids"]) for number in range(len(dataset))] == dataset.lengths.tolist()


def test_an_answer_that_several_questions_share_is_stored_once(make_dataset: MakeDataset) -> None:
    answer = "Rebus ayam. " * 20
    one = make_dataset([[conversation("Resep?", answer)]])
    two = make_dataset([[conversation("Resep?", answer), conversation("Resep?", answer)]])
    assert stored_tokens(two) - stored_tokens(one) < 10


def test_equal_data_sets_have_equal_digests_and_others_have_not(make_dataset: MakeDataset) -> None:
    groups = [[conversation("Resep soto?", "Rebus ayam.")]]
    assert make_dataset(groups).digest() == make_dataset(groups).digest()
    assert make_dataset(groups).digest() != make_dataset([[conversation("Resep soto?", "Rebus itik.")]]).digest()


READ = (
    "Buku resep:\n\nResep Soto:\n\nRebus ayam.\n\nResep Sop:\n\nRebus tulang.",
    "Buku resep:\n\nResep Soto:\n\nRebus ayam.",
)


def with_book(question: str, body: str, read: tuple[str, ...] = READ) -> Conversation:
    return conversation(question, body)._replace(read=read)


def test_what_is_read_stands_before_the_question_and_is_not_supervised(
    make_dataset: MakeDataset, tokenizer: PreTrainedTokenizerBase
) -> None:
    example = make_dataset([[with_book("Resep soto?", "Rebus ayam.")]])[0]
    messages = [
        {"role": "system", "content": "Kamu Koki."},
        {"role": "user", "content": f"{READ[0]}\n\nPertanyaan: Resep soto?"},
        {"role": "assistant", "content": "Rebus ayam."},
    ]
    assert tokenizer.decode(example["input_ids"]) == tokenizer.apply_chat_template(messages, tokenize=False)
    assert tokenizer.decode(example["input_ids"][example["labels"] != IGNORED]) == "Rebus ayam.<|im_end|>"


def test_the_ids_of_what_is_read_are_those_of_the_prompt_that_a_chef_asks_with(make_dataset: MakeDataset) -> None:
    dataset = make_dataset([[with_book("Resep soto?", "Rebus ayam.")]])
    prompt = dataset.template.prompt("Pertanyaan: Resep soto?", read=READ[0])
    assert dataset[0]["input_ids"][: len(prompt)].tolist() == prompt


def test_a_recipe_on_a_page_shares_its_pieces_with_the_answer_that_gives_it(make_dataset: MakeDataset) -> None:
    texts = ("Buku resep:\n\nResep Soto:\n\nRebus ayam.\n\nAngkat.",)
    apart = make_dataset([[with_book("Soto?", "Ini dia.\n\nLain.\n\nSajikan.", texts)]])
    shared = make_dataset([[with_book("Soto?", "Ini dia.\n\nRebus ayam.\n\nAngkat.", texts)]])
    assert stored_tokens(shared) < stored_tokens(apart)


def test_what_is_read_is_given_in_a_shorter_version_where_the_whole_does_not_fit(make_dataset: MakeDataset) -> None:
    whole = int(make_dataset([[with_book("Resep soto?", "Rebus ayam.")]]).lengths[0])
    dataset = make_dataset([[with_book("Resep soto?", "Rebus ayam.")]], max_length=whole - 1)
    assert dataset.texts(0)[0] == f"{READ[1]}\n\nPertanyaan: Resep soto?"
    assert dataset.report.shortened == {"simple": 1}


def test_a_conversation_whose_answer_needs_more_than_fits_is_left_out_and_counted(make_dataset: MakeDataset) -> None:
    fitting = conversation("Resep?", "Rebus.")
    dataset = make_dataset([[fitting, with_book("Resep soto?", "Rebus ayam.", READ[:1])]], max_length=32)
    assert dataset.report.left_out == {"simple": 1}
    assert len(dataset) == 1


def test_a_question_behind_what_is_read_is_told_apart_from_it(make_dataset: MakeDataset) -> None:
    dataset = make_dataset([[with_book("Resep soto?", "Rebus ayam.")]])
    assert dataset.question(0) == "Resep soto?"
    asked = dataset.asked(0, "resep soto dong")
    assert dataset.template.questions_in(asked["input_ids"]) == [f"{READ[0]}\n\nPertanyaan: resep soto dong"]
