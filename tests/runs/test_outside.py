"""A run folder where Koki is not, or where its base lies elsewhere than it did."""

import contextlib
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import printed
from rich.console import Console
from transformers import AutoTokenizer, GenerationConfig

from koki.config import RunConfig, load_config, read_assignments
from koki.errors import RunError
from koki.inference.chef import Chef
from koki.pipeline import TrainResult, train

MakeConfig = Callable[..., RunConfig]
STOP, STOP_ID = "<|im_end|>", 8191


def answer_of_the_card(run: Path, tokens: int) -> str:
    """What the Python in a run's model card prints, for answers of so many tokens at most."""
    (snippet,) = re.findall(r"```python\n(.*?)```", (run / "README.md").read_text("utf-8"), flags=re.DOTALL)
    snippet = snippet.replace("THIS_FOLDER", str(run)).replace("max_new_tokens=768", f"max_new_tokens={tokens}")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(snippet, {})
    return out.getvalue()


@pytest.fixture(scope="module")
def run_on_plain_base(
    small_base: Path, recipe_csv: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Console]:
    """A run of one step on a base that ends with another token than its chat template, named by a relative path."""
    folder = tmp_path_factory.mktemp("dapur")
    shutil.copytree(small_base, folder / "polos")
    for file, values in {
        "tokenizer_config.json": {"eos_token": "<|endoftext|>"},
        "generation_config.json": {"eos_token_id": 8189, "do_sample": True, "repetition_penalty": 1.5},
    }.items():
        path = folder / "polos" / file
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")
    console = Console(file=io.StringIO(), width=200)
    settings = ("data.tips=false", "data.refusals=false", "data.variations=2", "training.max_steps=1")
    flags = {"model.name": "polos", "data.files": [str(recipe_csv)], "output": "jadi"}
    with contextlib.chdir(folder):
        train(load_config(settings=flags | read_assignments(settings)), console)
    return folder / "jadi", console


@pytest.mark.slow
def test_the_python_in_the_model_card_gives_the_chefs_answer(finished_run: TrainResult) -> None:
    question = json.loads((finished_run.folder / "training_metadata.json").read_text("utf-8"))["example_question"]
    answer = Chef.load(finished_run.folder).ask(question, max_new_tokens=24, book=False).answer
    assert len(answer) > 20
    assert answer_of_the_card(finished_run.folder, 24) == f"{answer}\n"


@pytest.mark.slow
def test_tokenizer_and_generation_settings_name_the_stop_token_whatever_the_base_says(
    run_on_plain_base: tuple[Path, Console],
) -> None:
    run, console = run_on_plain_base
    assert AutoTokenizer.from_pretrained(run).eos_token == STOP
    settings = GenerationConfig.from_pretrained(run)
    assert (settings.eos_token_id, settings.pad_token_id, settings.do_sample) == (STOP_ID, 8189, False)
    assert settings.repetition_penalty in (None, 1.0)
    assert "polos ends with <|endoftext|>, not as its chat template does: it is no instruct model" in printed(console)


@pytest.mark.slow
def test_a_run_on_a_base_with_a_relative_path_is_opened_from_anywhere(run_on_plain_base: tuple[Path, Console]) -> None:
    run, _ = run_on_plain_base
    assert Chef.load(run).ask("Resep?", max_new_tokens=2).tokens == 2
    adapter = json.loads((run / "adapter_config.json").read_text("utf-8"))
    assert adapter["base_model_name_or_path"] == str(run.parent / "polos")
    assert str(run.parent) not in (run / "README.md").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("published", [False, True])
def test_a_base_that_was_moved_is_asked_for_by_name_and_fingerprint_and_can_be_told(
    run_on_plain_base: tuple[Path, Console], tmp_path: Path, published: bool
) -> None:
    run = shutil.copytree(run_on_plain_base[0], tmp_path / "jadi")
    there = shutil.copytree(run_on_plain_base[0].parent / "polos", tmp_path / "pindah")
    config = run / "config.yaml"
    if published:
        config.unlink()
    else:
        config.write_text(config.read_text("utf-8").replace(f"{run_on_plain_base[0].parent}/polos", "/tidak/ada/polos"))
    fingerprint = json.loads((run / "training_metadata.json").read_text("utf-8"))["base_model"]["revision"]
    with pytest.raises(
        RunError, match=f"on the base polos, which is not in .*; its fingerprint is {fingerprint}"
    ) as caught:
        Chef.load(run, engine="transformers")
    assert str(config) in caught.value.how
    config.write_text(json.dumps({"model": {"name": str(there)}}))
    assert Chef.load(run, engine="transformers").ask("Resep?", max_new_tokens=2).tokens == 2
