"""The notebooks: the same code in two languages, which runs from an empty folder to an answer, and goes on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from helpers import ORAK, SOTO, TELUR, write_csv
from nbclient import NotebookClient

from write_notebooks import FILES, notebook

in_each_language = pytest.mark.parametrize("language", FILES)

# What the notebooks are run with here: a base that ships, and as little as shows everything.
CHOSEN = 'NAME, MODEL, PRESET, MAX_STEPS, QUESTIONS = "warung", {model!r}, "laptop", 12, 1'

# The machine is taken back at step 10, with a checkpoint of step 9.
TAKEN_BACK = """
class TakenBack(Exception):
    pass

def take_back(now):
    if now.step == 10:
        raise TakenBack

begun = {"output": str(RUN.with_name("putus")), "training.save_steps": 9}
try:
    koki.train(koki.load_config(RUN / "config.yaml", settings=begun), on_progress=take_back)
except koki.TrainingError:
    pass
"""


def read(file: Path) -> Any:
    return nbformat.read(file, as_version=4)


def code_of(file: Path) -> list[str]:
    return [cell.source for cell in read(file).cells if cell.cell_type == "code"]


def tagged(notebook: Any, tag: str) -> int:
    """The place of the cell with this tag."""
    (place,) = (number for number, cell in enumerate(notebook.cells) if tag in cell.metadata.get("tags", ()))
    return place


@in_each_language
def test_a_notebook_is_what_its_source_makes_and_has_no_outputs(language: str) -> None:
    assert FILES[language].read_text("utf-8") == notebook(language)


def test_both_have_the_same_code_and_every_other_text_is_in_two_languages() -> None:
    english, indonesian = (read(file).cells for file in FILES.values())
    assert len(english) == len(indonesian)
    for one, other in zip(english, indonesian, strict=True):
        assert (one.source == other.source) is (one.cell_type == "code")


def test_nothing_is_installed_by_a_bare_name_that_anybody_may_take() -> None:
    installed = re.findall(r"pip install .*", "\n".join(code_of(FILES["en"])))
    assert installed == ['pip install --quiet "{SOURCE}"']


@dataclass(frozen=True)
class Executed:
    """The English notebook after it was run in a folder with three recipes, and the kernel that ran it."""

    folder: Path
    client: NotebookClient

    @property
    def run(self) -> Path:
        return self.folder / "runs" / "warung"

    def outputs(self, containing: str) -> list[Any]:
        """The outputs of the cells whose code contains this."""
        cells = (cell for cell in self.client.nb.cells if cell.cell_type == "code" and containing in cell.source)
        return [output for cell in cells for output in cell.outputs]

    def said(self, containing: str) -> str:
        return "\n".join(map(text_of, self.outputs(containing)))

    def execute(self, code: str) -> str:
        """What more code in the same kernel prints."""
        cell = nbformat.v4.new_code_cell(code)
        self.client.nb.cells.append(cell)
        self.client.execute_cell(cell, len(self.client.nb.cells) - 1)
        return "\n".join(map(text_of, cell.outputs))


def text_of(output: Any) -> str:
    return str(output.get("text") or output.get("data", {}).get("text/plain", ""))


@pytest.fixture(scope="module")
def executed(small_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executed]:
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "resep").mkdir()
    write_csv(folder / "resep" / "resep.csv", [SOTO, ORAK, TELUR])
    content = read(FILES["en"])
    chosen = nbformat.v4.new_code_cell(CHOSEN.format(model=str(small_base)))
    content.cells.insert(tagged(content, "parameters") + 1, chosen)
    client = NotebookClient(content, resources={"metadata": {"path": str(folder)}})
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
            patch.setenv(name, str(folder / ".jupyter"))
        with client.setup_kernel():
            for number, cell in enumerate(content.cells):
                client.execute_cell(cell, number)
            yield Executed(folder, client)


@pytest.mark.slow
def test_it_shows_the_recipes_as_a_table(executed: Executed) -> None:
    said = executed.said("recipes.report")
    assert "resep.csv" in said
    assert "Telur Dadar" in said


@pytest.mark.slow
def test_it_shows_conversations_and_what_the_run_will_take(executed: Executed) -> None:
    assert re.search(r"│ standard +│ .*resep Soto Ayam", executed.said("koki.conversations"))
    assert "12 (" in executed.said("koki.plan")


@pytest.mark.slow
def test_it_trains_with_a_bar_that_ends_full_and_lines_that_tell_the_loss(executed: Executed) -> None:
    (bar,) = (output for output in executed.outputs("on_progress") if output.output_type == "display_data")
    assert "max='12' value='12'" in bar.data["text/html"]
    assert re.search(r"step 12/12 +loss \d", executed.said("on_progress"))


@pytest.mark.slow
def test_it_shows_the_curves_and_the_scorecard(executed: Executed) -> None:
    (curves,) = executed.outputs("curves.png")
    assert curves.data["image/png"]
    assert "understanding-book" in executed.said("koki.evaluate")
    assert (executed.run / "report" / "scorecard.json").is_file()


@pytest.mark.slow
def test_it_asks_and_hands_over_a_file(executed: Executed) -> None:
    assert "> Gimana caranya supaya santan tidak pecah?" in executed.said("chef.ask(questions)")
    assert "warung-q8_0.gguf" in executed.said("koki.export_gguf")
    assert (executed.run / "gguf" / "Modelfile").is_file()


@pytest.mark.slow
def test_no_library_prints_a_bar_or_a_warning_of_its_own(executed: Executed) -> None:
    outputs = [output for output in executed.outputs("") if output.output_type == "stream"]
    assert not [output.text for output in outputs if output.name == "stderr" or "\x1b" in output.text]


@pytest.mark.slow
def test_the_talk_ends_with_an_empty_line(executed: Executed) -> None:
    executed.execute('typed = iter(["Halo!", ""]); input = lambda _: next(typed)')
    loop = executed.client.nb.cells[tagged(executed.client.nb, "skip-execution")].source
    assert executed.execute(loop).startswith("Koki: ")
    assert executed.execute("print(len(history))").strip() == "1"


@pytest.mark.slow
def test_after_a_disconnect_the_settings_and_three_cells_go_on_from_the_newest_checkpoint(executed: Executed) -> None:
    """What a machine that is taken back leaves is a checkpoint on the drive, no result, and nothing in memory."""
    executed.execute(TAKEN_BACK)
    executed.execute("%reset -f")
    executed.execute('SOURCE, NAME = "git+URL", "putus"')
    cells = executed.client.nb.cells
    said = [executed.execute(cells[tagged(executed.client.nb, tag)].source) for tag in ("install", "folder", "go-on")]
    assert "checkpoint-9" in said[-1]
    assert "12 steps" in said[-1]
    assert (executed.run.with_name("putus") / "adapter_model.safetensors").is_file()
