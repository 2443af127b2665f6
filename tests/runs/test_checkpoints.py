"""Checkpoints: found only when whole, published all at once, compared before they are used."""

import json
import os
from pathlib import Path

import pytest
from helpers import IDENTITY, save_checkpoint

from koki.errors import CheckpointError
from koki.files import free_name, write_json
from koki.runs.checkpoints import (
    SEAL,
    STAGING,
    differences,
    find_best,
    find_newest,
    rotate,
    set_aside,
    set_unknown_files_aside,
    staging,
    write_seal,
)


def names(run: Path) -> set[str]:
    return {entry.name for entry in run.iterdir()}


def test_the_newest_checkpoint_by_step_is_found(tmp_path: Path) -> None:
    for step in (500, 1000, 90):
        save_checkpoint(tmp_path, step, keep=9)
    newest = find_newest(tmp_path).newest
    assert newest is not None
    assert (newest.step, newest.identity) == (1000, IDENTITY)


@pytest.mark.parametrize("folder", ["leer", "tidak-ada"])
def test_where_there_is_none_none_is_found(tmp_path: Path, folder: str) -> None:
    (tmp_path / "leer").mkdir()
    assert find_newest(tmp_path / folder).newest is None


def test_the_newest_so_many_are_kept(tmp_path: Path) -> None:
    for step in (500, 1000, 1500):
        save_checkpoint(tmp_path, step, keep=2)
    assert names(tmp_path) == {"checkpoint-1000", "checkpoint-1500"}


def test_the_best_is_kept_beside_them_however_old_it_is(tmp_path: Path) -> None:
    for step in (500, 1000, 1500):
        save_checkpoint(tmp_path, step, keep=9)
    with staging(tmp_path):
        rotate(tmp_path, tmp_path / "checkpoint-1500", keep=1, best=tmp_path / "checkpoint-500")
    assert names(tmp_path) == {"checkpoint-500", "checkpoint-1500"}


def test_the_newest_may_be_the_best(tmp_path: Path) -> None:
    for step in (500, 1000, 1500):
        save_checkpoint(tmp_path, step, keep=9)
    with staging(tmp_path):
        rotate(tmp_path, tmp_path / "checkpoint-1500", keep=2, best=tmp_path / "checkpoint-1500")
    assert names(tmp_path) == {"checkpoint-1000", "checkpoint-1500"}


def test_the_best_is_the_whole_one_with_the_lowest_loss_of_equal_ones_the_earlier(tmp_path: Path) -> None:
    for step in (500, 1000, 1500):
        save_checkpoint(tmp_path, step, keep=9)
    losses = {0: 0.5, 500: 3.0, 1000: 2.0, 1500: 2.0}
    best = find_best(tmp_path, losses)
    assert best is not None
    assert best.step == 1000
    (tmp_path / "checkpoint-1000" / SEAL).unlink()
    best = find_best(tmp_path, losses)
    assert best is not None
    assert best.step == 1500
    assert find_best(tmp_path, {0: 0.5}) is None


def test_none_is_deleted_before_the_newest_is_whole(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 500, keep=1)
    newest = save_checkpoint(tmp_path, 1000, keep=2)
    (newest / "trainer_state.json").write_text("{}")
    with staging(tmp_path), pytest.raises(CheckpointError, match=r"trainer_state\.json has another size"):
        rotate(tmp_path, newest, keep=1)
    assert names(tmp_path) == {"checkpoint-500", "checkpoint-1000"}


def test_a_damaged_one_of_a_later_step_never_displaces_the_one_just_written(tmp_path: Path) -> None:
    (save_checkpoint(tmp_path, 1000) / SEAL).unlink()
    save_checkpoint(tmp_path, 500, keep=1)
    assert names(tmp_path) == {"checkpoint-500"}


def test_a_whole_checkpoint_of_the_same_step_and_run_stays_where_it_is(tmp_path: Path) -> None:
    file = save_checkpoint(tmp_path, 500) / "adapter_model.safetensors"
    before = file.stat().st_ino
    save_checkpoint(tmp_path, 500)
    assert file.stat().st_ino == before
    assert names(tmp_path) == {"checkpoint-500"}


def test_a_damaged_checkpoint_of_the_same_step_is_set_aside_for_the_new_one(tmp_path: Path) -> None:
    (save_checkpoint(tmp_path, 500) / SEAL).unlink()
    save_checkpoint(tmp_path, 500)
    assert names(tmp_path) == {"checkpoint-500", "checkpoint-500.damaged-1"}
    assert find_newest(tmp_path).damaged == ()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda folder: (folder / SEAL).unlink(), "not written to the end"),
        (lambda folder: (folder / "trainer_state.json").unlink(), "trainer_state.json is missing"),
        (lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"short"), "another size"),
        (lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"x" * 100), "has changed"),
        (
            lambda folder: (folder / "trainer_state.json").unlink() or (folder / "trainer_state.json").mkdir(),
            "no longer",
        ),
        (lambda folder: (folder / SEAL).write_text("{"), "seal cannot be read"),
        (lambda folder: (folder / SEAL).write_text("[]"), "seal cannot be read"),
        (lambda folder: (folder / SEAL).write_text("[" * 100_000), "seal cannot be read"),
        (lambda folder: (folder / SEAL).write_text('{"identity": 1, "files": {}}'), "names no run"),
    ],
)
def test_a_damaged_checkpoint_is_passed_over_for_the_next_older_with_a_reason(tmp_path, harm, says) -> None:  # type: ignore[no-untyped-def]
    save_checkpoint(tmp_path, 500)
    harm(save_checkpoint(tmp_path, 1000))
    search = find_newest(tmp_path)
    assert search.newest is not None
    assert search.newest.step == 500
    (damaged,) = search.damaged
    assert damaged.folder == tmp_path / "checkpoint-1000"
    assert says in damaged.flaw


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("name", [SEAL, "kosong"])
def test_a_pipe_in_place_of_a_file_is_a_damage_and_not_waited_for(tmp_path: Path, name: str) -> None:
    folder = save_checkpoint(tmp_path, 500)
    (folder / "kosong").touch()  # a pipe has no size, so only here it is not a wrong one
    write_seal(folder, IDENTITY)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    search = find_newest(tmp_path)
    assert search.newest is None
    assert len(search.damaged) == 1


def test_what_was_not_saved_with_a_checkpoint_is_moved_out_of_it_but_for_notes_of_the_system(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, 500)
    before = names(folder)
    for name in ("model.safetensors", ".DS_Store", "lain/adapter_model.safetensors", ".lain/adapter_model.bin"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    (folder / "jauh").symlink_to(tmp_path)
    newest = find_newest(tmp_path).newest
    assert newest is not None
    unknown, aside = set_unknown_files_aside(newest)
    assert sorted(unknown) == [".lain", "jauh", "lain", "model.safetensors"]
    assert aside == tmp_path / "checkpoint-500.unknown-1"
    assert names(aside) == set(unknown)
    assert names(folder) == before | {".DS_Store"}
    assert set_unknown_files_aside(newest) == ([], None)
    assert find_newest(tmp_path).newest == newest


def test_no_byte_of_a_seal_can_change_unnoticed(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, 500)
    content = (folder / SEAL).read_bytes()
    before = json.loads(content)
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        (folder / SEAL).write_bytes(changed)
        if not find_newest(tmp_path).damaged:
            assert json.loads(changed) == before  # a blank became another
            assert content[place : place + 1].isspace()


def test_what_was_set_aside_is_kept_under_another_name_and_not_found_again(tmp_path: Path) -> None:
    for number in (1, 2):
        (save_checkpoint(tmp_path, 500) / SEAL).unlink()
        assert set_aside(tmp_path / "checkpoint-500") == tmp_path / f"checkpoint-500.damaged-{number}"
    assert (tmp_path / "checkpoint-500.damaged-1" / "adapter_model.safetensors").exists()
    assert find_newest(tmp_path).damaged == ()


def test_a_checkpoint_that_is_still_being_written_is_none_and_makes_way_for_the_next(tmp_path: Path) -> None:
    staged = tmp_path / STAGING / "checkpoint-500"
    staged.mkdir(parents=True)
    (staged / "adapter_model.safetensors").write_bytes(b"half")
    assert find_newest(tmp_path).newest is None
    save_checkpoint(tmp_path, 500)
    assert names(tmp_path) == {"checkpoint-500"}


def test_all_of_it_is_on_the_disk_before_it_has_its_name_and_the_name_too_before_an_older_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, 500)
    flushed: list[int | str] = []
    flush, rename = os.fsync, os.rename

    def flushing(descriptor: int) -> None:
        flush(descriptor)
        flushed.append(os.fstat(descriptor).st_ino)

    def renaming(old: Path, new: Path) -> None:
        rename(old, new)
        flushed.append(Path(new).name)

    monkeypatch.setattr(os, "fsync", flushing)
    monkeypatch.setattr(os, "rename", renaming)
    newest = save_checkpoint(tmp_path, 1000, keep=1)
    named, gone = flushed.index("checkpoint-1000"), flushed.index("checkpoint-500")
    assert {entry.stat().st_ino for entry in (newest, *newest.iterdir())} <= set(flushed[:named])
    assert tmp_path.stat().st_ino in flushed[named:gone]


def test_a_run_folder_that_was_removed_is_not_made_again_for_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save_checkpoint(tmp_path / "hilang", 500)


def test_a_free_name_is_one_that_nothing_has(tmp_path: Path) -> None:
    (tmp_path / "x.old-1").touch()
    assert free_name(tmp_path / "x", "old") == tmp_path / "x.old-2"


def test_the_same_run_differs_in_nothing() -> None:
    assert differences(IDENTITY, dict(IDENTITY)) == []


def test_of_another_run_each_difference_is_named_with_old_and_new_value() -> None:
    found = differences(IDENTITY, {"seed": 7, "lora.r": 8, "not known yet": 1})
    assert found == ["seed: 42 there, 7 now", "lora.r: 16 there, 8 now"]


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    write_json(file, {"a": 1})
    with pytest.raises(TypeError):
        write_json(file, {"a": object()})
    assert json.loads(file.read_text()) == {"a": 1}
