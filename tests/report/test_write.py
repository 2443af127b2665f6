"""The report and the model card in a run folder: written, rewritten, and never at the cost of the run."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from exams import about_soto, scorecard
from huggingface_hub import ModelCard
from rich.console import Console
from typer.testing import CliRunner

from koki import language
from koki.cli.app import app
from koki.cli.report import write_report_or_warn
from koki.config import ModelConfig
from koki.errors import RunError
from koki.inference.chef import Chef
from koki.inference.transformers_engine import TransformersEngine
from koki.model.source import find_base
from koki.pipeline import TrainResult
from koki.report.scorecard_section import with_scorecard
from koki.report.write import write_report
from koki.runs.card import read_card
from koki.runs.model_card import model_card
from koki.tokens.template import ChatTemplate

# as the README's `hf upload` has it
NOT_PUBLISHED = shutil.ignore_patterns("checkpoint-*", "tensorboard", "config.yaml")


@pytest.fixture
def run(finished_run: TrainResult, tmp_path: Path) -> Path:
    """A finished run without a report, that may be changed."""
    folder = tmp_path / "warung"
    folder.mkdir()
    for name in ("training_metadata.json", "README.md"):
        shutil.copy(finished_run.folder / name, folder)
    return folder


def examine(run: Path) -> None:
    (run / "report").mkdir(exist_ok=True)
    (run / "report" / "scorecard.json").write_text(json.dumps(scorecard()), "utf-8")


def test_a_first_report_is_in_the_language_of_the_terminal_and_a_later_one_in_that_of_the_earlier(run: Path) -> None:
    assert '<html lang="en">' in write_report(run).read_text("utf-8")
    assert '<html lang="id">' in write_report(run, "id").read_text("utf-8")
    examine(run)
    page = write_report(run)
    assert page == run / "report" / "report.html"
    assert "masakannya benar" in page.read_text("utf-8")


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a finished run"):
        write_report(tmp_path)


def test_metadata_that_lacks_something_is_an_error_that_names_it(run: Path) -> None:
    (run / "training_metadata.json").write_text('{"training": {"log": []}, "settings": {}}', "utf-8")
    with pytest.raises(RunError, match=r"(?s)training_metadata.json cannot be read: .*base_model"):
        write_report(run)


def test_a_report_that_cannot_be_written_warns_and_leaves_the_run_as_it_was(run: Path) -> None:
    (run / "report").write_text("a file where the folder should be")
    before = {file.name: file.read_bytes() for file in run.iterdir()}
    console = Console(file=io.StringIO(), width=200)
    write_report_or_warn(run, console)
    assert "Warning: The report of" in console.file.getvalue()  # type: ignore[attr-defined]
    assert {file.name: file.read_bytes() for file in run.iterdir()} == before


def test_no_error_whatever_of_the_report_reaches_a_run(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Path:
        raise ZeroDivisionError("of the report")

    monkeypatch.setattr("koki.report.write.write_report", fail)
    console = Console(file=io.StringIO(), width=200)
    write_report_or_warn(run, console)
    assert "Warning: no report: ZeroDivisionError('of the report')" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_verb_writes_it_and_says_where(run: Path) -> None:
    said = CliRunner().invoke(app, ["--language", "id", "report", str(run)], catch_exceptions=False)
    assert said.exit_code == 0
    assert '<html lang="id">' in (run / "report" / "report.html").read_text("utf-8")


@pytest.mark.usefixtures("indonesian")
def test_a_reader_of_indonesian_gets_a_first_report_in_it_with_its_numbers(run: Path) -> None:
    examine(run)
    page = write_report(run).read_text("utf-8")
    write_report(run, "en")
    language.choose("en")
    assert write_report(run, "id").read_text("utf-8") == page


def test_the_model_card_has_the_scorecard_as_model_index(run: Path) -> None:
    examine(run)
    write_report(run)
    card = ModelCard.load(run / "README.md")
    assert card.data.model_name == "Koki: Qwen Indonesian food recipe model"
    results = {(one.dataset_split, one.task_name, one.metric_type): one for one in card.data.eval_results or []}
    right = results["recall", "full recipe", "right_dish"]
    assert (right.task_type, right.metric_value, right.metric_name) == ("text-generation", 0.75, "right dish")
    assert right.metric_args["questions"] == 4
    assert ("understanding", "full recipe", "right_dish") in results
    assert "| right dish | 0.75 [" in card.content


def test_the_model_card_says_what_the_hub_asks_for(run: Path) -> None:
    data = ModelCard.load(run / "README.md").data
    says = data.to_dict()
    assert (says["library_name"], says["pipeline_tag"], says["language"]) == ("peft", "text-generation", ["id"])
    assert data.tags == ["lora", "koki", "recipes", "indonesian"]
    assert (data.base_model, data.datasets, data.license) == (None, None, None)


def test_what_is_published_of_a_run_folder_names_no_folder_of_this_machine_but_the_one_where_peft_finds_the_base(
    finished_run: TrainResult, recipe_csv: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished_run.folder, tmp_path / "run", ignore=NOT_PUBLISHED))
    examine(run)
    write_report(run)
    source = Path(find_base(ModelConfig(name="mini")).location)
    published = [file for file in run.rglob("*") if file.is_file()]
    assert len(published) > 8
    for file in published:
        for folder in (tmp_path, recipe_csv.parent, finished_run.folder.parent, source.parent):
            is_named = str(folder).encode() in file.read_bytes()
            assert is_named == (folder == source.parent and file.name == "adapter_config.json"), file
    assert "mini, which ships with Koki" in (run / "README.md").read_text("utf-8")
    assert "`resep.csv`" in (run / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_the_model_card_says_how_to_load_it_with_peft_alone(finished_run: TrainResult) -> None:
    run = finished_run.folder
    _, _, rest = (run / "README.md").read_text("utf-8").partition("```python\n")
    code = rest.partition("```")[0].replace("THIS_FOLDER", str(run))
    loaded: dict[str, Any] = {}
    exec(code, loaded)
    question = "Resep soto ayam dong!"
    model = loaded["model"].merge_and_unload()
    template = ChatTemplate(loaded["tokenizer"], read_card(run)["system_prompt"])
    chef = Chef(TransformersEngine(model, loaded["tokenizer"], template.stop_id), template)
    assert (
        chef.ask(question, max_new_tokens=9).answer == Chef.load(run).ask(question, max_new_tokens=9, book=False).answer
    )


def test_a_base_of_the_hub_is_named_in_the_metadata(run: Path) -> None:
    card = json.loads((run / "training_metadata.json").read_text("utf-8"))
    name = "Qwen/Qwen2.5-0.5B-Instruct"
    card["base_model"] = {"name": "0.5b", "location": name, "revision": "a" * 40}
    shown = ModelCard(model_card(card))
    assert shown.data.to_dict()["base_model"] == name
    assert f'from_pretrained("{name}", revision="{"a" * 40}", dtype=' in shown.content


def test_a_folder_of_ones_own_called_mini_is_not_said_to_ship_with_koki(run: Path) -> None:
    card = json.loads((run / "training_metadata.json").read_text("utf-8"))
    card["base_model"] = {"name": "./mini", "location": "./mini", "revision": "a" * 16}
    shown = ModelCard(model_card(card))
    assert "| Base model | mini, a folder that is not on the hub; revision" in shown.content
    assert "base_model" not in shown.data.to_dict()
    assert 'base = AutoModelForCausalLM.from_pretrained("mini", dtype=' in shown.content


def test_a_new_scorecard_takes_the_place_of_the_earlier_and_what_people_wrote_stays(run: Path) -> None:
    text = (run / "README.md").read_text("utf-8").replace(
        "tags:", "license: mit\ntags:"
    ) + "\nSambal terbaik di kota.\n"
    once = with_scorecard(text, "koki", scorecard())
    again = with_scorecard(once, "koki", scorecard(about_soto(9, "recall", 0.0)))
    assert again.count("## Scorecard") == 1
    assert "| right dish | 0.60 [" in again
    assert "Sambal terbaik di kota." in again
    assert ModelCard(again).data.to_dict()["license"] == "mit"
    assert with_scorecard(again, "koki", scorecard(about_soto(9, "recall", 0.0))) == again


def test_without_a_scorecard_the_model_card_stays_as_it_is(run: Path) -> None:
    before = (run / "README.md").read_bytes()
    write_report(run)
    assert (run / "README.md").read_bytes() == before


def test_a_model_card_whose_metadata_cannot_be_read_is_an_error_and_stays(run: Path) -> None:
    (run / "README.md").write_text("---\ntags: [a, b\n---\nMy chef", "utf-8")
    examine(run)
    with pytest.raises(RunError, match="cannot be made"):
        write_report(run)
    assert (run / "README.md").read_text("utf-8").endswith("My chef")


def test_a_model_card_that_was_deleted_is_made_again(run: Path) -> None:
    (run / "README.md").unlink()
    write_report(run)
    assert ModelCard.load(run / "README.md").data.to_dict()["library_name"] == "peft"
