"""The configuration: the reference settings as defaults, precedence, and errors that name the mend."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from koki.config import RunConfig, flatten, load_config, preset_names, preset_of, read_assignments, to_yaml
from koki.errors import ConfigError

REFERENCE = {
    "lora.r": 16,
    "lora.lora_alpha": 32,
    "lora.lora_dropout": 0.05,
    "lora.bias": "none",
    "lora.target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    "data.variations": "all",
    "tokens.max_length": 512,
    "training.num_train_epochs": 3,
    "training.per_device_train_batch_size": 2,
    "training.gradient_accumulation_steps": 4,
    "training.learning_rate": 2e-5,
    "training.weight_decay": 0.01,
    "training.warmup_steps": 100,
    "training.label_smoothing_factor": 0.1,
    "training.gradient_checkpointing": True,
    "training.save_steps": 500,
    "training.save_total_limit": 2,
    "training.logging_steps": 100,
}


@pytest.mark.parametrize(("name", "value"), REFERENCE.items())
def test_the_reference_settings_are_the_defaults(name: str, value: object) -> None:
    assert flatten(load_config())[name] == value


def test_each_default_says_where_it_comes_from() -> None:
    lines = to_yaml(load_config()).splitlines()
    settings = [line for line in lines if line.partition("#")[0].partition(": ")[2].strip()]
    assert len(settings) == len(flatten(load_config()))
    assert all("#" in line and line.endswith("]") for line in settings)


def test_later_wins_defaults_preset_file_flags_assignments(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("training: {learning_rate: 0.5, warmup_steps: 7}\n")
    config = load_config(
        file, preset="laptop", settings={"seed": 5} | read_assignments(["training.warmup_steps=9", "seed=6"])
    )
    assert config.model.name == "mini"
    assert config.training.learning_rate == 0.5
    assert config.training.warmup_steps == 9
    assert config.seed == 6
    assert config.training.weight_decay == 0.01


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**32 - 1),
    rate=st.floats(1e-9, 1.0),
    files=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1), max_size=3),
)
def test_a_printed_configuration_reads_back_as_itself(seed: int, rate: float, files: list[str]) -> None:
    config = RunConfig.model_validate({"seed": seed, "training": {"learning_rate": rate}, "data": {"files": files}})
    assert RunConfig.model_validate(yaml.safe_load(to_yaml(config))) == config


@pytest.mark.parametrize(
    ("assignment", "nearest"),
    [
        ("training.learningrate=1", "training.learning_rate"),
        ("learning_rate=1", "training.learning_rate"),
        ("modl.name=x", "model"),
        ("lora.alpha=3", "lora.lora_alpha"),
    ],
)
def test_an_unknown_setting_is_an_error_with_the_nearest_right_name(assignment: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match="There is no setting") as caught:
        load_config(settings=read_assignments([assignment]))
    assert f"Did you mean '{nearest}'?" in caught.value.how


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("lora.r=0", "lora.r cannot be 0"),
        ("data.variations=0", "data.variations cannot be 0"),
        ("tokens.loss_on=question", "tokens.loss_on cannot be 'question'"),
        ("model=3", "model is a section"),
        ("seed", "not of the form key=value"),
    ],
)
def test_a_value_out_of_range_is_an_error_that_names_the_setting(assignment: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(settings=read_assignments([assignment]))


def test_a_number_in_scientific_notation_is_a_number() -> None:
    assert load_config(settings=read_assignments(["training.learning_rate=1e-4"])).training.learning_rate == 1e-4


def test_settings_may_be_dotted_or_in_sections_and_none_is_a_value() -> None:
    settings = {"seed": 7, "lora": {"r": 4}, "training.save_minutes": None, "data.files": [Path("a.csv"), "b.csv"]}
    config = load_config(settings=settings)
    assert (config.seed, config.lora.r, config.lora.lora_alpha) == (7, 4, 32)
    assert config.training.save_minutes is None
    assert config.data.files == ("a.csv", "b.csv")
    with pytest.raises(ConfigError, match=r"training\.save_steps cannot be None"):
        load_config(settings={"training.save_steps": None})


@pytest.mark.parametrize("name", preset_names())
def test_the_preset_of_settings_is_known_whatever_else_is_set(name: str) -> None:
    assert preset_of(flatten(load_config(preset=name, settings={"seed": 7}))) == name
    assert preset_of(flatten(load_config(preset=name, settings={"data.variations": 3}))) is None  # which each sets
    assert preset_of(flatten(RunConfig())) is None


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(preset="refrence")
    assert "'reference'" in caught.value.how


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_that_ships_is_valid(name: str) -> None:
    assert load_config(preset=name) != load_config()


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "just text"])
def test_a_configuration_file_that_is_none_is_an_error_with_its_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rusak.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"rusak\.yaml"):
        load_config(file)


def test_a_missing_configuration_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tidak-ada\.yaml is not there"):
        load_config(tmp_path / "tidak-ada.yaml")
