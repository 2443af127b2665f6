"""The names of the files of an adapter, which are peft's."""

from typing import Final

SETTINGS: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"
