"""Which engine answers: transformers on a GPU, else llama.cpp, whose file is made once; a chef asks for another."""

import builtins
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from koki.errors import ConfigError, ModelError, RunError
from koki.inference.chef import Chef
from koki.inference.engines import load_engine
from koki.pipeline import TrainResult

pytest.importorskip("xllamacpp", reason="llama.cpp's wheel (xllamacpp) is not installed")


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koki.inference.engines._has_gpu", lambda: False)


@pytest.fixture
def run(finished_run: TrainResult, tmp_path: Path) -> Path:
    """A finished run that may be changed."""
    leave_out = shutil.ignore_patterns("checkpoint-*", "tensorboard", "gguf")
    return shutil.copytree(finished_run.folder, tmp_path / "warung", ignore=leave_out)


def engine_of(run: Path, name: str | None = None) -> str:
    return type(load_engine(run, name)[0]).__name__


def hide_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the import of llama.cpp fail, as where there is no wheel for the machine."""
    real = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name == "xllamacpp":
            raise ImportError("No module named 'xllamacpp'")
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)


def test_without_a_gpu_llama_cpp_answers_and_its_file_is_made_once(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert engine_of(run) == "LlamaCppEngine"
    assert (run / "gguf" / "warung-f16.gguf").is_file()
    assert [record.message for record in caplog.records] == [
        f"Preparing {run / 'gguf' / 'warung-f16.gguf'} for llama.cpp, once: 13 MB."
    ]
    caplog.clear()
    assert engine_of(run) == "LlamaCppEngine"
    assert not caplog.records


def test_on_a_gpu_transformers_answers(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koki.inference.engines._has_gpu", lambda: True)
    assert engine_of(run) == "TransformersEngine"
    assert engine_of(run, "llama.cpp") == "LlamaCppEngine"


def test_a_machine_without_the_wheel_falls_back_and_says_so_once(
    run: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hide_wheel(monkeypatch)
    assert engine_of(run) == "TransformersEngine"
    (said,) = [record for record in caplog.records if record.levelno == logging.WARNING and record.name == "koki"]
    assert "transformers does, more slowly" in said.message
    assert not (run / "gguf").exists()


def test_who_asks_for_llama_cpp_is_told_why_it_cannot_be_had(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_wheel(monkeypatch)
    with pytest.raises(ModelError, match=r"llama\.cpp cannot be used"):
        load_engine(run, "llama.cpp")


def test_a_file_that_is_damaged_is_no_crash(run: Path) -> None:
    engine_of(run)
    file = run / "gguf" / "warung-f16.gguf"
    content = bytearray(file.read_bytes())
    content[:5000] = bytes(5000)
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"llama\.cpp cannot open"):
        load_engine(run, "llama.cpp")


def test_a_file_alone_answers_with_the_card_beside_it(run: Path, tmp_path: Path) -> None:
    engine_of(run)
    question = "Resep soto ayam dong!"
    answer = Chef.load(run / "gguf" / "warung-f16.gguf").ask(question, max_new_tokens=20).answer
    assert answer == Chef.load(run).ask(question, max_new_tokens=20).answer
    lonely = shutil.copy(run / "gguf" / "warung-f16.gguf", tmp_path / "lonely.gguf")
    with pytest.raises(RunError, match=r"training_metadata\.json"):
        Chef.load(lonely)


def test_an_engine_that_cannot_run_what_it_is_asked_to_says_so(run: Path) -> None:
    with pytest.raises(ConfigError, match="no engine 'vllm'"):
        load_engine(run, "vllm")
    engine_of(run)
    with pytest.raises(ConfigError, match="GGUF"):
        load_engine(run / "gguf" / "warung-f16.gguf", "transformers")


@pytest.mark.slow
def test_asking_llama_cpp_imports_neither_torch_nor_transformers(run: Path) -> None:
    engine_of(run)
    script = (
        "import sys; from koki import Chef; "
        f"print(Chef.load({str(run)!r}).ask('Resep soto?', max_new_tokens=3).tokens); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'peft')))"
    )
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout.strip()) == (0, "3"), child.stderr


@pytest.mark.slow
def test_nothing_listens_where_others_could_reach_it(run: Path) -> None:
    engine, _ = load_engine(run, "llama.cpp")
    address: str = engine._server.listening_address  # type: ignore[attr-defined]
    if sys.platform == "win32":
        assert address.startswith("http://127.0.0.1")
    else:
        assert not Path(address.removeprefix("unix://")).exists()
