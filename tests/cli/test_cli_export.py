"""`koki export gguf` and `koki export merged`: what they print, and how they end."""

import json
import shutil
from pathlib import Path

import pytest
from commands import koki_here

from koki.pipeline import TrainResult


@pytest.fixture
def run(finished_run: TrainResult, tmp_path: Path) -> Path:
    """A finished run that may be changed, in a folder with a name that people give."""
    leave_out = shutil.ignore_patterns("checkpoint-*", "tensorboard", "gguf")
    return shutil.copytree(finished_run.folder, tmp_path / "Warung Bu Sri's", ignore=leave_out)


def test_the_commands_for_ollama_and_llama_cpp_are_printed_as_a_shell_takes_them(run: Path) -> None:
    said = koki_here("export", "gguf", run.name, cwd=run.parent)
    folder = "'Warung Bu Sri'\"'\"'s/gguf"
    assert said.returncode == 0
    assert f"cd {folder}' && ollama create warung-bu-sri-s -f Modelfile" in said.stdout
    assert f"llama-cli -m {folder}/Warung Bu Sri'\"'\"'s-q8_0.gguf' --temp 0" in said.stdout
    assert "q4_K_M" not in said.stdout


def test_of_a_file_in_16_bits_the_commands_for_k_quants_are_printed(run: Path) -> None:
    said = koki_here("export", "gguf", str(run), "--type", "f16")
    assert "ollama create warung-bu-sri-s --quantize q4_K_M -f Modelfile" in said.stdout
    assert "llama-quantize" in said.stdout


def test_the_adapter_alone_says_how_it_is_used(run: Path) -> None:
    said = koki_here("export", "gguf", str(run), "--adapter")
    assert said.returncode == 0
    assert "--lora" in said.stdout
    assert koki_here("export", "gguf", str(run), "--adapter", "--type", "f16").returncode == 1


def test_merged_weights_say_where_they_lie(run: Path, tmp_path: Path) -> None:
    said = koki_here("export", "merged", str(run), "--output", str(tmp_path / "utuh"), "--dtype", "bfloat16")
    assert (said.returncode, said.stdout) == (0, f"{tmp_path / 'utuh'} (13 MB, bfloat16)\n")


def test_that_a_run_on_a_rounded_base_is_merged_into_the_whole_one_is_said(run: Path, tmp_path: Path) -> None:
    file = run / "training_metadata.json"
    card = json.loads(file.read_text("utf-8"))
    card["settings"]["model.quantization"] = "4bit"
    file.write_text(json.dumps(card), "utf-8")
    said = koki_here("export", "merged", str(run), "--output", str(tmp_path / "utuh"))
    assert said.stdout.startswith("Trained on the base in 4bit; merged into the base as it is published")


@pytest.mark.parametrize("verb", [("gguf",), ("merged", "--output", "x")], ids=lambda verb: verb[0])
def test_a_run_that_is_not_finished_is_an_error(tmp_path: Path, verb: tuple[str, ...]) -> None:
    said = koki_here("export", *verb, str(tmp_path))
    assert said.returncode == 1
    assert "is not a finished run" in said.stderr
