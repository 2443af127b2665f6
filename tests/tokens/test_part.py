"""Parts of a data set: each alone, and all of them together, whether in memory or in files."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from koki.config import ModelConfig, TokensConfig
from koki.dialogue.conversation import Conversation, Segment
from koki.model.source import find_base, load_tokenizer
from koki.tokens.dataset import ConversationDataset
from koki.tokens.part import ARRAYS, Part, PartFile
from koki.tokens.template import ChatTemplate

GROUPS = [
    [
        Conversation("simple", "Kamu Koki.", f"Resep soto {number}?", (Segment("Ini dia.\n\nRebus ayam."),)),
        Conversation("standard", "Kamu Koki.", f"Soto {number}?", (Segment(f"Rebus ayam {number} menit."),)),
    ]
    for number in range(5)
]


@pytest.fixture(scope="module")
def template() -> ChatTemplate:
    return ChatTemplate(load_tokenizer(find_base(ModelConfig(name="mini")).location), "Kamu Koki.")


def part_of(groups: list[list[Conversation]], template: ChatTemplate) -> Part:
    return Part.of(groups, template, 8192, TokensConfig())


def test_a_file_has_what_the_part_has(template: ChatTemplate, tmp_path: Path) -> None:
    part = part_of(GROUPS, template)
    part.write(tmp_path / "a.safetensors", words=["soto"])
    kept = PartFile(tmp_path / "a.safetensors")
    for name in ARRAYS:
        assert np.array_equal(kept.arrays[name][:], part.arrays[name])
    assert (kept.report, kept.digest, kept.facts()["words"]) == (part.report, part.digest, ["soto"])
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_part_without_conversations_can_be_kept(template: ChatTemplate, tmp_path: Path) -> None:
    part_of([], template).write(tmp_path / "a.safetensors")
    assert PartFile(tmp_path / "a.safetensors").arrays["group_starts"][:].tolist() == [0]


def test_another_process_opens_the_file_itself(template: ChatTemplate, tmp_path: Path) -> None:
    part_of(GROUPS, template).write(tmp_path / "a.safetensors")
    pickled = pickle.dumps(PartFile(tmp_path / "a.safetensors"))
    assert len(pickled) < 1000
    assert pickle.loads(pickled).digest == part_of(GROUPS, template).digest


@pytest.mark.parametrize("content", [b"", b"halo", bytes(100), b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_file_is_an_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.safetensors"):
        PartFile(tmp_path / "a.safetensors")


@pytest.mark.parametrize("cut", range(len(GROUPS) + 1))
def test_two_parts_have_the_examples_of_one(template: ChatTemplate, tmp_path: Path, cut: int) -> None:
    whole = ConversationDataset([part_of(GROUPS, template)], template, TokensConfig())
    part_of(GROUPS[:cut], template).write(tmp_path / "0.safetensors")
    parts: list[Part | PartFile] = [PartFile(tmp_path / "0.safetensors"), part_of(GROUPS[cut:], template)]
    both = ConversationDataset(parts, template, TokensConfig())
    assert len(both) == len(whole)
    for name in ("kinds", "read_pieces", "lengths", "group_starts"):
        assert getattr(both, name).tolist() == getattr(whole, name).tolist()
    for number in range(len(whole)):
        for name, numbers in whole[number].items():
            assert np.array_equal(both[number][name], numbers)
    assert both.report == whole.report
    with pytest.raises(IndexError):
        both[len(whole)]
