"""The weights of a base with an adapter merged in, tensor by tensor."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from koki.config import ModelConfig
from koki.errors import CheckpointError, ModelError
from koki.model.merged import MergedWeights
from koki.model.source import BaseSource, find_base
from koki.pipeline import TrainResult


@pytest.fixture(scope="module")
def mini() -> BaseSource:
    return find_base(ModelConfig(name="mini"))


@pytest.fixture
def adapter(finished_run: TrainResult, tmp_path: Path) -> Path:
    """An adapter that may be changed."""
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copy(finished_run.folder / name, tmp_path / name)
    return tmp_path


@pytest.mark.slow
def test_the_tensors_are_those_that_peft_merges(mini: BaseSource, finished_run: TrainResult) -> None:
    base = AutoModelForCausalLM.from_pretrained(mini.location, dtype=torch.float32)
    merged = PeftModel.from_pretrained(base, finished_run.folder).merge_and_unload().state_dict()
    with MergedWeights(mini, finished_run.folder) as weights:
        ours = dict(weights)
    assert ours.keys() == merged.keys() - {"lm_head.weight"}
    for name, tensor in ours.items():
        assert tensor.dtype == torch.float32
        torch.testing.assert_close(tensor, merged[name], rtol=0, atol=1e-6)


def test_a_tensor_that_is_asked_for_again_is_not_merged_twice(adapter: Path, small_base: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_base, tmp_path / "float32")
    there = load_file(folder / "model.safetensors")
    save_file({name: tensor.float() for name, tensor in there.items()}, folder / "model.safetensors")
    kept = load_file(adapter / "adapter_model.safetensors")
    first_two = {name: tensor + 1 for name, tensor in kept.items() if ".layers.0." in name or ".layers.1." in name}
    save_file(first_two, adapter / "adapter_model.safetensors")
    name = "model.layers.0.mlp.up_proj.weight"
    with MergedWeights(find_base(ModelConfig(name=str(folder))), adapter) as weights:
        first = weights.tensor(name).clone()
        assert torch.equal(weights.tensor(name), first)


def test_without_an_adapter_they_are_the_base_s(mini: BaseSource) -> None:
    there = load_file(mini.folder / "model.safetensors")
    with MergedWeights(mini) as weights:
        assert all(torch.equal(tensor, there[name].float()) for name, tensor in weights)


def test_a_base_in_several_files_is_read_by_its_index(small_base: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_base, tmp_path / "base")
    there = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    where = {name: f"model-{number % 2 + 1}-of-2.safetensors" for number, name in enumerate(there)}
    for file in set(where.values()):
        save_file({name: there[name] for name in there if where[name] == file}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}), "utf-8")
    with MergedWeights(find_base(ModelConfig(name=str(folder)))) as weights:
        assert all(torch.equal(tensor, there[name].float()) for name, tensor in weights)


def test_a_trained_bias_takes_the_place_of_the_base_s(mini: BaseSource, adapter: Path) -> None:
    tensors = load_file(adapter / "adapter_model.safetensors")
    bias = torch.arange(256.0)
    tensors["base_model.model.model.layers.0.self_attn.q_proj.base_layer.bias"] = bias
    save_file(tensors, adapter / "adapter_model.safetensors")
    with MergedWeights(mini, adapter) as weights:
        assert torch.equal(weights.tensor("model.layers.0.self_attn.q_proj.bias"), bias)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", (16, 8)),
        ("base_model.model.model.layers.99.self_attn.q_proj.lora_A.weight", (16, 256)),
        ("something.else", (1,)),
    ],
    ids=["other shape", "no such layer", "no such module"],
)
def test_an_adapter_of_another_base_is_refused(
    mini: BaseSource, adapter: Path, name: str, shape: tuple[int, ...]
) -> None:
    tensors = load_file(adapter / "adapter_model.safetensors") | {name: torch.zeros(shape)}
    save_file(tensors, adapter / "adapter_model.safetensors")
    with pytest.raises(CheckpointError, match=name):
        MergedWeights(mini, adapter)


def test_half_a_pair_is_refused(mini: BaseSource, adapter: Path) -> None:
    tensors = load_file(adapter / "adapter_model.safetensors")
    gone = "base_model.model.model.layers.0.mlp.up_proj.lora_B.weight"
    save_file({name: tensor for name, tensor in tensors.items() if name != gone}, adapter / "adapter_model.safetensors")
    with pytest.raises(CheckpointError, match=f"lacks {gone}"):
        MergedWeights(mini, adapter)


def test_a_base_that_lacks_a_tensor_is_named(small_base: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_base, tmp_path / "base")
    there = load_file(folder / "model.safetensors")
    del there["model.norm.weight"]
    save_file(there, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"model\.norm\.weight is missing"):
        MergedWeights(find_base(ModelConfig(name=str(folder))))


def test_a_base_that_was_saved_quantised_is_refused(small_base: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_base, tmp_path / "base")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelError, match="saved quantised"):
        MergedWeights(find_base(ModelConfig(name=str(folder))))
