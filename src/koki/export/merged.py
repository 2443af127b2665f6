"""A run as whole weights: the base with the adapter merged into it, and all that other programs read beside that."""

import copy
import shutil
from pathlib import Path
from typing import Any, Final

import torch
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors.torch import save_file

import koki
from koki import files
from koki.errors import RunError
from koki.export.card import card_of_merged
from koki.export.folder import require_known, require_ours
from koki.gguf.chat_template import with_system_prompt
from koki.gguf.of_run import RECORD, require_space
from koki.language import N_, _
from koki.model.merged import MergedWeights, require_float16
from koki.model.source import BaseSource, licence_of, load_tokenizer
from koki.runs.finished import FinishedRun, base_of
from koki.runs.names import METADATA, MODEL_CARD
from koki.runs.result import generation_config

_DTYPES: Final = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
_KIND: Final = "merged"
_INDEX: Final = "model.safetensors.index.json"
_LARGEST_FILE: Final = 5_000_000_000  # bytes, as transformers has it


def export_merged(run: FinishedRun, folder: Path, dtype: str) -> int:
    """Write a run as whole weights, which are merged in float32; takes the memory of a shard, at most 5 GB.

    Args:
        folder: written beside and renamed; an earlier export of this kind is replaced.
        dtype: float32, float16 or bfloat16.

    Returns:
        Bytes of the weights.

    Raises:
        ConfigError: there is no such dtype, or the folder is something else.
        RunError: the base is not what the run was trained on, or it cannot be written.
        ModelError, CheckpointError: base or adapter cannot be read, or a value does not fit into float16.
    """
    require_known(dtype, _DTYPES, N_("There is no dtype {name!r}."))
    require_ours(folder, _KIND)
    source = base_of(run)
    with MergedWeights(source, run.folder) as weights:
        shards = _shards(weights, _DTYPES[dtype])
        require_space(folder, shards.metadata["total_size"], _("the weights"))
        with files.failing_as(RunError, folder), files.replacing(folder) as new:
            for file, names in shards.filename_to_tensors.items():
                tensors = {name: _rounded(name, weights.tensor(name), _DTYPES[dtype]) for name in names}
                save_file(tensors, new / file, metadata={"format": "pt"})
            if shards.is_sharded:
                index = {"metadata": shards.metadata, "weight_map": shards.tensor_to_filename}
                files.write_json(new / _INDEX, index)
            _write_what_goes_with_them(run, source, new, dtype)
            for file in shards.filename_to_tensors:  # safetensors lets nobody else read them
                shutil.copymode(new / RECORD, new / file)
    return int(shards.metadata["total_size"])


def _shards(weights: MergedWeights, dtype: torch.dtype) -> Any:
    """Which file each tensor goes to, found without memory for any."""
    return split_torch_state_dict_into_shards(
        {name: torch.empty(shape, dtype=dtype, device="meta") for name, shape in weights.shapes.items()},
        max_shard_size=_LARGEST_FILE,
    )


def _rounded(name: str, tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The tensor in another dtype.

    Raises:
        ModelError: a value is too large for it.
    """
    if dtype == torch.float16:
        require_float16(name, tensor, N_("Choose another: --dtype bfloat16."))
    return tensor.to(dtype).contiguous()


def _write_what_goes_with_them(run: FinishedRun, source: BaseSource, folder: Path, dtype: str) -> None:
    tokenizer = load_tokenizer(run.folder)
    tokenizer.chat_template = with_system_prompt(str(tokenizer.chat_template), run.card["system_prompt"])
    tokenizer.save_pretrained(str(folder))
    generation = generation_config(tokenizer)
    generation.save_pretrained(str(folder))
    config = copy.deepcopy(source.config)
    config.dtype = _DTYPES[dtype]
    config.eos_token_id, config.pad_token_id = generation.eos_token_id, generation.pad_token_id
    config.save_pretrained(str(folder))
    files.write_json(folder / METADATA, run.card)
    files.write_text(folder / MODEL_CARD, card_of_merged(run, licence_of(source), dtype))
    files.write_json(folder / RECORD, {_KIND: {"dtype": dtype, "base": source.revision, "koki": koki.__version__}})
