"""A model as a GGUF file: what the file says, and that llama.cpp computes what transformers does."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from bases import draw, published, write_base
from llama_cpp import LlamaCpp
from safetensors.torch import load_file, save_file
from tokenizers.normalizers import Lowercase
from transformers import AutoModelForCausalLM

from koki.config import ModelConfig
from koki.errors import ModelError
from koki.gguf.vocabulary import add_vocabulary
from koki.gguf.write import TYPES, About, size_of_gguf, write_gguf
from koki.model.merged import MergedWeights
from koki.model.source import find_base, load_tokenizer
from koki.tokens.template import ChatTemplate

SYSTEM = 'Kamu "Koki" {{ bukan }} {% kode %} \\ ayam 🍲.\nJawab singkat.'

TALK = [
    {"role": "user", "content": "Halo"},
    {"role": "assistant", "content": "Ya?"},
    {"role": "user", "content": "Soto"},
]

Write = Callable[..., Path]


def written(folder: Path, file_type: str, path: Path) -> Path:
    """The GGUF file of a folder of whole weights."""
    source, tokenizer = find_base(ModelConfig(name=str(folder))), load_tokenizer(folder)
    with MergedWeights(source) as weights:
        template, about = ChatTemplate(tokenizer, SYSTEM), About("Koki warung", "mit")
        write_gguf(path, weights, source, tokenizer, template, file_type=file_type, about=about)
    return path


@pytest.fixture(scope="module")
def f32(small_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(small_base, "f32", tmp_path_factory.mktemp("gguf") / "kecil-f32.gguf")


@pytest.fixture(scope="module")
def fields(f32: Path) -> dict[str, Any]:
    """What the file says of itself."""
    return {name: field.contents() for name, field in gguf.GGUFReader(f32).fields.items()}


def changed_base(small_base: Path, folder: Path, **settings: Any) -> Path:
    """The small base with other settings."""
    shutil.copytree(small_base, folder)
    config = json.loads((folder / "config.json").read_text("utf-8")) | settings
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors", metadata={"format": "pt"})


@pytest.fixture
def untied(small_base: Path, tmp_path: Path) -> Path:
    """A base whose head is not its embedding."""
    folder = changed_base(small_base, tmp_path / "untied", tie_word_embeddings=False)
    change_weights(folder, lambda there: there | {"lm_head.weight": there["model.embed_tokens.weight"].flip(1).clone()})
    return folder


def small(name: str, folder: Path, **settings: Any) -> Path:
    """A base by name with one of its layers and the vocabulary of the base that ships, as before training."""
    settings = {"vocab_size": 8200, "num_hidden_layers": 1, "eos_token_id": 8191} | settings
    write_base(name, folder, **settings)
    draw(published(name, **settings), scale=0.2).save_pretrained(folder)
    return folder


def greedy(folder: Path, prompt: list[int], tokens: int) -> str:
    """What transformers says after a prompt."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = model.generate(torch.tensor([prompt]), max_new_tokens=tokens, do_sample=False, repetition_penalty=1.0)
    return str(load_tokenizer(folder).decode(ids[0, len(prompt) :], skip_special_tokens=True))


def assert_says_the_same(folder: Path, path: Path, tokens: int = 24) -> None:
    prompt = ChatTemplate(load_tokenizer(folder), SYSTEM).prompt("Resep soto ayam dong!")
    with LlamaCpp(written(folder, "f32", path)) as llama:
        assert llama.complete(prompt, tokens) == greedy(folder, prompt, tokens)


def test_the_file_says_what_the_model_is(fields: dict[str, Any]) -> None:
    said = {name: fields[name] for name in fields if name.startswith("qwen2.")}
    assert said == {
        "qwen2.block_count": 2,
        "qwen2.context_length": 1024,
        "qwen2.embedding_length": 256,
        "qwen2.feed_forward_length": 704,
        "qwen2.attention.head_count": 4,
        "qwen2.attention.head_count_kv": 2,
        "qwen2.attention.key_length": 64,
        "qwen2.attention.value_length": 64,
        "qwen2.attention.layer_norm_rms_epsilon": pytest.approx(1e-6),
        "qwen2.vocab_size": 8192,
        "qwen2.rope.freq_base": 10000.0,
        "qwen2.rope.dimension_count": 64,
    }


def test_the_file_names_chef_licence_base_and_version(fields: dict[str, Any], small_base: Path) -> None:
    source = find_base(ModelConfig(name=str(small_base)))
    assert fields["general.name"] == "Koki warung"
    assert fields["general.license"] == "mit"
    assert fields["general.languages"] == ["id"]
    assert fields["general.base_model.0.name"] == "kecil"
    assert fields["general.base_model.0.version"] == source.revision
    assert fields["koki.version"]


def test_every_token_has_its_kind_and_the_stop_token_ends_an_answer(fields: dict[str, Any], small_base: Path) -> None:
    tokenizer = load_tokenizer(small_base)
    texts, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    assert texts == tokenizer.convert_ids_to_tokens(list(range(8192)))
    assert set(kinds[:8189]) == {gguf.TokenType.NORMAL}
    assert set(kinds[8189:]) == {gguf.TokenType.CONTROL}
    assert texts[fields["tokenizer.ggml.eos_token_id"]] == "<|im_end|>"
    assert texts[fields["tokenizer.ggml.padding_token_id"]] == "<|endoftext|>"
    assert fields["tokenizer.ggml.add_bos_token"] is False


def test_entries_of_the_embedding_without_a_token_are_marked_unused(small_base: Path, tmp_path: Path) -> None:
    folder = changed_base(small_base, tmp_path / "roomy", vocab_size=8200)
    name = "model.embed_tokens.weight"
    change_weights(folder, lambda there: there | {name: torch.cat([there[name], torch.zeros(8, 256)])})
    reader = gguf.GGUFReader(written(folder, "f32", tmp_path / "roomy.gguf"))
    assert reader.fields["tokenizer.ggml.token_type"].contents()[8192:] == [gguf.TokenType.UNUSED] * 8


def test_the_system_prompt_stands_in_the_chat_template(f32: Path, small_base: Path) -> None:
    tokenizer = load_tokenizer(small_base)
    with LlamaCpp(f32) as llama:
        for messages in (TALK[:1], TALK, [{"role": "system", "content": "Lain."}, *TALK]):
            whole = messages if messages[0]["role"] == "system" else [{"role": "system", "content": SYSTEM}, *messages]
            expected = tokenizer.apply_chat_template(whole, tokenize=False, add_generation_prompt=True)
            assert llama.rendered(messages) == expected


@pytest.mark.parametrize(("name", "ending"), [("0.6b", "<think>\n\n</think>\n\n"), ("sailor2-1b", "assistant\n")])
def test_a_base_is_told_kokis_system_prompt_instead_of_its_own_and_not_to_think(
    tmp_path: Path, name: str, ending: str
) -> None:
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16}
    folder = small(name, tmp_path / name, hidden_size=64, intermediate_size=96, **heads)
    with LlamaCpp(written(folder, "f16", tmp_path / "a.gguf")) as llama:
        for messages in (TALK[:1], TALK):
            expected = load_tokenizer(folder).apply_chat_template(
                [{"role": "system", "content": SYSTEM}, *messages],
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=False,
            )
            assert llama.rendered(messages) == expected
            assert expected.endswith(ending)


def test_llama_cpp_cuts_texts_as_the_tokenizer_does(f32: Path, small_base: Path) -> None:
    tokenizer = load_tokenizer(small_base)
    texts = [
        "Soto AYAM 1½ kg!!\n\n  ½ sdt",
        "naïve \u200b🍲👩‍🍳",
        "it's  DON'T 2025",
        "<|im_end|> a<|im_start|>",
        "\t\r\n x ",
    ]
    with LlamaCpp(f32) as llama:
        assert [llama.tokenize(text) for text in texts] == [tokenizer.encode(text) for text in texts]


def test_llama_cpp_says_what_transformers_says(small_base: Path, tmp_path: Path) -> None:
    assert_says_the_same(small_base, tmp_path / "a.gguf", tokens=80)


def test_a_head_of_its_own_is_written(untied: Path, tmp_path: Path) -> None:
    assert_says_the_same(untied, tmp_path / "a.gguf")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["0.6b", "sailor2-1b"])
def test_a_base_by_name_is_written_in_its_published_widths(name: str, tmp_path: Path) -> None:
    assert_says_the_same(small(name, tmp_path / name), tmp_path / "a.gguf")


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0},
        {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0},
        {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 256},
        {
            "rope_type": "yarn",
            "rope_theta": 10000.0,
            "factor": 4.0,
            "original_max_position_embeddings": 64,
            "attention_factor": 1.3,
            "beta_fast": 32.0,
        },
    ],
    ids=["linear", "dynamic", "yarn", "yarn with an attention factor"],
)
def test_positions_are_turned_as_the_model_has_it(small_base: Path, tmp_path: Path, rope: dict[str, Any]) -> None:
    folder = changed_base(small_base, tmp_path / "rope", rope_parameters=rope)
    assert_says_the_same(folder, tmp_path / "a.gguf", tokens=40)


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0},
        {"rope_type": "yarn", "factor": 8.0, "beta_slow": 2.0},
    ],
    ids=["llama3", "yarn with another beta"],
)
def test_positions_that_llama_cpp_does_not_know_are_an_error(
    small_base: Path, tmp_path: Path, rope: dict[str, Any]
) -> None:
    rope |= {"rope_theta": 10000.0, "original_max_position_embeddings": 256}
    folder = changed_base(small_base, tmp_path / "rope", rope_parameters=rope)
    with pytest.raises(ModelError, match=f"rope_type {rope['rope_type']}"):
        written(folder, "f32", tmp_path / "a.gguf")


def test_of_a_model_with_a_window_only_the_window_is_read(small_base: Path, tmp_path: Path) -> None:
    window = {"use_sliding_window": True, "sliding_window": 128, "max_window_layers": 1, "layer_types": None}
    folder = changed_base(small_base, tmp_path / "window", **window)
    reader = gguf.GGUFReader(written(folder, "f32", tmp_path / "a.gguf"))
    assert reader.fields["qwen2.context_length"].contents() == 128


def test_another_tokenizer_than_qwens_is_an_error(small_base: Path, tmp_path: Path) -> None:
    source, tokenizer = find_base(ModelConfig(name=str(small_base))), load_tokenizer(small_base)
    template = ChatTemplate(tokenizer, SYSTEM)
    tokenizer.backend_tokenizer.normalizer = Lowercase()
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", "qwen2")
    with pytest.raises(ModelError, match="does not know the tokenizer"):
        add_vocabulary(writer, tokenizer, template.stop_id, source.config.vocab_size)


@pytest.mark.parametrize("file_type", TYPES)
def test_a_type_rounds_matrices_and_nothing_else(small_base: Path, tmp_path: Path, file_type: str) -> None:
    reader = gguf.GGUFReader(written(small_base, file_type, tmp_path / "a.gguf"))
    there = load_file(small_base / "model.safetensors")
    for tensor in reader.tensors:
        is_flat = len(tensor.shape) == 1
        assert is_flat == (tensor.tensor_type.name.lower() != file_type) or file_type in ("f32", "q5_0", "q4_0")
    error = np.abs(_values(reader, "blk.0.ffn_up.weight") - there["model.layers.0.mlp.up_proj.weight"].float().numpy())
    assert error.max() <= {"f32": 0, "f16": 1e-4, "bf16": 0, "q8_0": 0.01, "q5_0": 0.1, "q4_0": 0.2}[file_type]
    assert np.array_equal(
        _values(reader, "blk.0.attn_q.bias"), there["model.layers.0.self_attn.q_proj.bias"].float().numpy()
    )


def _values(reader: gguf.GGUFReader, name: str) -> Any:
    tensor = next(tensor for tensor in reader.tensors if tensor.name == name)
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type)


def test_rows_that_are_no_whole_number_of_blocks_keep_16_bits(tmp_path: Path) -> None:
    folder = small("0.6b", tmp_path / "qwen3", hidden_size=64, intermediate_size=100)
    reader = gguf.GGUFReader(written(folder, "q4_0", tmp_path / "a.gguf"))
    kinds = {tensor.name: tensor.tensor_type.name for tensor in reader.tensors}
    assert (kinds["blk.0.ffn_down.weight"], kinds["blk.0.ffn_up.weight"]) == ("F16", "Q4_0")


def test_a_value_beyond_float16_is_an_error_that_names_another_type(small_base: Path, tmp_path: Path) -> None:
    folder = changed_base(small_base, tmp_path / "large")
    name = "model.layers.0.mlp.up_proj.weight"
    change_weights(folder, lambda there: there | {name: there[name] * 1e8})
    with pytest.raises(ModelError, match=r"mlp\.up_proj\.weight.*float16 cannot hold\.\n.*bf16"):
        written(folder, "f16", tmp_path / "a.gguf")


def test_the_size_is_known_before(small_base: Path, f32: Path) -> None:
    source = find_base(ModelConfig(name=str(small_base)))
    with MergedWeights(source) as weights:
        tensors = size_of_gguf(weights, source.config, "f32")
    assert tensors <= f32.stat().st_size < tensors + 400_000


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
