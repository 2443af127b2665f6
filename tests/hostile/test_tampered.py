"""Folders of others and folders that somebody wrote in: no code of theirs is run, and absurd values are an error."""

import ast
import json
import os
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import printed
from rich.console import Console
from safetensors.torch import load_file, save_file
from torch_helpers import assert_same_end

import koki
from koki.config import ModelConfig, RunConfig
from koki.errors import CheckpointError, KokiError, ModelError, RunError
from koki.inference.chef import Chef
from koki.model.base import load_base
from koki.model.device import detect_device
from koki.model.lora import load_adapter
from koki.model.source import find_base, load_tokenizer
from koki.pipeline import TrainResult, train
from koki.runs.checkpoints import SEAL, find_newest, write_seal
from koki.tokens import sandbox
from koki.tokens.template import ChatTemplate

MakeConfig = Callable[..., RunConfig]
SOURCES = sorted(Path(koki.__file__).parent.rglob("*.py"))


# ------------------------------------------------------------------------------------------------- code of others


def test_no_module_unpickles_evaluates_or_trusts_remote_code() -> None:
    assert len(SOURCES) > 40
    for file in SOURCES:
        tree = ast.parse(file.read_text("utf-8"))
        imported = {
            name.name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for name in node.names
        }
        if file.name != "workers.py":  # it talks to a process that it has started, over a pipe that no one else holds
            assert not imported & {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}, file
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            options = {option.arg: ast.unparse(option.value) for option in call.keywords}
            assert name not in {"eval", "exec", "yaml.unsafe_load", "yaml.full_load"}, file
            assert options.get("trust_remote_code", "False") == "False", file
            assert name != "torch.load" or options.get("weights_only") == "True", file
            assert name != "np.load" or options.get("allow_pickle", "False") == "False", file


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A copy of the base that ships, to write in."""
    return Path(shutil.copytree(find_base(ModelConfig(name="mini")).location, tmp_path / "dasar"))


def change(file: Path, **values: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | values), "utf-8")


def load_all(folder: Path) -> None:
    config = ModelConfig(name=str(folder))
    source = find_base(config)
    ChatTemplate(load_tokenizer(str(folder)), "Kamu Koki.")
    load_base(source, config, detect_device("no"))


@pytest.mark.parametrize("model_type", ["qwen2", "jahat"])
def test_code_in_a_base_folder_is_never_run(base: Path, tmp_path: Path, model_type: str) -> None:
    trace = tmp_path / "dijalankan"
    code = f"open({str(trace)!r}, 'w')\nclass Config: pass\nclass Model: pass\nclass Tokenizer: pass\n"
    for name in ("modeling_jahat.py", "configuration_jahat.py", "tokenization_jahat.py"):
        (base / name).write_text(code, "utf-8")
    auto = {"AutoConfig": "configuration_jahat.Config", "AutoModelForCausalLM": "modeling_jahat.Model"}
    change(base / "config.json", auto_map=auto, model_type=model_type)
    change(base / "tokenizer_config.json", auto_map={"AutoTokenizer": ["tokenization_jahat.Tokenizer", None]})
    try:
        load_all(base)
    except ModelError:
        assert model_type == "jahat"
    assert not trace.exists()


# ------------------------------------------------------------------------------------------------- absurd values


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("config.json", {"hidden_size": -1}),
        ("config.json", {"hidden_size": 10**12}),
        ("config.json", {"num_attention_heads": 0}),
        ("config.json", {"num_hidden_layers": "banyak"}),
        ("config.json", {"vocab_size": 10**15}),
        ("config.json", {"hidden_act": "jahat"}),
        ("config.json", {"model_type": ["qwen2"]}),
        ("tokenizer.json", {"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}),
        ("tokenizer.json", {"model": None}),
        ("tokenizer.json", {"added_tokens": 3}),
        ("tokenizer_config.json", {"tokenizer_class": 3}),
    ],
    ids=str,
)
def test_absurd_values_in_a_base_folder_are_an_error(base: Path, file: str, values: dict[str, object]) -> None:
    change(base / file, **values)
    with pytest.raises(ModelError):
        load_all(base)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"[" * 100_000, b'{"a": 1', b"\xff" * 64])
def test_a_file_of_a_base_that_is_no_such_file_is_an_error(base: Path, file: str, content: bytes) -> None:
    (base / file).write_bytes(content)
    with pytest.raises(ModelError):
        load_all(base)


def test_a_base_without_a_vocabulary_is_an_error_and_not_a_model_that_reads_nothing(base: Path) -> None:
    (base / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="has no vocabulary"):
        load_tokenizer(str(base))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_pipe_in_a_base_folder_is_not_waited_for(base: Path, name: str) -> None:
    (base / name).unlink()
    os.mkfifo(base / name)
    with pytest.raises(ModelError, match="is a pipe or a device"):
        find_base(ModelConfig(name=str(base)))


@pytest.mark.parametrize(
    "text", ["{% for %}", "{{ 1/0 }}", "{{ raise_exception('tidak') }}", "{{ messages.__class__.__mro__ }}"]
)
def test_a_chat_template_that_fails_or_reaches_out_is_an_error(base: Path, text: str) -> None:
    (base / "chat_template.jinja").write_text(text, "utf-8")
    with pytest.raises(ModelError):
        ChatTemplate(load_tokenizer(str(base)), "Kamu Koki.")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}"
        "{% endfor %}{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ (7 ** 99999999) | string }}",
        "{% set n = namespace(x=3) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    ],
    ids=["loops", "macro", "power", "power as text", "squares"],
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not limit the time of a process")
def test_a_chat_template_without_an_end_is_an_error(base: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_LONGEST_RENDERING", 2)  # seconds, of ten
    (base / "chat_template.jinja").write_text(text, "utf-8")
    with pytest.raises(ModelError, match=r"does not end within 2 seconds|more than 512 MB"):
        ChatTemplate(load_tokenizer(str(base)), "Kamu Koki.")


def test_a_chat_template_is_not_waited_for_by_the_clock_either(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_LONGEST_WAIT", 0.3)
    (base / "chat_template.jinja").write_text(
        "{% for a in range(99999) %}{{ range(99999) | sum }}{% endfor %}", "utf-8"
    )
    with pytest.raises(ModelError, match="does not end"):
        ChatTemplate(load_tokenizer(str(base)), "Kamu Koki.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ 'x' * 10000000000 }}", "more than 512 MB of memory"),
        ("{{ 'x' | center(10000000000) }}", "more than 512 MB of memory"),
        ("{{ '%10000000000d' % 1 }}", "more than 512 MB of memory"),
        ("{{ '{:10000000000}'.format(1) }}", "more than 512 MB of memory"),
        ("{{ messages | tojson(indent=10000000000) }}", "more than 512 MB of memory"),
        ("{% set n = namespace(x='x') %}{% for i in range(50) %}{% set n.x = n.x ~ n.x %}{% endfor %}", "512 MB"),
        ("{{ range(99999) | join('x' * 10000) }}", "more than 512 MB of memory"),
        ("{{ 'x' * 2000000 }}", "makes 2,000,000 characters"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_a_chat_template_that_makes_something_huge_is_an_error(base: Path, text: str, says: str) -> None:
    (base / "chat_template.jinja").write_text(text, "utf-8")
    with pytest.raises(ModelError, match=says):
        ChatTemplate(load_tokenizer(str(base)), "Kamu Koki.")


@pytest.fixture
def run(finished_run: TrainResult, tmp_path: Path) -> Path:
    """A copy of a finished run, to write in."""
    return Path(shutil.copytree(finished_run.folder, tmp_path / "run"))


@pytest.mark.parametrize(
    "card",
    [
        [],
        {},
        {"base_model": 3},
        {"base_model": {"revision": "None"}},
        {"settings": []},
        {"system_prompt": None},
        {"settings": {}},
        {"settings": {"model.name": "mini", "model.quantization": 3}},
        {"data": {"files": [3]}},
    ],
    ids=str,
)
def test_an_absurd_run_card_is_an_error_that_names_it(run: Path, card: Any) -> None:
    file = run / "training_metadata.json"
    if card:
        change(file, **card)
    else:
        file.write_text(json.dumps(card), "utf-8")
    with pytest.raises(RunError, match=r"training_metadata\.json"):
        Chef.load(run)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("name", ["training_metadata.json", "tokenizer.json", "adapter_model.safetensors"])
def test_a_pipe_in_a_run_folder_is_not_waited_for(run: Path, name: str) -> None:
    (run / name).unlink()
    os.mkfifo(run / name)
    with pytest.raises(KokiError, match=name):
        Chef.load(run)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("adapter_config.json", b"{}"),
        ("adapter_config.json", b'{"peft_type": "LORA", "r": "besar", "target_modules": ["q_proj"]}'),
        ("adapter_model.safetensors", b"\xff" * 100),
        ("adapter_model.safetensors", b""),
        ("tokenizer.json", b"{}"),
    ],
)
def test_a_tampered_adapter_or_tokenizer_is_an_error(run: Path, file: str, content: bytes) -> None:
    (run / file).write_bytes(content)
    with pytest.raises(KokiError):
        Chef.load(run)


def put_on_base(run: Path) -> None:
    config = ModelConfig(name="mini")
    load_adapter(load_base(find_base(config), config, detect_device("no")), run, trainable=True)


A_LAYER = "base_model.model.model.layers.0."


@pytest.mark.parametrize(
    ("change_of", "says"),
    [
        (lambda it: {name.replace("lora_A", "lora_C"): tensor for name, tensor in it.items()}, "lacks base_model"),
        (lambda it: {name: tensor for name, tensor in it.items() if A_LAYER not in name}, "lacks .* and 11 more"),
        (lambda it: it | {f"{A_LAYER}lora_A.weight": torch.zeros(16, 4)}, "has .*, which the model has not"),
        (lambda it: it | {next(iter(it)): torch.zeros(16, 4)}, "instead of"),
        (lambda _: {}, "lacks .* more"),
    ],
    ids=["renamed", "a layer is missing", "one too many", "another shape", "empty"],
)
def test_an_adapter_with_other_tensors_than_the_model_takes_is_an_error_that_names_them(
    run: Path, change_of: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]], says: str
) -> None:
    file = run / "adapter_model.safetensors"
    save_file(change_of(load_file(file)), file)
    with pytest.raises(CheckpointError, match=says):
        put_on_base(run)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"init_lora_weights": "pissa"}, "init_lora_weights is 'pissa'"),
        ({"r": 10**6}, "its rank is 1000000"),
        ({"r": 0}, "r is 0"),
        ({"target_modules": ".*_proj"}, "target_modules is '.*_proj'"),
        ({"target_modules": ["q_proj"]}, "which the model has not"),
        ({"target_modules": ["jahat"]}, "names jahat"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save is"),
        ({"use_dora": True}, "use_dora is True"),
        ({"rank_pattern": {"q_proj": 2}}, "rank_pattern is"),
        ({"layers_to_transform": [0]}, "layers_to_transform is"),
        ({"peft_type": "IA3"}, "peft_type is 'IA3'"),
        ({"cara_baru": True}, "cara_baru is True"),
    ],
    ids=str,
)
def test_an_adapter_of_another_kind_is_an_error_that_names_the_setting(
    run: Path, values: dict[str, object], says: str
) -> None:
    change(run / "adapter_config.json", **values)
    with pytest.raises(CheckpointError, match=says):
        put_on_base(run)


# --------------------------------------------------------------------------------------------------- checkpoints


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "trainer_state.json"])
def test_a_changed_file_of_a_checkpoint_fails_its_hash(run: Path, name: str) -> None:
    file = run / "checkpoint-12" / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    search = find_newest(run)
    assert search.damaged[0].flaw == f"{name} has changed since it was saved"
    assert search.newest is not None
    assert search.newest.step == 6


@pytest.mark.slow
def test_an_unknown_file_in_a_checkpoint_is_never_loaded_and_costs_no_step(
    finished_run: TrainResult, short_config: MakeConfig, console: Console, tmp_path: Path
) -> None:
    """transformers would take a model.safetensors for the base, a scaler.pt for the loss scaler's; peft a subfolder."""
    run = tmp_path / "run"
    shutil.copytree(finished_run.folder, run)
    shutil.rmtree(run / "checkpoint-12")
    (run / "adapter_model.safetensors").unlink()  # a run without its result goes on
    checkpoint = run / "checkpoint-6"
    base = load_file(Path(find_base(ModelConfig(name="mini")).location) / "model.safetensors")
    save_file(
        {f"base_model.model.{name}": 0 * tensor for name, tensor in base.items()}, checkpoint / "model.safetensors"
    )
    unknown = {"scaler.pt", "adapter_model.bin", "optimizer.bin", "rng_state.pth", "training_args.bin"}
    for name in unknown - {file.name for file in checkpoint.iterdir()}:  # of fp16 training, a scaler is part
        (checkpoint / name).write_bytes(pickle.dumps(Path))
    shutil.copytree(checkpoint, checkpoint / "lain")
    (checkpoint / "additional_chat_templates").mkdir()
    (checkpoint / "additional_chat_templates" / "default.jinja").write_text("jahat")
    train(short_config(), console)
    assert "not saved with checkpoint-6: adapter_model.bin, additional_chat_templates, lain, " in printed(console)
    assert "kept in checkpoint-6.unknown-1" in printed(console)
    assert_same_end(run, finished_run.folder)


@pytest.mark.slow
@pytest.mark.parametrize("state", ["{", "[]", "{}", '{"global_step": -1}', '{"global_step": 1e999, "max_steps": 3}'])
def test_an_absurd_state_is_an_error_even_under_a_true_seal(
    run: Path, short_config: MakeConfig, console: Console, state: str
) -> None:
    checkpoint = run / "checkpoint-12"
    (checkpoint / "trainer_state.json").write_text(state, "utf-8")
    write_seal(checkpoint, json.loads((checkpoint / SEAL).read_text("utf-8"))["identity"])
    with pytest.raises(CheckpointError, match=r"trainer_state\.json cannot be used"):
        train(short_config(output=run), console)
    assert "Damaged" not in printed(console)
