"""The run folder: opened without harm to what is in it, and filled only with whole files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peft import PeftModel
from transformers import PreTrainedTokenizerBase

from koki.config import RunConfig, to_yaml
from koki.errors import ConfigError
from koki.training import checkpoints
from koki.training.metadata import METADATA_FILE, model_card

CONFIG_FILE = "config.yaml"
TENSORBOARD = "tensorboard"
CURVES = "report/curves.png"


def open_run_folder(output: str, *, fresh: bool) -> tuple[Path, Path | None]:
    """Make the run folder, or find it.

    Args:
        output: the folder's path.
        fresh: set an earlier run aside, under another name, instead of going on from it.

    Returns:
        The folder, and where the earlier run lies now (None unless one was set aside).

    Raises:
        ConfigError: the path is a file, cannot be written, or holds something other than a run.
    """
    folder = Path(output).expanduser()
    set_aside = None
    try:
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"output {folder} is a file.", "Choose a folder: --output DIR")
        if folder.is_dir() and any(folder.iterdir()):
            if not (folder / CONFIG_FILE).exists() and not (folder / TENSORBOARD).exists():
                raise ConfigError(
                    f"output {folder} is not empty and was not made by Koki.", "Choose another: --output DIR"
                )
            if fresh:
                set_aside = _free_name(folder)
                folder.rename(set_aside)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"output {folder} cannot be used: {error}.", "Choose another: --output DIR") from error
    return folder, set_aside


def write_config(folder: Path, config: RunConfig) -> None:
    """The resolved configuration, enough to run it again."""
    beside = folder / f".{CONFIG_FILE}.new"
    beside.write_text(f"# Run it again: koki train --config {folder / CONFIG_FILE}\n{to_yaml(config)}", "utf-8")
    beside.replace(folder / CONFIG_FILE)


def save_result(folder: Path, model: PeftModel, tokenizer: PreTrainedTokenizerBase, card: Mapping[str, Any]) -> None:
    """Adapter, tokenizer, model card and metadata: written beside, then moved, the metadata last.

    A folder with metadata is therefore a finished run.
    """
    staging = checkpoints.staging_folder(folder)
    model.save_pretrained(str(staging))
    tokenizer.save_pretrained(str(staging))
    (staging / "README.md").write_text(model_card(dict(card)), "utf-8")
    for file in sorted(staging.iterdir()):
        file.replace(folder / file.name)
    staging.rmdir()
    checkpoints.write_json(folder / METADATA_FILE, card)


def _free_name(folder: Path) -> Path:
    number = 1
    while (candidate := folder.with_name(f"{folder.name}.old-{number}")).exists():
        number += 1
    return candidate
