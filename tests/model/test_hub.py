"""A base on the hub is one commit, through the library's own cache, with and without a hub that answers."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hub import NEW, NOBODY, OLD, REPOSITORY, fill_cache, serving, use_hub

from koki import hub
from koki.config import LoraConfig, ModelConfig
from koki.errors import ModelError
from koki.model.base import load_base
from koki.model.device import Device
from koki.model.hub import find_on_hub
from koki.model.lora import add_adapter, name_base, save_adapter
from koki.model.source import find_base, load_tokenizer

CPU = Device("cpu", "CPU", 1, torch.float32, "no")
NAMED = ModelConfig(name=REPOSITORY)


@pytest.fixture
def answering(small_base: Path, newer_base: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub that has an old and a new commit."""
    with serving({OLD: small_base, NEW: newer_base}) as address:
        use_hub(address, monkeypatch)
        yield


@pytest.mark.parametrize("says_offline", [False, True], ids=["no network", "HF_HUB_OFFLINE"])
def test_without_a_hub_the_revision_is_the_commit_that_the_cache_has(
    hub_cache: Path, small_base: Path, monkeypatch: pytest.MonkeyPatch, says_offline: bool
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", says_offline)
    fill_cache(hub_cache, small_base, OLD)
    source = find_base(NAMED)
    assert (source.location, source.revision, source.is_folder) == (REPOSITORY, OLD, False)
    assert load_base(source, NAMED, CPU).config.num_hidden_layers == 2
    assert load_tokenizer(source.folder).vocab_size > 256


def test_a_base_that_was_fetched_by_its_name_is_found_where_the_hub_is_out_of_reach(
    hub_cache: Path, small_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving({OLD: small_base}) as address:
        use_hub(address, monkeypatch)
        load_base(find_base(NAMED), NAMED, CPU)
    assert (hub_cache / "models--dapur--model-saya" / "refs" / "main").read_text() == OLD
    use_hub(NOBODY, monkeypatch)
    assert find_base(NAMED).revision == OLD


def test_the_recorded_commit_is_found_beside_a_newer_one(hub_cache: Path, small_base: Path, newer_base: Path) -> None:
    fill_cache(hub_cache, small_base, OLD)
    fill_cache(hub_cache, newer_base, NEW)
    assert find_base(NAMED).revision == NEW
    source = find_base(ModelConfig(name=REPOSITORY, revision=OLD))
    assert (source.revision, source.config.max_position_embeddings) == (OLD, 1024)


@pytest.mark.usefixtures("hub_cache", "answering")
@pytest.mark.parametrize(("revision", "commit"), [(None, NEW), ("main", NEW), (OLD, OLD)])
def test_a_hub_that_answers_says_the_commit_and_gives_its_files(revision: str | None, commit: str) -> None:
    source = find_base(ModelConfig(name=REPOSITORY, revision=revision))
    assert (source.revision, source.folder.name) == (commit, commit)
    assert not (source.folder / "model.safetensors").exists()  # weights are fetched when they are loaded
    assert load_base(source, NAMED, CPU).config.max_position_embeddings == (512 if commit == NEW else 1024)


def test_a_commit_that_the_cache_has_whole_is_not_asked_for(
    hub_cache: Path, small_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_PATIENCE", 60.0)
    snapshot = fill_cache(hub_cache, small_base, OLD)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_hub(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        silent.settimeout(0.01)
        source = find_base(ModelConfig(name=REPOSITORY, revision=OLD))
        load_base(source, NAMED, CPU)
        assert (source.folder, source.revision) == (snapshot, OLD)
        with pytest.raises(TimeoutError):
            silent.accept()


@pytest.mark.usefixtures("hub_cache", "answering")
@pytest.mark.parametrize("missing", ["model.safetensors", "tokenizer.json"])
def test_what_is_missing_of_a_commit_in_the_cache_is_fetched(hub_cache: Path, small_base: Path, missing: str) -> None:
    snapshot = fill_cache(hub_cache, small_base, OLD)
    (snapshot / missing).unlink()
    load_base(find_base(ModelConfig(name=REPOSITORY, revision=OLD)), NAMED, CPU)
    assert (snapshot / missing).is_file()


def test_a_commit_whose_weights_are_in_several_files_is_whole_only_with_all_of_them(
    hub_cache: Path, small_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_asked_commit", _no_hub)
    snapshot = fill_cache(hub_cache, small_base, OLD)
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = {"weight_map": {"a": shards[0], "b": shards[1]}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    (snapshot / shards[0]).touch()
    assert find_on_hub(REPOSITORY, OLD).unreachable == "no network"
    (snapshot / shards[1]).touch()
    assert find_on_hub(REPOSITORY, OLD).unreachable is None


@pytest.mark.usefixtures("hub_cache", "answering")
def test_a_revision_that_the_hub_does_not_have_is_an_error() -> None:
    with pytest.raises(ModelError, match="cannot be downloaded"):
        find_base(ModelConfig(name=REPOSITORY, revision="tidak-ada"))


def test_a_cache_whose_main_names_no_commit_is_an_error(hub_cache: Path, small_base: Path) -> None:
    fill_cache(hub_cache, small_base, "None")
    with pytest.raises(ModelError, match="is not in the local cache"):
        find_base(NAMED)


def test_weights_that_are_neither_there_nor_to_be_had_are_an_error(hub_cache: Path, small_base: Path) -> None:
    (fill_cache(hub_cache, small_base, OLD) / "model.safetensors").unlink()
    source = find_base(NAMED)
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        load_base(source, NAMED, CPU)


def test_a_hub_that_accepts_and_says_nothing_is_given_up(
    hub_cache: Path, small_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_PATIENCE", 0.3)
    fill_cache(hub_cache, small_base, OLD)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_hub(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        started = time.monotonic()
        assert find_base(NAMED).revision == OLD
        load_base(find_base(NAMED), NAMED, CPU)
    assert time.monotonic() - started < 5


def test_an_adapter_names_the_base_by_its_id_and_commit(hub_cache: Path, small_base: Path, tmp_path: Path) -> None:
    fill_cache(hub_cache, small_base, OLD)
    source = find_base(NAMED)
    model = add_adapter(load_base(source, NAMED, CPU), LoraConfig())
    name_base(model, source)
    save_adapter(model, tmp_path / "adapter")
    settings = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text("utf-8"))
    assert (settings["base_model_name_or_path"], settings["revision"]) == (REPOSITORY, OLD)


def _no_hub(*_: object) -> None:
    raise OSError("no network")
