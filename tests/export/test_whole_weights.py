"""A run as whole weights: what transformers makes of the folder, and what is said before anything is written."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from koki.errors import ConfigError, ModelError, RunError
from koki.export.merged import export_merged
from koki.inference.chef import Chef
from koki.pipeline import TrainResult
from koki.runs.finished import read_run

QUESTION = "Resep soto ayam dong!"


@pytest.fixture(scope="module")
def run(finished_run: TrainResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with a system prompt of its own."""
    leave_out = shutil.ignore_patterns("checkpoint-*", "tensorboard")
    folder = shutil.copytree(finished_run.folder, tmp_path_factory.mktemp("runs") / "warung", ignore=leave_out)
    card = json.loads((folder / "training_metadata.json").read_text("utf-8"))
    card["system_prompt"] = 'Kamu "Bu Sri".\nMasak!'
    (folder / "training_metadata.json").write_text(json.dumps(card), "utf-8")
    return folder


@pytest.fixture(scope="module")
def merged(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("merged") / "warung"
    export_merged(read_run(run), folder, "float32")
    return folder


def test_the_chef_of_the_folder_gives_the_answers_of_the_run(run: Path, merged: Path) -> None:
    questions = [QUESTION, "Punya telur, bisa bikin apa?", "Orak-arik itu apa saja bahannya?"]
    of_run, of_folder = (
        [
            answer.answer
            for answer in Chef.load(folder, engine="transformers").ask(questions, max_new_tokens=40, book=False)
        ]
        for folder in (run, merged)
    )
    assert of_folder == of_run


def test_transformers_alone_gives_the_answer_of_the_run_and_stops_where_it_does(run: Path, merged: Path) -> None:
    model: Any = AutoModelForCausalLM.from_pretrained(merged)
    tokenizer: Any = AutoTokenizer.from_pretrained(merged)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    answer = model.generate(**prompt, max_new_tokens=40)[0, prompt["input_ids"].shape[1] :]
    chef = Chef.load(run, engine="transformers").ask(QUESTION, max_new_tokens=40, book=False)
    assert tokenizer.decode(answer, skip_special_tokens=True).strip() == chef.answer
    assert model.dtype == torch.float32
    assert model.generation_config.eos_token_id == tokenizer.convert_tokens_to_ids("<|im_end|>")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_what_is_merged_in_float32_is_rounded_once(run: Path, merged: Path, tmp_path: Path, dtype: str) -> None:
    size = export_merged(read_run(run), tmp_path / "warung", dtype)
    exact = load_file(merged / "model.safetensors")
    rounded = load_file(tmp_path / "warung" / "model.safetensors")
    assert size == sum(tensor.nbytes for tensor in rounded.values())
    assert all(torch.equal(rounded[name], exact[name].to(getattr(torch, dtype))) for name in exact)
    assert json.loads((tmp_path / "warung" / "config.json").read_text("utf-8"))["dtype"] == dtype


def test_large_weights_are_cut_into_files_that_transformers_puts_together(
    run: Path, merged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("koki.export.merged._LARGEST_FILE", 9_000_000)
    export_merged(read_run(run), tmp_path / "warung", "float32")
    assert len(list((tmp_path / "warung").glob("model-*-of-*.safetensors"))) > 1
    parts: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "warung")
    whole: Any = AutoModelForCausalLM.from_pretrained(merged)
    assert all(torch.equal(tensor, whole.state_dict()[name]) for name, tensor in parts.state_dict().items())


def test_all_files_may_be_read_by_the_same_people(merged: Path) -> None:
    assert len({file.stat().st_mode for file in merged.iterdir()}) == 1


def test_the_folder_names_no_folder_of_this_machine(merged: Path) -> None:
    texts = [file.read_text("utf-8") for file in merged.iterdir() if file.suffix in (".json", ".md", ".jinja")]
    assert not [text for text in texts if str(merged.parent) in text or str(Path.home()) in text]


def too_large(run: Path, tmp_path: Path) -> Path:
    """The run with an adapter whose product is beyond what float16 holds."""
    folder = shutil.copytree(run, tmp_path / "besar")
    file = folder / "adapter_model.safetensors"
    save_file({name: tensor + 1000 for name, tensor in load_file(file).items()}, file)
    return folder


def test_a_value_that_float16_cannot_hold_is_an_error_that_names_bfloat16(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--dtype bfloat16"):
        export_merged(read_run(too_large(run, tmp_path)), tmp_path / "warung", "float16")
    assert not (tmp_path / "warung").exists()
    assert not list(tmp_path.glob(".new-*"))


def test_an_export_that_fails_leaves_the_earlier_one(run: Path, tmp_path: Path) -> None:
    export_merged(read_run(run), tmp_path / "warung", "float16")
    before = (tmp_path / "warung" / "model.safetensors").read_bytes()
    with pytest.raises(ModelError):
        export_merged(read_run(too_large(run, tmp_path)), tmp_path / "warung", "float16")
    assert (tmp_path / "warung" / "model.safetensors").read_bytes() == before


def test_a_folder_that_is_no_earlier_export_is_left_alone(run: Path, tmp_path: Path) -> None:
    (tmp_path / "resep.csv").write_text("Title\n", "utf-8")
    for folder in (tmp_path, run):
        with pytest.raises(ConfigError, match="is not what this command writes"):
            export_merged(read_run(run), folder, "float32")
    assert (tmp_path / "resep.csv").is_file()


def test_an_unknown_dtype_is_answered_with_the_nearest(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"(?s)'flaot16'. Did you mean float16.*float32, float16, bfloat16"):
        export_merged(read_run(run), tmp_path / "warung", "flaot16")


def test_a_disk_without_room_is_said_before_anything_is_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(run)._replace(free=1_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(RunError, match="1 MB are free"):
        export_merged(read_run(run), tmp_path / "warung", "float32")
    assert list(tmp_path.iterdir()) == []
