"""The worked example in docs/design.md of how conversations are stored is what the code makes."""

import re
from pathlib import Path

import pytest

from koki.config import ModelConfig, TokensConfig
from koki.dialogue.conversation import Conversation, Kind, Segment
from koki.model.source import find_base, load_tokenizer
from koki.tokens.dataset import ConversationDataset
from koki.tokens.part import ARRAYS, Part
from koki.tokens.template import ChatTemplate

PICTURE = (Path(__file__).parents[2] / "docs" / "design.md").read_text("utf-8")
GROUPS: list[list[tuple[Kind, str, str]]] = [
    [("standard", "Soto?", "Ini dia.\n\nRebus ayam."), ("simple", "soto", "Ini dia.\n\nRebus ayam.")],
    [("tip", "Garam?", "Garam sedikit.")],
]


@pytest.fixture(scope="module")
def template() -> ChatTemplate:
    return ChatTemplate(load_tokenizer(find_base(ModelConfig(name="mini")).location), "Kamu Koki.")


@pytest.fixture(scope="module")
def part(template: ChatTemplate) -> Part:
    groups = [
        [Conversation(kind, "Kamu Koki.", question, (Segment(answer),)) for kind, question, answer in group]
        for group in GROUPS
    ]
    return Part.of(groups, template, 8192, TokensConfig())


def rows(pattern: str) -> list[tuple[str, ...]]:
    """The columns of each line of the picture that has the form."""
    return [found.groups() for line in PICTURE.splitlines() if (found := re.fullmatch(pattern, line))]


def integers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"-?\d+", text)]


def test_the_pieces_are_those_of_the_picture(part: Part) -> None:
    pieces = rows(r"(\d) {2,}(\S.*?) {2,}(\d[\d ]+?) {2,}(\d+)")
    arrays = part.arrays
    assert [int(number) for number, *_ in pieces] == list(range(len(arrays["token_ends"]) - 1))
    assert integers(" ".join(ids for *_, ids, _ in pieces)) == arrays["tokens"].tolist()
    assert [0, *(int(end) for *_, end in pieces)] == arrays["token_ends"].tolist()
    questions = [f"user\\n{question}" for group in GROUPS for _, question, _ in group]
    answers = [r"assistant\nIni dia.\n\n", "Rebus ayam.", r"assistant\nGaram sedikit."]
    assert [text for _, text, *_ in pieces] == [*questions, *answers]


@pytest.mark.parametrize("name", sorted({*ARRAYS} - {"tokens", "token_ends"}))
def test_the_arrays_are_those_of_the_picture(part: Part, name: str) -> None:
    [(numbers,)] = rows(rf"{name} ([ |\d]+?)  +[a-z].*")
    assert integers(numbers) == part.arrays[name].tolist()


def test_the_example_is_that_of_the_picture(part: Part, template: ChatTemplate) -> None:
    parts = rows(r"(?:piece \d|middle|tail) {2,}\S.*? {2,}([\d ]+?) {2,}([-\d ]+)")
    ids, labels = ([number for part in column for number in integers(part)] for column in zip(*parts, strict=True))
    example = ConversationDataset([part], template, TokensConfig())[0]
    assert ids == example["input_ids"][14:].tolist()
    assert labels == example["labels"][14:].tolist()
    assert (example["labels"][:14] == -100).all()


def test_each_number_takes_as_many_bytes_as_the_picture_says(part: Part) -> None:
    sizes = {name: numbers.itemsize for name, numbers in part.arrays.items()}
    ends = dict.fromkeys(("token_ends", "conversation_ends", "group_starts"), 8)
    assert sizes == {"tokens": 2, "conversations": 4, "lengths": 4, "read_pieces": 2, "kinds": 1, **ends}
