"""A tokenizer read from its files is the one that transformers reads, without the seconds that takes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from koki.config import ModelConfig
from koki.errors import ModelError
from koki.model.source import find_base, load_tokenizer
from koki.tokens.file_tokenizer import TextStream, read_tokenizer
from koki.tokens.template import ChatTemplate

SYSTEM = "Kamu Koki."


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer(find_base(ModelConfig(name="mini")).location)


@pytest.fixture(scope="module")
def saved(tokenizer: PreTrainedTokenizerBase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the folder of a run has it."""
    folder = tmp_path_factory.mktemp("run")
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def both(tokenizer: PreTrainedTokenizerBase, saved: Path) -> tuple[ChatTemplate, ChatTemplate]:
    return ChatTemplate(read_tokenizer(saved), SYSTEM), ChatTemplate(tokenizer, SYSTEM)


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "run"))


def test_its_template_has_the_ids_and_control_tokens_that_transformers_gives(
    both: tuple[ChatTemplate, ChatTemplate],
) -> None:
    light, full = both
    assert [ids.tolist() for ids in light.constants] == [ids.tolist() for ids in full.constants]
    assert light.control_tokens == full.control_tokens
    assert light.stop_id == full.stop_id
    assert light.cuts_as_qwen


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_prompts_are_the_same_to_the_id(both: tuple[ChatTemplate, ChatTemplate], question: str, answer: str) -> None:
    light, full = both
    assert light.prompt(question, [(question, answer)]) == full.prompt(question, [(question, answer)])


@given(st.data())
def test_the_pieces_of_a_stream_joined_are_the_text_of_all_ids(
    tokenizer: PreTrainedTokenizerBase, data: st.DataObject
) -> None:
    ids = data.draw(st.lists(st.integers(0, len(tokenizer) - 1)))
    stream = TextStream(tokenizer.backend_tokenizer)
    pieces = [*map(stream.put, ids), stream.end()]
    assert "".join(pieces) == tokenizer.decode(ids, skip_special_tokens=True)


def test_a_stream_passes_on_whole_words_and_no_part_of_a_character(tokenizer: PreTrainedTokenizerBase) -> None:
    backend = tokenizer.backend_tokenizer
    stream = TextStream(backend)
    pieces = [*map(stream.put, backend.encode("Soto 🍲 pedas<|im_end|>").ids), stream.end()]
    assert [piece for piece in pieces if piece] == ["Soto ", "🍲 ", "pedas"]


def test_a_template_in_the_settings_by_its_name_is_found(copy: Path) -> None:
    template = (copy / "chat_template.jinja").read_text("utf-8")
    (copy / "chat_template.jinja").unlink()
    forms = [{"name": "tool_use", "template": "x"}, {"name": "default", "template": template}]
    settings = json.loads((copy / "tokenizer_config.json").read_text("utf-8"))
    (copy / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": forms}), "utf-8")
    assert read_tokenizer(copy).get_chat_template() == template == load_tokenizer(copy).get_chat_template()


def test_without_a_chat_template_there_is_no_template(copy: Path) -> None:
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="no chat template"):
        ChatTemplate(read_tokenizer(copy), SYSTEM)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("content", [None, b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_missing_or_damaged_file_is_an_error_that_names_the_folder(
    copy: Path, name: str, content: bytes | None
) -> None:
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_bytes(content)
    with pytest.raises(ModelError, match=r"The tokenizer in .*run cannot be loaded"):
        read_tokenizer(copy)


def test_a_tokenizer_without_a_vocabulary_is_an_error(copy: Path) -> None:
    description = json.loads((copy / "tokenizer.json").read_text("utf-8"))
    description["model"] |= {"vocab": {}, "merges": []}
    (copy / "tokenizer.json").write_text(json.dumps(description), "utf-8")
    with pytest.raises(ModelError, match="has no vocabulary"):
        read_tokenizer(copy)


def test_a_prompt_is_made_without_torch_and_transformers(saved: Path) -> None:
    program = (
        "import sys; from pathlib import Path; import koki.cli.app, koki.inference.chef, koki.gguf.of_run; "
        "from koki.tokens.file_tokenizer import read_tokenizer; from koki.tokens.template import ChatTemplate; "
        "ChatTemplate(read_tokenizer(Path(sys.argv[1])), 'Kamu Koki.').prompt('Resep soto?'); "
        "print({'torch', 'transformers', 'peft', 'huggingface_hub'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, saved], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
