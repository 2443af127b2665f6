"""Checkpoints: found only when whole, published all at once, compared before they are used."""

import json
from pathlib import Path

import pytest

from koki.errors import CheckpointError
from koki.training.checkpoints import (
    SEAL,
    Checkpoint,
    find_newest,
    publish,
    require_same_run,
    staging_folder,
    write_json,
)

IDENTITY = {"seed": 42, "lora.r": 16}


def save(run: Path, step: int, keep: int = 2) -> Path:
    staging = staging_folder(run)
    staged = staging / f"checkpoint-{step}"
    staged.mkdir()
    (staged / "adapter_model.safetensors").write_bytes(bytes([step % 256]) * 100)
    (staged / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return publish(run, staged, IDENTITY, keep)


def test_the_newest_checkpoint_by_step_is_found(tmp_path: Path) -> None:
    for step in (500, 1000, 90):
        save(tmp_path, step, keep=9)
    newest = find_newest(tmp_path).newest
    assert newest is not None
    assert (newest.step, newest.identity) == (1000, IDENTITY)


@pytest.mark.parametrize("folder", ["leer", "tidak-ada"])
def test_where_there_is_none_none_is_found(tmp_path: Path, folder: str) -> None:
    (tmp_path / "leer").mkdir()
    assert find_newest(tmp_path / folder).newest is None


def test_the_newest_so_many_are_kept(tmp_path: Path) -> None:
    for step in (500, 1000, 1500):
        save(tmp_path, step, keep=2)
    assert {folder.name for folder in tmp_path.glob("checkpoint-*")} == {"checkpoint-1000", "checkpoint-1500"}


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda folder: (folder / SEAL).unlink(), "not written to the end"),
        (lambda folder: (folder / "trainer_state.json").unlink(), "trainer_state.json is missing"),
        (lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"short"), "another size"),
        (lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"x" * 100), "has changed"),
        (lambda folder: (folder / SEAL).write_text("{"), "seal cannot be read"),
        (lambda folder: (folder / SEAL).write_text("[]"), "seal cannot be read"),
    ],
)
def test_a_damaged_checkpoint_is_passed_over_for_the_next_older_with_a_reason(tmp_path, harm, says) -> None:  # type: ignore[no-untyped-def]
    save(tmp_path, 500)
    harm(save(tmp_path, 1000))
    search = find_newest(tmp_path)
    assert search.newest is not None
    assert search.newest.step == 500
    assert len(search.passed_over) == 1
    assert "checkpoint-1000" in search.passed_over[0]
    assert says in search.passed_over[0]
    assert (tmp_path / "checkpoint-1000").is_dir()


def test_a_checkpoint_that_is_still_being_written_is_none(tmp_path: Path) -> None:
    staged = staging_folder(tmp_path) / "checkpoint-500"
    staged.mkdir()
    (staged / "adapter_model.safetensors").write_bytes(b"half")
    assert find_newest(tmp_path).newest is None


def test_the_same_run_may_go_on(tmp_path: Path) -> None:
    require_same_run(Checkpoint(tmp_path, 1, IDENTITY), dict(IDENTITY))


def test_another_run_may_not_and_each_difference_is_named_with_old_and_new_value(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        require_same_run(Checkpoint(tmp_path, 1, IDENTITY), {"seed": 7, "lora.r": 8})
    assert "seed: 42 there, 7 now" in caught.value.what
    assert "lora.r: 16 there, 8 now" in caught.value.what
    assert "--fresh" in caught.value.how


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    write_json(file, {"a": 1})
    with pytest.raises(TypeError):
        write_json(file, {"a": object()})
    assert json.loads(file.read_text()) == {"a": 1}
