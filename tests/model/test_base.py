"""The base: names, folders, families, pad token, k-bit, and errors that say how to go on."""

import json
import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from transformers import PreTrainedTokenizerBase

from koki.cli import options
from koki.config import LoraConfig, ModelConfig
from koki.errors import CheckpointError, ConfigError, ModelError
from koki.model.base import load_base, prepare_for_training
from koki.model.device import Device, detect_device
from koki.model.lora import add_adapter, enable_input_gradients, load_adapter, save_adapter, trainable_parameters
from koki.model.source import ALIASES, find_base, load_tokenizer, set_pad_token

CPU = Device("cpu", "CPU", 1, torch.float32, "no")


@pytest.fixture
def mini_copy(tmp_path: Path) -> Path:
    """A folder of one's own with the base that ships."""
    folder = tmp_path / "model-saya"
    shutil.copytree(find_base(ModelConfig(name="mini")).location, folder)
    return folder


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No network and an empty cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


def test_the_bases_by_name_are_instruct_models_of_the_qwen_families() -> None:
    assert ALIASES == {
        "0.5b": "Qwen/Qwen2.5-0.5B-Instruct",
        "1.5b": "Qwen/Qwen2.5-1.5B-Instruct",
        "3b": "Qwen/Qwen2.5-3B-Instruct",
        "0.6b": "Qwen/Qwen3-0.6B",
        "1.7b": "Qwen/Qwen3-1.7B",
        "sailor2-1b": "sail/Sailor2-1B-Chat",
    }


def test_help_settings_and_page_name_every_base_that_is_known_by_name() -> None:
    names = f"mini, {', '.join(ALIASES)}, "
    assert names in str(ModelConfig.model_fields["name"].description)
    assert names in get_args(options.Model)[1].help
    page = (Path(__file__).parents[2] / "docs" / "bases.md").read_text("utf-8")
    assert [name for name, location in ALIASES.items() if f"| `{name}` | {location} |" not in page] == []


def test_a_local_folder_is_a_base(mini_copy: Path) -> None:
    source = find_base(ModelConfig(name=str(mini_copy)))
    assert source.location == str(mini_copy)
    assert load_base(source, ModelConfig(), CPU).config.model_type == "qwen2"


@pytest.mark.parametrize(("name", "public"), [("model-saya", "model-saya"), ("mini", "./mini"), ("0.5B", "./0.5B")])
def test_a_folder_is_known_by_its_name_and_not_taken_for_a_base_that_koki_knows(
    mini_copy: Path, tmp_path: Path, name: str, public: str
) -> None:
    source = find_base(ModelConfig(name=str(mini_copy.rename(tmp_path / name))))
    assert source.public_name == public


def test_the_base_that_ships_is_known_by_its_name_however_it_is_named() -> None:
    source = find_base(ModelConfig(name="mini"))
    assert source.public_name == find_base(ModelConfig(name=source.location)).public_name == "mini"


def test_an_adapter_says_where_a_base_that_is_a_folder_lies_so_that_plain_peft_finds_it(
    mini_copy: Path, tmp_path: Path
) -> None:
    config = ModelConfig(name=str(mini_copy))
    save_adapter(add_adapter(load_base(find_base(config), config, CPU), LoraConfig()), tmp_path / "adapter")
    assert adapter_settings(tmp_path)["base_model_name_or_path"] == str(mini_copy)
    assert [file.name for file in (tmp_path / "adapter").iterdir() if file.suffix == ".md"] == []


def test_saving_an_adapter_asks_the_hub_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object) -> None:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr("peft.utils.save_and_load.check_file_exists_on_hf_hub", ask)
    config = ModelConfig(name="mini")
    save_adapter(add_adapter(load_base(find_base(config), config, CPU), LoraConfig()), tmp_path / "adapter")
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


def adapter_settings(folder: Path) -> Any:
    return json.loads((folder / "adapter" / "adapter_config.json").read_text("utf-8"))


@pytest.mark.parametrize("place", [0.0, 0.37, 0.73, 1.0])
def test_the_revision_of_a_folder_changes_with_any_byte_of_its_weights(mini_copy: Path, place: float) -> None:
    config, file = ModelConfig(name=str(mini_copy)), mini_copy / "model.safetensors"
    before = find_base(config).revision
    assert find_base(config).revision == before
    content = bytearray(file.read_bytes())
    content[round(place * (len(content) - 1 - 10_000)) + 10_000] ^= 1  # behind the header
    file.write_bytes(content)
    assert find_base(config).revision != before


def test_the_revision_of_a_folder_changes_with_its_configuration(mini_copy: Path) -> None:
    before = find_base(ModelConfig(name=str(mini_copy))).revision
    config = json.loads((mini_copy / "config.json").read_text("utf-8"))
    (mini_copy / "config.json").write_text(json.dumps(config | {"rope_theta": 1.0}), "utf-8")
    assert find_base(ModelConfig(name=str(mini_copy))).revision != before


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", ["0.5b", "sailor2-1b", "Qwen/Qwen2.5-1.5B-Instruct"])
def test_without_network_and_cache_the_error_says_how_to_go_on(name: str) -> None:
    with pytest.raises(ModelError, match="not in the local cache and cannot be downloaded") as caught:
        find_base(ModelConfig(name=name))
    assert "--model mini" in caught.value.how


@pytest.mark.parametrize("name", ["0.7b", "./tidak-ada", "a/b/c"])
def test_a_name_that_is_no_model_is_an_error_that_lists_the_names(name: str) -> None:
    with pytest.raises(ModelError, match="There is no model") as caught:
        find_base(ModelConfig(name=name))
    assert "mini, 0.5b, 1.5b, 3b, 0.6b, 1.7b, sailor2-1b;" in caught.value.how


def test_another_family_is_refused(mini_copy: Path) -> None:
    config = json.loads((mini_copy / "config.json").read_text())
    (mini_copy / "config.json").write_text(json.dumps(config | {"model_type": "llama"}))
    with pytest.raises(ModelError, match="llama"):
        find_base(ModelConfig(name=str(mini_copy)))


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_an_incomplete_folder_is_an_error_that_names_it(mini_copy: Path, file: str) -> None:
    (mini_copy / file).unlink()
    with pytest.raises(ModelError, match="model-saya cannot be loaded"):
        load_base(find_base(ModelConfig(name=str(mini_copy))), ModelConfig(), CPU)


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer(find_base(ModelConfig(name="mini")).location)


STOP = "<|im_end|>"


def stop_id(tokenizer: PreTrainedTokenizerBase) -> int:
    return tokenizer.get_vocab()[STOP]


@pytest.mark.parametrize("pad", [None, STOP])
def test_a_pad_token_that_is_missing_or_the_stop_token_becomes_another(
    tokenizer: PreTrainedTokenizerBase, pad: str | None
) -> None:
    tokenizer.pad_token = pad
    set_pad_token(tokenizer, stop_id(tokenizer))
    assert tokenizer.pad_token == "<|endoftext|>"
    assert tokenizer.pad_token_id != stop_id(tokenizer)


def test_a_pad_token_that_is_right_is_kept(tokenizer: PreTrainedTokenizerBase) -> None:
    tokenizer.pad_token = "<|im_start|>"
    set_pad_token(tokenizer, stop_id(tokenizer))
    assert tokenizer.pad_token == "<|im_start|>"


def test_the_cache_of_generation_is_off_in_training() -> None:
    config = ModelConfig(name="mini")
    base = load_base(find_base(config), config, CPU)
    prepare_for_training(base, config, gradient_checkpointing=False)
    assert base.config.use_cache is False


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without CUDA")
@pytest.mark.parametrize("kind", ["4bit", "8bit"])
def test_quantisation_without_cuda_is_an_error_that_says_so(kind: str) -> None:
    config = ModelConfig.model_validate({"name": "mini", "quantization": kind})
    with pytest.raises(ModelError, match="needs a CUDA GPU"):
        load_base(find_base(config), config, CPU)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", ["4bit", "8bit"])
def test_a_quantised_base_is_prepared_and_takes_an_adapter(kind: str) -> None:
    pytest.importorskip("bitsandbytes")
    config = ModelConfig.model_validate({"name": "mini", "quantization": kind})
    base = load_base(find_base(config), config, detect_device("auto"))
    prepare_for_training(base, config, gradient_checkpointing=True)
    norms = [parameter for name, parameter in base.named_parameters() if "norm" in name]
    assert all(norm.dtype == torch.float32 for norm in norms)
    assert trainable_parameters(add_adapter(base, LoraConfig()))[0] > 0


def test_a_base_to_be_quantised_has_its_norms_raised_to_float32() -> None:
    config = ModelConfig.model_validate({"name": "mini", "quantization": "4bit"})
    base = load_base(find_base(config), ModelConfig(name="mini"), Device("cpu", "CPU", 1, torch.bfloat16, "no"))
    prepare_for_training(base, config, gradient_checkpointing=True)
    norms = [parameter for name, parameter in base.named_parameters() if "norm" in name]
    assert {norm.dtype for norm in norms} == {torch.float32}


def test_a_base_that_is_not_quantised_keeps_its_dtype() -> None:
    config = ModelConfig(name="mini")
    base = load_base(find_base(config), config, Device("cpu", "CPU", 1, torch.bfloat16, "no"))
    prepare_for_training(base, config, gradient_checkpointing=True)
    assert {parameter.dtype for parameter in base.parameters()} == {torch.bfloat16}


@pytest.fixture
def base() -> Any:
    return load_base(find_base(ModelConfig(name="mini")), ModelConfig(name="mini"), CPU)


def test_the_adapter_sits_on_all_seven_projections_and_nothing_else_is_trained(base: Any) -> None:
    model = add_adapter(base, LoraConfig())
    trained = {name.split(".")[-4] for name, p in model.named_parameters() if p.requires_grad}
    assert trained == set(LoraConfig().target_modules)
    config: Any = model.peft_config["default"]
    assert (config.r, config.lora_alpha, config.lora_dropout, config.bias) == (16, 32, 0.05, "none")


def test_with_input_gradients_a_frozen_embedding_passes_gradients_on(base: Any) -> None:
    model = add_adapter(base, LoraConfig())
    ids = torch.tensor([[1, 2, 3]])
    assert not model.get_input_embeddings()(ids).requires_grad
    enable_input_gradients(model)
    assert model.get_input_embeddings()(ids).requires_grad


def test_a_target_module_that_is_not_there_is_an_error_that_names_it(base: Any) -> None:
    with pytest.raises(ModelError, match="c_attn"):
        add_adapter(base, LoraConfig(target_modules=("q_proj", "c_attn")))


def test_an_adapter_of_another_shape_is_an_error_not_a_crash(base: Any, tmp_path: Path, mini_copy: Path) -> None:
    add_adapter(base, LoraConfig()).save_pretrained(str(tmp_path / "adapter"))
    config = json.loads((mini_copy / "config.json").read_text())
    (mini_copy / "config.json").write_text(json.dumps(config | {"intermediate_size": 128}))
    (mini_copy / "model.safetensors").unlink()
    from transformers import AutoConfig, AutoModelForCausalLM

    smaller = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(mini_copy))
    with pytest.raises(CheckpointError, match="does not fit"):
        load_adapter(smaller, tmp_path / "adapter", trainable=True)


without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without CUDA")


@without_cuda
def test_fp16_without_cuda_is_an_error_that_says_so() -> None:
    with pytest.raises(ConfigError, match="needs CUDA"):
        detect_device("fp16")


@without_cuda
@pytest.mark.parametrize(("instructions", "dtype"), [("amx_bf16", torch.bfloat16), ("avx2", torch.float32)])
def test_the_best_precision_of_a_processor_is_the_one_it_has_instructions_for(
    instructions: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {instructions: True})
    assert detect_device("best").dtype == dtype
    assert detect_device("auto").dtype == torch.float32


@without_cuda
def test_bf16_on_a_processor_that_can_only_imitate_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False})
    with pytest.raises(ConfigError, match="ten times slower"):
        detect_device("bf16")


@pytest.mark.parametrize(
    ("device", "line"),
    [
        (Device("cpu", "CPU, 2 threads", 1, torch.float32, "no"), "CPU, 2 threads: base in float32, fp16 off"),
        (
            Device("cuda", "Tesla T4", 2, torch.float16, "fp16"),
            "2 x Tesla T4: base in float16, fp16 on, with loss scaling",
        ),
    ],
)
def test_the_device_and_what_follows_from_it_is_one_line(device: Device, line: str) -> None:
    assert device.describe() == line
