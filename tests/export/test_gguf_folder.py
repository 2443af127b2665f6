"""A run as a GGUF file, with all that goes with it."""

import json
import shutil
from pathlib import Path

import gguf
import pytest
from llama_cpp import LlamaCpp
from modelfile_grammar import parse_modelfile

from koki.errors import ConfigError, ModelError, RunError
from koki.export.gguf_folder import export_adapter, export_gguf
from koki.gguf.of_run import gguf_of_run
from koki.inference.chef import Chef
from koki.pipeline import TrainResult
from koki.runs.finished import read_run
from koki.tokens.file_tokenizer import read_tokenizer
from koki.tokens.template import ChatTemplate


@pytest.fixture
def run(finished_run: TrainResult, tmp_path: Path) -> Path:
    """A finished run that may be changed, in a folder with a name that people give."""
    leave_out = shutil.ignore_patterns("checkpoint-*", "tensorboard", "gguf")
    return shutil.copytree(finished_run.folder, tmp_path / "Warung Bu Sri's", ignore=leave_out)


def test_the_files_of_a_run_lie_in_its_folder_gguf(run: Path) -> None:
    path = export_gguf(run, "q8_0")
    assert path == run / "gguf" / "Warung Bu Sri's-q8_0.gguf"
    assert {file.name for file in path.parent.iterdir()} == {path.name, "Modelfile", "export.json", "README.md"}


def test_an_exported_folder_is_complete_in_itself(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="llama.cpp's wheel (xllamacpp) is not installed")
    path = export_gguf(run, "f32", folder=tmp_path / "dibawa")
    expected = Chef.load(run, engine="transformers").ask("Resep soto ayam dong!", max_new_tokens=20, book=False)
    shutil.rmtree(run)
    assert Chef.load(path).ask("Resep soto ayam dong!", max_new_tokens=20).answer == expected.answer


def test_the_modelfile_names_the_file_and_the_runs_system_prompt(run: Path) -> None:
    path = export_gguf(run, "q8_0")
    said = dict(parse_modelfile((path.parent / "Modelfile").read_text("utf-8")))
    assert (path.parent / said["FROM"]).is_file()
    assert said["SYSTEM"] == read_run(run).card["system_prompt"]
    assert (said["stop"], said["temperature"], said["num_ctx"]) == ("<|im_end|>", "0", "1024")


def test_the_readme_quotes_the_system_prompt_and_the_file_as_a_shell_takes_it(run: Path) -> None:
    file = run / "training_metadata.json"
    new = {"system_prompt": "Kamu Koki.\n# Masak!", "example_question": "Ayam/bebek?"}
    card = json.loads(file.read_text("utf-8")) | new
    file.write_text(json.dumps(card), "utf-8")
    text = (export_gguf(run, "q8_0").parent / "README.md").read_text("utf-8")
    assert "> Kamu Koki.\n> # Masak!\n" in text
    assert "'Ayam/bebek?'" in text
    assert """llama-cli -m 'Warung Bu Sri'"'"'s-q8_0.gguf' --temp 0""" in text


def test_another_type_goes_beside_the_first(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "dibawa"
    paths = [export_gguf(run, file_type, folder=folder) for file_type in ("q8_0", "q4_0")]
    assert all(path.is_file() for path in paths)
    assert json.loads((folder / "export.json").read_text("utf-8"))["files"].keys() == {path.name for path in paths}


def test_the_adapter_on_the_base_says_what_the_merged_file_says(run: Path, tmp_path: Path) -> None:
    finished = read_run(run)
    merged, base = gguf_of_run(finished, "f32"), gguf_of_run(finished, "f32", base_only=True)
    adapter = export_adapter(finished, folder=tmp_path / "lora")
    prompt = ChatTemplate(read_tokenizer(run), finished.card["system_prompt"]).prompt("Resep soto ayam dong!")
    said = []
    for file, lora in ((merged, None), (base, adapter), (base, None)):
        with LlamaCpp(file, lora) as llama:
            said.append(llama.complete(prompt, 60))
    assert said[0] == said[1] != said[2]


def test_the_adapter_names_its_base(run: Path) -> None:
    reader = gguf.GGUFReader(export_adapter(read_run(run)))
    said = {name: field.contents() for name, field in reader.fields.items()}
    base = read_run(run).card["base_model"]
    assert (said["general.type"], said["adapter.type"]) == ("adapter", "lora")
    assert (said["general.base_model.0.name"], said["general.base_model.0.version"]) == (base["name"], base["revision"])
    assert said["adapter.lora.alpha"] == 32


def test_an_adapter_does_not_answer_by_itself(run: Path) -> None:
    with pytest.raises(ModelError, match="is an adapter"):
        Chef.load(export_adapter(read_run(run)))


@pytest.mark.parametrize(("wrong", "said"), [("q8", "Did you mean q8_0"), ("q4_K_M", "--type f16"), ("Q8_0", "q8_0?")])
def test_an_unknown_type_is_answered_with_the_way_to_go(run: Path, wrong: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        export_gguf(run, wrong)
    assert said in str(error.value)
    assert not (run / "gguf").exists()


def test_a_folder_that_is_no_earlier_export_is_left_alone(run: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, run):
        with pytest.raises(ConfigError, match="is not what this command writes"):
            export_gguf(run, "q8_0", folder=folder)


@pytest.mark.parametrize(
    ("error", "said"), [(OSError(28, "No space left on device"), RunError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_an_export_that_breaks_off_leaves_no_folder(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, said: type[BaseException]
) -> None:
    def broken_off(*_: object) -> None:
        raise error

    monkeypatch.setattr("gguf.GGUFWriter.write_tensor_data", broken_off)
    with pytest.raises(said):
        export_gguf(run, "q8_0", folder=tmp_path / "dibawa")
    assert not (tmp_path / "dibawa").exists()
