"""Training data out of the cache is what it was when it was made, and no older."""

import errno
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from helpers import ORAK, SOTO, TELUR, printed, write_csv
from import_graph import closure_of
from rich.console import Console
from transformers import PreTrainedTokenizerBase

from koki import files
from koki.config import RunConfig, load_config, read_assignments
from koki.data import recipes as recipes_module
from koki.data.build import tokenize, tokenize_held_out
from koki.data.recipes import RecipesOfRun, check_files
from koki.data.token_cache import PROGRAM, TrainingData
from koki.errors import RecipeFileNotFound
from koki.model.source import find_base, load_tokenizer
from koki.recipes.sequence import Recipes
from koki.recipes.table import read_into
from koki.tokens.part import Part, PartFile
from koki.tokens.template import ChatTemplate

# The module that no import names: `koki.tokens.sandbox` starts a process that runs it.
IN_ANOTHER_PROCESS = "koki.tokens.rendering"

Make = Callable[..., RunConfig]


class CountingTemplate(ChatTemplate):
    """A chat template that remembers which texts it encoded."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, system: str) -> None:
        self.encoded: list[str] = []
        super().__init__(tokenizer, system)
        self.encoded.clear()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        self.encoded += texts
        return super().encode(texts)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer(find_base(load_config(settings={"model.name": "mini"}).model).location)


@pytest.fixture
def template(tokenizer: PreTrainedTokenizerBase) -> CountingTemplate:
    return CountingTemplate(tokenizer, "Kamu Koki.")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache of its own for each test; the entries lie in it."""
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tokens"


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def config(*recipes: dict[str, str], assignments: Sequence[str] = ()) -> RunConfig:
        file = write_csv(tmp_path / "resep.csv", recipes or [SOTO, ORAK, TELUR])
        return load_config(
            settings={"data.files": [str(file)], "data.tips": False, "data.refusals": False}
            | read_assignments(assignments)
        )

    return config


def data_of(config: RunConfig, template: ChatTemplate, console: Console | None = None) -> TrainingData:
    return tokenize(RecipesOfRun(config), template, 8192, console or Console(quiet=True))


def assert_same(ours: TrainingData, theirs: TrainingData) -> None:
    """Every example, and all that is told about them."""
    assert ours.dataset.digest() == theirs.dataset.digest()
    assert len(ours.dataset) == len(theirs.dataset)
    for number in range(len(theirs.dataset)):
        for name, numbers in theirs.dataset[number].items():
            assert np.array_equal(ours.dataset[number][name], numbers)
    assert ours.dataset.group_starts.tolist() == theirs.dataset.group_starts.tolist()
    assert ours.dataset.count_by_kind() == theirs.dataset.count_by_kind()
    assert ours.dataset.report == theirs.dataset.report
    assert (ours.report, ours.held_out, ours.recipes) == (theirs.report, theirs.held_out, theirs.recipes)


def test_the_second_start_encodes_nothing_and_has_the_same(make: Make, template: CountingTemplate) -> None:
    made = data_of(make(), template)
    assert template.encoded
    template.encoded.clear()
    kept = data_of(make(), template)
    assert not template.encoded
    assert all(isinstance(part, PartFile) for part in kept.dataset.parts)
    assert_same(kept, made)


def test_the_second_start_prints_the_same(make: Make, template: CountingTemplate) -> None:
    first, second = (Console(file=io.StringIO(), width=200) for _ in range(2))
    data_of(make(SOTO, SOTO, ORAK, TELUR), template, first)
    data_of(make(SOTO, SOTO, ORAK, TELUR), template, second)
    assert "exact duplicate" in printed(first)
    assert printed(second) == printed(first)


@pytest.mark.slow
def test_the_titles_that_are_held_out_are_kept(template: CountingTemplate) -> None:
    config = load_config(settings={"data.tips": False})  # the recipes that ship
    made = data_of(config, template)
    assert made.held_out
    assert_same(data_of(config, template), made)


@pytest.mark.parametrize(
    "assignment",
    [
        "seed=7",
        "tokens.max_length=150",
        "data.tips=true",
        "data.refusals=true",
        "data.book_share=0.5",
        "data.columns={steps: Steps}",
        "data.items={steps: x}",
    ],
)
def test_a_setting_that_decides_the_conversations_has_an_entry_of_its_own(
    make: Make, template: CountingTemplate, folder: Path, assignment: str
) -> None:
    data_of(make(), template)
    config = make(assignments=[assignment])
    made = data_of(config, template)
    assert len(list(folder.iterdir())) == 2
    assert_same(data_of(config, template), made)


def test_settings_that_do_not_share_an_entry(make: Make, template: CountingTemplate, folder: Path) -> None:
    data_of(make(), template)
    all_supervised = data_of(make(assignments=["tokens.loss_on=all", "training.learning_rate=1"]), template)
    assert len(list(folder.iterdir())) == 1
    example = all_supervised.dataset[0]
    assert np.array_equal(example["labels"], example["input_ids"])


def test_another_system_prompt_or_tokenizer_shares_nothing(
    make: Make, template: CountingTemplate, tokenizer: PreTrainedTokenizerBase
) -> None:
    data_of(make(), template)
    other = CountingTemplate(tokenizer, "Kamu juru masak.")
    changed = load_tokenizer(tokenizer.name_or_path)
    changed.backend_tokenizer.normalizer = None
    for another in (other, CountingTemplate(changed, "Kamu Koki.")):
        data_of(make(), another)
        assert set(another.encoded) == set(template.encoded)


def test_a_damaged_entry_is_made_again(make: Make, template: CountingTemplate, folder: Path) -> None:
    made = data_of(make(), template)
    (entry,) = folder.iterdir()
    (entry / "00000.safetensors").unlink()  # written over, it would change under who has it open
    (entry / "00000.safetensors").touch()
    assert_same(data_of(make(), template), made)
    template.encoded.clear()
    assert_same(data_of(make(), template), made)
    assert not template.encoded


def test_without_a_cache_that_can_be_written_the_data_is_the_same_and_a_line_says_why(
    make: Make, template: CountingTemplate, console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = data_of(make(), template)
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "resep.csv" / "cache"))
    assert_same(data_of(make(), template, console), made)
    assert "the tokens are not kept for the next time" in printed(console)


def test_where_the_disk_of_the_cache_is_full_the_data_is_made_elsewhere(
    make: Make, template: CountingTemplate, folder: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, write = data_of(make(), template), Part.write

    def full(self: Part, path: Path, **facts: Any) -> None:
        if folder in path.parents:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write(self, path, **facts)

    monkeypatch.setattr(Part, "write", full)
    assert_same(
        data_of(make(assignments=["seed=7"]), template, console), data_of(make(assignments=["seed=7"]), template)
    )
    assert "No space left on device" in printed(console)
    assert_same(data_of(make(), template), made)


@pytest.mark.slow
def test_recipes_that_are_looked_at_meanwhile_are_not_read_a_second_time(
    template: CountingTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(settings={"data.tips": False, "evaluation.every_steps": 5})  # the recipes that ship
    read: list[tuple[Path, ...]] = []

    def counting(folder: Path, *files: Path, **how: Any) -> Recipes:
        read.append(files)
        return read_into(folder, *files, **how)

    monkeypatch.setattr(recipes_module, "read_into", counting)
    recipes = RecipesOfRun(config, check_files(config))
    tokenize(recipes, template, 8192, Console(quiet=True))
    assert tokenize_held_out(recipes, template, 8192) is not None
    assert len(read) == 1


def test_a_file_is_surveyed_twice_where_nothing_is_kept_and_once_where_it_is(
    make: Make, template: CountingTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, opened = make(), list[str]()
    (file,), open_regular = config.data.files, files.open_regular

    def counting(path: str | Path, most: int) -> BinaryIO:
        opened.append(str(path))
        return open_regular(path, most)

    monkeypatch.setattr(files, "open_regular", counting)
    for times in (5, 2):  # two surveys, each with a look at the header, and the rows
        opened.clear()
        recipes = RecipesOfRun(config, check_files(config))
        tokenize(recipes, template, 8192, Console(quiet=True))
        assert opened.count(file) == times


def test_a_file_that_changes_after_its_check_is_kept_under_what_was_parsed(
    make: Make, template: CountingTemplate, folder: Path
) -> None:
    checked = check_files(make(SOTO))
    made = tokenize(RecipesOfRun(make(ORAK), checked), template, 8192, Console(quiet=True))
    assert made.report.files[0].sha256 == check_files(make(ORAK))[0].sha256 != checked[0].sha256
    template.encoded.clear()
    assert_same(data_of(make(ORAK), template), made)
    assert not template.encoded
    assert data_of(make(SOTO), template).dataset.digest() != made.dataset.digest()
    assert len(list(folder.iterdir())) == 2


def test_data_of_the_bytes_that_were_checked_is_found_though_the_file_has_changed(
    make: Make, template: CountingTemplate
) -> None:
    made = data_of(make(SOTO), template)
    checked = check_files(make(SOTO))
    assert_same(tokenize(RecipesOfRun(make(ORAK), checked), template, 8192, Console(quiet=True)), made)


def test_held_out_recipes_whose_file_is_gone_are_an_error_also_where_the_tokens_are_in_the_cache(
    make: Make, template: CountingTemplate, tmp_path: Path
) -> None:
    config = make(assignments=["evaluation.every_steps=2"])
    data_of(config, template)
    recipes = RecipesOfRun(config, check_files(config))
    (tmp_path / "resep.csv").unlink()
    tokenize(recipes, template, 8192, Console(quiet=True))
    with pytest.raises(RecipeFileNotFound):
        tokenize_held_out(recipes, template, 8192)


def test_an_entry_is_made_anew_when_any_module_changes_that_makes_the_training_data() -> None:
    assert set(PROGRAM) == closure_of(["koki.data.build", IN_ANOTHER_PROCESS])
