"""The GGUF files of a run: made when they are first wanted, and again when the run has changed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
from safetensors.torch import load_file, save_file

from koki.errors import RunError
from koki.gguf.of_run import gguf_of_run, read_record
from koki.pipeline import TrainResult
from koki.runs.finished import read_run


@pytest.fixture
def run(finished_run: TrainResult, tmp_path: Path) -> Path:
    """A finished run that may be changed."""
    leave_out = shutil.ignore_patterns("checkpoint-*", "tensorboard", "gguf")
    return shutil.copytree(finished_run.folder, tmp_path / "warung", ignore=leave_out)


def made(run: Path, file_type: str = "q8_0", *, base_only: bool = False) -> tuple[Path, list[int]]:
    """The file, and the sizes announced of those that were made."""
    sizes: list[int] = []
    path = gguf_of_run(read_run(run), file_type, base_only=base_only, on_making=lambda _, size: sizes.append(size))
    return path, sizes


def test_a_file_is_made_once_and_named_after_run_and_type(run: Path) -> None:
    path, sizes = made(run)
    assert path == run / "gguf" / "warung-q8_0.gguf"
    assert sizes[0] <= path.stat().st_size
    before = path.stat().st_mtime_ns
    assert made(run) == (path, [])
    assert path.stat().st_mtime_ns == before


def test_a_run_that_was_given_another_name_keeps_its_file(run: Path) -> None:
    path, _ = made(run)
    moved = run.rename(run.with_name("depot"))
    assert made(moved) == (moved / "gguf" / path.name, [])


def test_the_record_says_what_the_file_is(run: Path) -> None:
    path, _ = made(run)
    entry = read_record(path.parent)[path.name]
    assert (entry["type"], entry["bytes"]) == ("q8_0", path.stat().st_size)


def change_adapter(run: Path) -> None:
    file = run / "adapter_model.safetensors"
    save_file({name: tensor + 1e-3 for name, tensor in load_file(file).items()}, file)


def change_system_prompt(run: Path) -> None:
    file = run / "training_metadata.json"
    card = json.loads(file.read_text("utf-8")) | {"system_prompt": "Kamu juru masak lain."}
    file.write_text(json.dumps(card), "utf-8")


def break_off_file(run: Path) -> None:
    file = run / "gguf" / "warung-q8_0.gguf"
    file.write_bytes(file.read_bytes()[:-1000])


def damage_record(run: Path) -> None:
    (run / "gguf" / "export.json").write_text('{"files": [1', "utf-8")


@pytest.mark.parametrize("change", [change_adapter, change_system_prompt, break_off_file, damage_record])
def test_a_file_is_made_again_when_it_is_not_the_run_s(run: Path, change: Callable[[Path], None]) -> None:
    made(run)
    change(run)
    assert made(run)[1]
    assert not made(run)[1]


def test_types_and_the_base_alone_lie_beside_each_other(run: Path) -> None:
    paths = {made(run)[0], made(run, "f16")[0], made(run, base_only=True)[0]}
    assert {path.name for path in paths} == {"warung-q8_0.gguf", "warung-f16.gguf", "base-q8_0.gguf"}
    assert read_record(run / "gguf").keys() == {path.name for path in paths}


def test_the_base_alone_is_without_the_adapter(run: Path) -> None:
    def gate(path: Path) -> bytes:
        return bytes(next(t.data for t in gguf.GGUFReader(path).tensors if t.name == "blk.0.ffn_gate.weight"))

    with_adapter, base = made(run)[0], made(run, base_only=True)[0]
    change_adapter(run)
    assert gate(made(run)[0]) != gate(base)
    assert with_adapter.exists()
    assert not made(run, base_only=True)[1]


def test_a_disk_without_room_is_said_before_anything_is_written(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(run)._replace(free=1_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(RunError, match=r"needs 7 MB .* 1 MB are free"):
        made(run)
    assert list((run / "gguf").iterdir()) == []


def test_a_write_that_fails_leaves_the_earlier_file_and_nothing_else(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = made(run)
    before = path.read_bytes()
    change_adapter(run)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gguf.GGUFWriter.write_tensor_data", full)
    with pytest.raises(RunError, match=r"cannot be written: .*No space left"):
        made(run)
    assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} == {path.name, "export.json"}
