"""A run's adapter alone as a GGUF file, which llama.cpp puts on the base's: ``--lora``."""

from pathlib import Path

import gguf
from gguf import GGUFWriter

import koki
from koki.errors import ModelError
from koki.gguf.write import ARCHITECTURES, add_base
from koki.language import _
from koki.model.lora import read_settings
from koki.model.merged import MergedWeights
from koki.model.names import SETTINGS
from koki.model.source import BaseSource


def write_adapter(path: Path, source: BaseSource, adapter: Path, name: str) -> None:
    """Write the pairs of an adapter, in float32.

    Args:
        path: written to directly; who calls puts the file into place.
        adapter: the folder that it lies in.
        name: of the chef, as people see it.

    Raises:
        ModelError: the base is damaged, or the adapter has more than pairs.
        CheckpointError: the adapter is damaged or belongs to another base.
        OSError: the file cannot be written.
    """
    architecture = ARCHITECTURES[source.config.model_type]
    names = gguf.get_tensor_name_map(architecture, source.config.num_hidden_layers)
    writer = GGUFWriter(path, gguf.MODEL_ARCH_NAMES[architecture])
    writer.add_type("adapter")
    writer.add_name(name)
    add_base(writer, source)
    writer.add_string("koki.version", koki.__version__)
    with MergedWeights(source, adapter) as weights:
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", float(read_settings(adapter / SETTINGS).lora_alpha))
        for weight, a, b in weights.pairs():
            there = names.get_name(weight, try_suffixes=(".weight",))
            if there is None:
                raise ModelError(
                    _(
                        "llama.cpp knows no {weight} in a model of the family {model_type}.",
                        weight=weight,
                        model_type=source.config.model_type,
                    )
                )
            writer.add_tensor(f"{there}.lora_a", a.numpy())
            writer.add_tensor(f"{there}.lora_b", b.numpy())
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
