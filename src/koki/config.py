"""One typed configuration for a whole run; each default says where it comes from.

Precedence, later wins: defaults < preset < configuration file < single settings.
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from koki import files
from koki.errors import ConfigError
from koki.language import N_, OF_PYDANTIC, _, retold

_MOST_BYTES: Final = 1_000_000  # of a configuration file; one with every setting has about 4,000
_DEEPEST: Final = 20  # levels of a configuration file; settings have three


def _setting(default: Any, says: str, source: str, **limits: Any) -> Any:
    """A field whose comment in ``koki config`` reads ``says [source]``."""
    return Field(default, description=f"{says} [{source}]", **limits)


def _path_as_text(value: Any) -> Any:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    return (files.hub_path(text) or text) if isinstance(text, str) else text


_PathText = Annotated[str, BeforeValidator(_path_as_text)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True, frozen=True, allow_inf_nan=False)


class ModelConfig(_Section):
    """Which base model, and how it is held in memory."""

    name: _PathText = _setting(
        "0.5b",
        "mini, 0.5b, 1.5b, 3b, 0.6b, 1.7b, sailor2-1b, a local folder, or a hub id of the Qwen2 or Qwen3 family",
        "reference",
    )
    revision: str | None = _setting(None, "branch, tag or commit on the hub; null is the newest", "Koki")
    quantization: Literal["4bit", "8bit"] | None = _setting(
        None, "4bit, 8bit (both need CUDA and bitsandbytes) or null", "Koki: the base keeps its dtype"
    )


class LoraConfig(_Section):
    """The adapter, in peft's terms."""

    r: int = _setting(16, "rank", "reference", ge=1)
    lora_alpha: int = _setting(32, "scale: the update is multiplied by lora_alpha / r", "reference", ge=1)
    lora_dropout: float = _setting(0.05, "dropout before the adapter", "reference", ge=0, lt=1)
    bias: Literal["none", "all", "lora_only"] = _setting("none", "which biases are trained", "reference")
    target_modules: tuple[str, ...] = _setting(
        ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        "the projections that get an adapter",
        "reference",
        min_length=1,
    )


class DataConfig(_Section):
    """The recipes, and how many conversations are made of them."""

    files: tuple[_PathText, ...] = _setting(
        (),
        "recipe files, data/*.csv or hf://datasets/OWNER/NAME; empty means the recipes that ship with Koki",
        "Koki",
    )
    columns: dict[str, str] = _setting(
        {}, "columns under names of their own: {title: ..., ingredients: ..., steps: ...}", "Koki"
    )
    items: dict[Literal["ingredients", "steps"], Annotated[str, Field(min_length=1)]] = _setting(
        {}, "what separates items, where Koki does not find it: {ingredients: ..., steps: ...}", "Koki"
    )
    sheet: str | None = _setting(
        None, "sheet of a workbook (.xlsx, .ods); null is each that has the columns, but for hidden ones", "Koki"
    )
    variations: Literal["all"] | Annotated[int, Field(ge=1)] = _setting(
        "all", "conversations of each recipe in one epoch: all, or a number drawn anew each epoch", "reference"
    )
    book_share: float = _setting(
        0.0,
        "share of the conversations drawn that are answered from pages of the book; 0: all are from memory",
        "reference: trains without",
        ge=0,
        le=1,
    )
    typing_noise: float = _setting(
        0.5,
        "share of questions about recipes that are typed as on a phone, another way each epoch; 0 is none",
        "Koki",
        ge=0,
        le=1,
    )
    validation_fraction: float = _setting(
        0.05,
        "share held out by title, of 100 recipes or more, to measure what was learned; 0 trains on all",
        "Koki",
        ge=0,
        lt=1,
    )
    tips: bool = _setting(True, "also train on tips of traditional cooking", "reference")
    refusals: bool = _setting(True, "also train on small talk and on declining what is not cooking", "Koki")
    book: bool = _setting(
        True, "write all recipes, held-out ones too, and the tips into book.sqlite in the run folder", "Koki"
    )


class TokensConfig(_Section):
    """How conversations become token ids."""

    max_length: int = _setting(512, "tokens of one conversation; none is ever cut", "reference", ge=16)
    loss_on: Literal["answer", "all"] = _setting(
        "answer", "train on the answer and its stop token, or on all tokens", "Koki: a chef answers"
    )


class TrainingConfig(_Section):
    """transformers.TrainingArguments under their own names."""

    num_train_epochs: int = _setting(3, "passes over the recipes", "reference", ge=1)
    max_steps: int = _setting(-1, "optimizer steps; -1 leaves it to num_train_epochs", "Hugging Face", ge=-1)
    per_device_train_batch_size: int = _setting(2, "conversations in a micro-batch", "reference", ge=1)
    gradient_accumulation_steps: int = _setting(4, "micro-batches in an optimizer step", "reference", ge=1)
    tokens_per_micro_batch: int | None = _setting(
        None,
        "tokens that go through the model at once; null is per_device_train_batch_size x tokens.max_length, on a GPU "
        "as much of a step as fits",
        "Koki: the memory that the reference micro-batch may need",
        ge=1,
    )
    learning_rate: float = _setting(2e-5, "peak learning rate", "reference", gt=0)
    lr_scheduler_type: Literal["linear", "cosine", "constant_with_warmup"] = _setting(
        "linear", "course of the learning rate after warm-up", "Hugging Face"
    )
    warmup_steps: int = _setting(100, "steps in which the learning rate rises from 0", "reference", ge=0)
    weight_decay: float = _setting(0.01, "of AdamW", "reference", ge=0)
    max_grad_norm: float = _setting(1.0, "gradients are clipped to this norm", "Hugging Face", ge=0)
    label_smoothing_factor: float = _setting(
        0.1, "share of the target spread over the whole vocabulary", "reference", ge=0, lt=1
    )
    mixed_precision: Literal["auto", "best", "no", "fp16", "bf16"] = _setting(
        "auto", "auto is fp16 on CUDA and no (float32) elsewhere; best is bf16 on a GPU or CPU that has it", "reference"
    )
    gradient_checkpointing: bool | Literal["auto"] = _setting(
        True, "compute activations twice to hold fewer; auto is only where memory is short", "reference"
    )
    save_steps: int = _setting(500, "a checkpoint every so many steps", "reference", ge=1)
    save_minutes: float | None = _setting(
        None, "also a checkpoint whenever so many minutes have gone by without one; null is never", "Koki", gt=0
    )
    save_total_limit: int = _setting(2, "checkpoints kept", "reference", ge=1)
    logging_steps: int = _setting(100, "a line in the log every so many steps", "reference", ge=1)
    max_nonfinite_steps: int = _setting(
        3, "steps in a row whose loss is not finite, each left out, before training stops", "Koki", ge=1
    )
    dataloader_num_workers: int = _setting(0, "processes that put batches together", "Hugging Face", ge=0)


class EvaluationConfig(_Section):
    """What is looked at while the model trains; `koki evaluate` looks closer, afterwards."""

    every_steps: int | None = _setting(
        None,
        "held-out loss and three answers every so many steps, before the first and after the last; null is never",
        "reference: trains without",
        ge=1,
    )
    early_stopping_patience: int | None = _setting(
        None, "stop after so many evaluations in a row without a new lowest loss; null is never", "Hugging Face", ge=1
    )
    load_best_model_at_end: bool = _setting(
        False, "the result is the adapter of the lowest held-out loss, never rotated away, not the last", "Hugging Face"
    )

    @field_validator("early_stopping_patience", "load_best_model_at_end")
    @classmethod
    def _is_evaluated(cls, value: int | bool | None, info: ValidationInfo) -> int | bool | None:
        """Refuse what depends on the held-out loss where that is never measured."""
        if value and info.data.get("every_steps") is None:
            raise PydanticCustomError("not_evaluated", "it needs evaluation.every_steps")
        return value


class RunConfig(_Section):
    """Everything a run depends on."""

    output: _PathText = _setting("runs/koki", "the run folder", "Koki")
    seed: int = _setting(42, "of everything that is drawn", "Hugging Face", ge=0, le=2**32 - 1)  # NumPy's limits
    model: ModelConfig = ModelConfig()
    lora: LoraConfig = LoraConfig()
    data: DataConfig = DataConfig()
    tokens: TokensConfig = TokensConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


class ResolvedTrainingConfig(TrainingConfig):
    """`TrainingConfig` in which no setting is left to be decided."""

    tokens_per_micro_batch: int
    mixed_precision: Literal["no", "fp16", "bf16"]
    gradient_checkpointing: bool


class ResolvedConfig(RunConfig):
    """`RunConfig` as a run uses it, made by `koki.training.resolve.resolve`: no ``auto``, and no null that means it."""

    training: ResolvedTrainingConfig


# Settings that may differ between a checkpoint and the run that resumes it: they do not change how a step updates the
# weights. Those of the evaluation decide which step is the result, from then on.
HARMLESS_ON_RESUME: Final = frozenset(
    {
        "output",
        "data.files",  # the recipes themselves are compared, wherever their files lie now
        "data.columns",
        "data.sheet",
        "data.items",
        "data.book",
        "training.gradient_checkpointing",
        "training.save_steps",
        "training.save_minutes",
        "training.save_total_limit",
        "training.logging_steps",
        "training.max_nonfinite_steps",
        "training.dataloader_num_workers",
        "evaluation.every_steps",
        "evaluation.early_stopping_patience",
        "evaluation.load_best_model_at_end",
    }
)


def load_config(
    file: str | Path | None = None, *, preset: str | None = None, settings: Mapping[str, Any] | None = None
) -> RunConfig:
    """Make a configuration: the defaults, what a preset changes of them, what a file changes, and single settings.

    Args:
        file: a YAML file with any part of the configuration, such as ``koki config`` prints.
        preset: name of one that ships with Koki: reference, fast or laptop.
        settings: dotted name -> value, or section -> its settings.

    Raises:
        ConfigError: unknown preset, unreadable file, unknown setting or value out of range.

    >>> from koki import load_config
    >>> config = load_config(preset="laptop", settings={"data.files": ["resep.csv"], "training.max_steps": 200})
    >>> config.training.max_steps
    200
    """
    merged: dict[str, Any] = {}
    if preset is not None:
        _merge(merged, _read_yaml(_preset_path(preset).read_text("utf-8"), f"preset {preset}"))
    if file is not None:
        _merge(merged, _read_yaml(_read_text(Path(file)), str(file)))
    for name, value in (settings or {}).items():
        _merge(merged, _nest(name, value))
    return _validate(merged)


def read_assignments(texts: Iterable[str]) -> dict[str, Any]:
    """The settings that ``key=value`` texts make, section by section; the values are read as YAML, the last one counts.

    Raises:
        ConfigError: a text is not of that form, or its value is no YAML.
    """
    merged: dict[str, Any] = {}
    for text in texts:
        _merge(merged, _nest(*_parse_assignment(text)))
    return merged


def preset_names() -> list[str]:
    """The presets that ship with Koki, in alphabetical order."""
    folder = resources.files("koki") / "presets"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def preset_of(settings: Mapping[str, Any]) -> str | None:
    """The preset all of whose settings these are, by dotted name; of several the one that sets the most."""
    configs = {name: load_config(preset=name) for name in preset_names()}
    presets = {name: _flat(config.model_dump(mode="json", exclude_unset=True)) for name, config in configs.items()}
    fitting = [name for name, preset in presets.items() if preset.items() <= settings.items()]
    return max(fitting, key=lambda name: len(presets[name]), default=None)


def flatten(config: RunConfig) -> dict[str, Any]:
    """Dotted name -> JSON-ready value, for every setting."""
    return _flat(config.model_dump(mode="json"))


def _flat(nested: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{inner}": inner_value for inner, inner_value in value.items()})
        else:
            flat[name] = value
    return flat


def from_anywhere(config: RunConfig) -> RunConfig:
    """The configuration with the paths of its output and its recipes written out from the root on."""
    recipes = tuple(files.hub_path(file) or str(Path(file).expanduser().absolute()) for file in config.data.files)
    return config.model_copy(
        update={
            "output": str(Path(config.output).expanduser().absolute()),
            "data": config.data.model_copy(update={"files": recipes}),
        }
    )


def to_yaml(config: RunConfig) -> str:
    """The configuration as YAML; a comment says what each setting is and where its default comes from."""
    lines: list[str] = []
    for name, field in RunConfig.model_fields.items():
        value = getattr(config, name)
        if isinstance(value, _Section):
            lines += ["", f"{name}:  # {_((type(value).__doc__ or '').rstrip('.'))}"]
            lines += [
                f"  {_line(inner, inner_field, getattr(value, inner))}"
                for inner, inner_field in type(value).model_fields.items()
            ]
        else:
            lines.append(_line(name, field, value))
    return "\n".join(lines) + "\n"


def _line(name: str, field: FieldInfo, value: Any) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, width=1000, allow_unicode=True)
    return f"{name}: {text.removesuffix('...' + chr(10)).strip()}  # {_(field.description or '')}"


def _preset_path(name: str) -> Path:
    if name not in preset_names():
        suggested = _suggest(name, preset_names(), N_("Presets: {names}."))
        raise ConfigError(_("There is no preset {name!r}.", name=name), suggested)
    return Path(str(resources.files("koki") / "presets" / f"{name}.yaml"))


def _read_text(file: Path) -> str:
    try:
        return files.read_bytes(file, _MOST_BYTES).decode("utf-8")
    except FileNotFoundError:
        raise ConfigError(
            _("Configuration file {file} is not there.", file=file), _("`koki config > FILE` writes one to start from.")
        ) from None
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a path with a NUL character
        raise ConfigError(_("Configuration file {file} cannot be read: {error}.", file=file, error=error)) from None


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that refuses aliases, with which ten lines can stand for a billion values, and deep nesting."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(_("an alias (*name) is not read, line {line}", line=self._line()))
        if self._depth == _DEEPEST:
            raise yaml.YAMLError(_("deeper than {deepest} levels, line {line}", deepest=_DEEPEST, line=self._line()))
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _line(self) -> int:
        line: int = self.get_mark().line + 1
        return line


# ValueError is raised for what looks like a number or a date and is none, or has thousands of digits.
_YAML_ERRORS: Final = (yaml.YAMLError, ValueError)


def _read_yaml(text: str, where: str) -> dict[str, Any]:
    try:
        loaded = yaml.load(text, _PlainLoader)
    except _YAML_ERRORS as error:
        raise ConfigError(
            _("{where} is not valid YAML: {reason}", where=where, reason=" ".join(str(error).split()))
        ) from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError(
            _("{where} holds no settings.", where=where), _("It should look like the output of `koki config`.")
        )
    return loaded


def _merge(into: dict[str, Any], new: Mapping[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _nest(dotted: str, value: Any) -> dict[str, Any]:
    for key in reversed(dotted.split(".")):
        value = {key: value}
    nested: dict[str, Any] = value
    return nested


def _parse_assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ConfigError(
            _("--set {text!r} is not of the form key=value.", text=text),
            _("Example: --set training.learning_rate=1e-4"),
        )
    try:
        return name.strip(), _number(yaml.load(value, _PlainLoader))
    except _YAML_ERRORS:
        raise ConfigError(_("--set {text!r}: the value is not valid YAML.", text=text)) from None


def _number(value: Any) -> Any:
    """The number that a text such as 1e-4 stands for, which YAML 1.1 reads as text; any other value as it is."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _validate(merged: dict[str, Any]) -> RunConfig:
    try:
        return RunConfig.model_validate(merged)
    except ValidationError as error:
        raise _explain(error.errors()) from None


def _explain(errors: list[ErrorDetails]) -> ConfigError:
    first = errors[0]
    known = list(flatten(RunConfig()))
    if first["type"] == "extra_forbidden":
        name = ".".join(str(part) for part in first["loc"])
        return ConfigError(
            _("There is no setting {name!r}.", name=name),
            _suggest(name, [*known, *_sections()], N_("Settings: {names}.")),
        )
    # pydantic appends the member of a union, or the index in a list, to the setting's own place
    place = first["loc"][:2]
    name = ".".join(str(part) for part in place)
    if name in _sections():
        return ConfigError(
            _("{name} is a section, not a setting.", name=name), _("Example: {setting}", setting=_sections()[name])
        )
    reasons = [reason_of(error) for error in errors if error["loc"][:2] == place]
    return ConfigError(
        _(
            "Setting {name} cannot be {value}: {reasons}.",
            name=name,
            value=_shown(first["input"]),
            reasons=_(", or ").join(reasons),
        )
    )


def reason_of(error: ErrorDetails) -> str:
    """Why pydantic refuses a value."""
    return retold(error["msg"].lower(), *OF_PYDANTIC)


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.200}"
    except ValueError:  # Python writes no number of more than 4,300 digits
        return _("so long a number")


def _sections() -> dict[str, str]:
    """Section name -> its first setting, dotted."""
    return {name.partition(".")[0]: name for name in reversed(list(flatten(RunConfig()))) if "." in name}


def _suggest(wrong: str, known: list[str], otherwise: str) -> str:
    """The nearest right name; a bare setting name is also looked for in the sections."""
    by_last_part = {name.rpartition(".")[2]: name for name in known}
    near = difflib.get_close_matches(wrong, known, n=1, cutoff=0.6)
    near = near or [
        by_last_part[match]
        for match in difflib.get_close_matches(wrong.rpartition(".")[2], by_last_part, n=1, cutoff=0.6)
    ]
    return _("Did you mean {name!r}?", name=near[0]) if near else _(otherwise, names=", ".join(known))
