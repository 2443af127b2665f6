"""One GGUF file: what it says of the model, then its tensors, written one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import gguf
import numpy as np
import numpy.typing as npt
import torch
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType
from transformers import PretrainedConfig, PreTrainedTokenizerBase

import koki
from koki.errors import ModelError
from koki.gguf.chat_template import with_system_prompt
from koki.gguf.hyperparameters import add_hyperparameters
from koki.gguf.vocabulary import add_vocabulary
from koki.language import N_, _
from koki.model.merged import MergedWeights, require_float16
from koki.model.source import BaseSource
from koki.tokens.template import ChatTemplate

_Kind = GGMLQuantizationType

ARCHITECTURES: Final = {"qwen2": gguf.MODEL_ARCH.QWEN2, "qwen3": gguf.MODEL_ARCH.QWEN3}
"""llama.cpp's for each of the model types that Koki trains."""
_ENDINGS: Final = (".weight", ".bias")
# Of the two matrices of the vocabulary, often one, each row is looked up or compared as a whole: they keep 8 bits.
_OF_THE_VOCABULARY: Final = ("token_embd.weight", "output.weight")


@dataclass(frozen=True, slots=True)
class _Type:
    """What a file of one type holds matrices as; all else is float32.

    Attributes:
        vocabulary: those of the vocabulary.
        number: llama.cpp's for the file.
    """

    matrices: GGMLQuantizationType
    vocabulary: GGMLQuantizationType
    number: LlamaFileType


_TYPES: Final = {
    "f32": _Type(_Kind.F32, _Kind.F32, LlamaFileType.ALL_F32),
    "f16": _Type(_Kind.F16, _Kind.F16, LlamaFileType.MOSTLY_F16),
    "bf16": _Type(_Kind.BF16, _Kind.BF16, LlamaFileType.MOSTLY_BF16),
    "q8_0": _Type(_Kind.Q8_0, _Kind.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    "q5_0": _Type(_Kind.Q5_0, _Kind.Q8_0, LlamaFileType.MOSTLY_Q5_0),
    "q4_0": _Type(_Kind.Q4_0, _Kind.Q8_0, LlamaFileType.MOSTLY_Q4_0),
}
TYPES: Final = tuple(_TYPES)
"""The types of a file, under llama.cpp's names: how its matrices are rounded."""


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself.

    Attributes:
        name: of the chef, as people see it.
        licence: of the base, as an SPDX identifier or what its card says; None where that is not known.
    """

    name: str
    licence: str | None


@dataclass(frozen=True, slots=True)
class _Tensor:
    """One tensor of the file: its name there and in transformers, its shape, and what it is held as."""

    name: str
    origin: str
    shape: tuple[int, ...]
    kind: GGMLQuantizationType

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """The shape in bytes, which the library wants of what is rounded."""
        block, size = gguf.GGML_QUANT_SIZES[self.kind]
        return (*self.shape[:-1], self.shape[-1] // block * size)

    @property
    def bytes(self) -> int:
        return int(np.prod(self.stored_shape))


def write_gguf(
    path: Path,
    weights: MergedWeights,
    source: BaseSource,
    tokenizer: PreTrainedTokenizerBase,
    template: ChatTemplate,
    *,
    file_type: str,
    about: About,
) -> None:
    """Write a GGUF file; beyond its libraries this takes the memory of the largest tensor, two or three times.

    Args:
        path: written to directly; who calls puts the file into place.
        weights: of the model of ``source``.
        file_type: one of `TYPES`.

    Raises:
        ModelError: llama.cpp cannot run a model of this kind, or a value does not fit into 16 bits.
        OSError: the file cannot be written.
    """
    writer = GGUFWriter(path, gguf.MODEL_ARCH_NAMES[ARCHITECTURES[source.config.model_type]])
    tensors = list(_plan(weights, source.config, _TYPES[file_type]))
    _add_about(writer, source, about)
    writer.add_file_type(_TYPES[file_type].number)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    add_hyperparameters(writer, source.config)
    add_vocabulary(writer, tokenizer, template.stop_id, source.config.vocab_size)
    writer.add_chat_template(with_system_prompt(str(tokenizer.chat_template), template.system))
    for tensor in tensors:
        writer.add_tensor_info(
            tensor.name, tensor.stored_shape, np.dtype(np.uint8), tensor.bytes, raw_dtype=tensor.kind
        )
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for tensor in tensors:
            writer.write_tensor_data(_rounded(tensor, weights.tensor(tensor.origin)))
    finally:
        writer.close()


def size_of_gguf(weights: MergedWeights, config: PretrainedConfig, file_type: str) -> int:
    """Bytes of the tensors of a file, which are nearly all of it."""
    return sum(tensor.bytes for tensor in _plan(weights, config, _TYPES[file_type]))


def _plan(weights: MergedWeights, config: PretrainedConfig, file_type: _Type) -> Iterator[_Tensor]:
    names = gguf.get_tensor_name_map(ARCHITECTURES[config.model_type], config.num_hidden_layers)
    for origin, shape in weights.shapes.items():
        name = names.get_name(origin, try_suffixes=_ENDINGS)
        if name is None:
            raise ModelError(
                _(
                    "llama.cpp knows no {weight} in a model of the family {model_type}.",
                    weight=origin,
                    model_type=config.model_type,
                )
            )
        yield _Tensor(name, origin, shape, _kind(name, shape, file_type))


def _kind(name: str, shape: tuple[int, ...], file_type: _Type) -> GGMLQuantizationType:
    if len(shape) == 1:
        return _Kind.F32
    kind = file_type.vocabulary if name in _OF_THE_VOCABULARY else file_type.matrices
    # numbers are rounded in blocks, of which a row must have a whole number
    return kind if shape[-1] % gguf.GGML_QUANT_SIZES[kind][0] == 0 else _Kind.F16


def _rounded(tensor: _Tensor, values: torch.Tensor) -> npt.NDArray[np.uint8]:
    """The bytes of a tensor.

    Raises:
        ModelError: a value is too large for float16.
    """
    if tensor.kind is _Kind.F16:
        require_float16(tensor.origin, values, N_("Choose another type: bf16 or f32."))
    return gguf.quantize(values.numpy(), tensor.kind).view(np.uint8)


def _add_about(writer: GGUFWriter, source: BaseSource, about: About) -> None:
    writer.add_type("model")
    writer.add_name(about.name)
    if about.licence:
        writer.add_license(about.licence)
    writer.add_languages(["id"])
    add_base(writer, source)
    writer.add_string("koki.version", koki.__version__)


def add_base(writer: GGUFWriter, source: BaseSource) -> None:
    """Say which base it is, and its commit or the fingerprint of its weights."""
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, source.public_name)
    writer.add_base_model_version(0, source.revision)
    if source.hub:
        writer.add_base_model_repo_url(0, f"https://huggingface.co/{source.hub.id}")
