"""The trainers that `train_speed.py` compares, and what it takes one of them to train.

All of them train the same adapter on the same base with the same examples in each optimizer step, in their order: the
reference's 2 x 4. The learning rate is high and without warm-up, so that losses that agree say something.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from torch.utils.data import BatchSampler, SequentialSampler
from transformers import Qwen2Config, Qwen2ForCausalLM, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from koki.config import RunConfig, load_config
from koki.libraries import quiet_libraries
from koki.model.base import load_base, prepare_for_training
from koki.model.device import Device, Precision, detect_device
from koki.model.lora import add_adapter, enable_input_gradients
from koki.model.lora_linear import fuse_lora
from koki.model.source import find_base, load_tokenizer
from koki.tokens.batches import StepCollator
from koki.tokens.dataset import IGNORED, Example
from koki.training.costs import Shape
from koki.training.processes import Processes
from koki.training.resolve import resolve
from koki.training.trainer import RecipeTrainer, training_arguments
from measuring import Clock, memory, reset_peak

EXAMPLES_A_STEP = 2 * 4

VOCABULARY = 151_936  # Qwen2.5's

# Shapes with weights drawn at random. full: thirty million parameters, of which two thirds are the vocabulary's.
SHAPES = {
    "full": Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=128,
        intermediate_size=1536,
        num_hidden_layers=16,
        num_attention_heads=2,
        num_key_value_heads=1,
        tie_word_embeddings=True,
    ),
    "0.5b": Qwen2Config(  # that of Qwen2.5-0.5B
        vocab_size=VOCABULARY,
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    ),
}


Result = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """A trainer and the settings in which it is timed."""

    trainer: Callable[[RunConfig, Device, Any, list[Example], Path], Trainer]
    says: str
    checkpointing: bool = True
    smoothing: float = 0.1


def plain(config: RunConfig, device: Device, model: Any, examples: list[Example], folder: Path) -> Trainer:
    """transformers.Trainer with the reference settings: every example padded to 512, all logits."""
    arguments = TrainingArguments(**_arguments(config, device, folder))
    return Trainer(model=model, args=arguments, train_dataset=examples, data_collator=_padded)


def trl_padded(config: RunConfig, device: Device, model: Any, examples: list[Example], folder: Path) -> Trainer:
    """TRL, padding to the longest example of a micro-batch."""
    return _trl(config, device, model, examples, folder, padding_free=False)


def trl_padding_free(config: RunConfig, device: Device, model: Any, examples: list[Example], folder: Path) -> Trainer:
    """TRL, the examples of a micro-batch in one row."""
    return _trl(config, device, model, examples, folder, padding_free=True)


def koki(config: RunConfig, device: Device, model: Any, examples: list[Example], folder: Path) -> Trainer:
    """Koki's trainer, put together as the pipeline does."""
    prepare_for_training(model.get_base_model(), config.model, gradient_checkpointing=False)
    settings = resolve(config, Shape.of(model.config), device)
    fuse_lora(model)
    arguments = training_arguments(settings, device, folder)
    arguments.save_strategy = transformers.trainer_utils.SaveStrategy.NO
    return RecipeTrainer(
        model=model,
        args=arguments,
        train_dataset=examples,
        data_collator=StepCollator(settings.training.tokens_per_micro_batch),
        sampler=BatchSampler(SequentialSampler(examples), arguments.train_batch_size, drop_last=False),
        run_folder=folder,
        config=settings,
        identity={},
        questions_in=lambda _: [],
        say=print,
        processes=Processes(),
    )


SIDES = {
    "plain": Side(plain, "Trainer, padded to 512"),
    "trl-smoothed": Side(trl_padding_free, "TRL, padding-free"),
    "trl-padded": Side(trl_padded, "TRL, padded", smoothing=0),
    "trl": Side(trl_padding_free, "TRL, padding-free", smoothing=0),
    "koki": Side(koki, "Koki"),
    "trl-free": Side(trl_padding_free, "TRL, padding-free", checkpointing=False, smoothing=0),
    "koki-free": Side(koki, "Koki", checkpointing=False),
}


def _trl(
    config: RunConfig, device: Device, model: Any, examples: list[Example], folder: Path, *, padding_free: bool
) -> Trainer:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    arguments = SFTConfig(
        **_arguments(config, device, folder),
        max_length=None,
        padding_free=padding_free,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    rows = Dataset.from_list([{name: column.tolist() for name, column in example.items()} for example in examples])
    tokenizer = load_tokenizer(find_base(load_config(preset="laptop").model).location)  # TRL pads with its pad token
    trainer: Trainer = SFTTrainer(model=model, args=arguments, train_dataset=rows, processing_class=tokenizer)
    return trainer


def _arguments(config: RunConfig, device: Device, folder: Path) -> dict[str, Any]:
    """What `koki.training.trainer.training_arguments` says, for trainers that accumulate on their own."""
    return {
        "output_dir": str(folder),
        "seed": config.seed,
        "max_steps": config.training.max_steps,
        "per_device_train_batch_size": config.training.per_device_train_batch_size,
        "gradient_accumulation_steps": config.training.gradient_accumulation_steps,
        "learning_rate": config.training.learning_rate,
        "warmup_steps": config.training.warmup_steps,
        "weight_decay": config.training.weight_decay,
        "label_smoothing_factor": config.training.label_smoothing_factor,
        "gradient_checkpointing": config.training.gradient_checkpointing,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        "train_sampling_strategy": "sequential",
        "logging_steps": 1,
        "save_strategy": "no",
        "use_cpu": device.kind == "cpu",
        "fp16": device.mixed_precision == "fp16",
        "bf16": device.mixed_precision == "bf16",
        "dataloader_pin_memory": False,
        "remove_unused_columns": False,
        "disable_tqdm": True,
        "report_to": [],
    }


def _padded(examples: list[Example], length: int = 512) -> dict[str, torch.Tensor]:
    def column(name: str, filler: int) -> torch.Tensor:
        rows = [np.pad(e[name], (0, length - len(e[name])), constant_values=filler) for e in examples]
        return torch.from_numpy(np.stack(rows))

    mask = torch.arange(length)[None] < torch.tensor([[len(example["input_ids"])] for example in examples])
    return {"input_ids": column("input_ids", 0), "attention_mask": mask.long(), "labels": column("labels", IGNORED)}


class Stopwatch(TrainerCallback):
    """Times all steps but the first, which warms up, and the memory that training adds to what was there before."""

    def __init__(self, device: Device) -> None:
        self._on_gpu = device.kind == "cuda"

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        if self._on_gpu:
            torch.cuda.reset_peak_memory_stats()
        reset_peak()
        self._before, _peak = self._memory()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        if self._on_gpu:
            torch.cuda.synchronize()
        if state.global_step == 1:
            self._clock = Clock()
        if state.global_step == state.max_steps:
            self.seconds = {name: value / (state.max_steps - 1) for name, value in self._clock.read().items()}
            self.memory = self._memory()[1] - self._before

    def _memory(self) -> tuple[int, int]:
        return (torch.cuda.memory_allocated(), torch.cuda.max_memory_allocated()) if self._on_gpu else memory()


def run(
    name: str,
    model: str,
    examples: list[Example],
    threads: int,
    dropout: float,
    precision: Precision | Literal["auto"],
    *,
    profile: bool,
) -> Result:
    """Train one side on all examples.

    Args:
        name: of `SIDES`.
        model: ``mini`` or one of `SHAPES`.
        profile: also tell what takes the time.
    """
    quiet_libraries()
    torch.set_num_threads(threads)
    side = SIDES[name]
    config, device = _config(side, examples, dropout), detect_device(precision)
    with tempfile.TemporaryDirectory() as folder, _profiled(profile) as table:
        trainer = side.trainer(config, device, _model(model, config, device), examples, Path(folder))
        trainer.remove_callback(PrinterCallback)
        stopwatch = Stopwatch(device)
        trainer.add_callback(stopwatch)
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {
        "seconds": stopwatch.seconds,
        "memory": stopwatch.memory,
        "losses": losses,
        "profile": table,
        "device": device.describe(),
    }


def _config(side: Side, examples: list[Example], dropout: float) -> RunConfig:
    settings = {
        "lora.lora_dropout": dropout,
        "training.max_steps": len(examples) // EXAMPLES_A_STEP,
        "training.learning_rate": 1e-3,
        "training.warmup_steps": 0,
        "training.label_smoothing_factor": side.smoothing,
        "training.gradient_checkpointing": side.checkpointing,
        "training.logging_steps": 1,
    }
    return load_config(preset="reference", settings={"model.name": "mini", **settings})


def _model(name: str, config: RunConfig, device: Device) -> Any:
    """The base of this name with a fresh adapter, the same in every process."""
    transformers.set_seed(config.seed)
    if name in SHAPES:
        with torch.device(device.kind):
            base: Any = Qwen2ForCausalLM(SHAPES[name])
        base.to(device.dtype)
    else:
        base = load_base(find_base(config.model), config.model, device)
    base.config.use_cache = False
    model = add_adapter(base, config.lora)
    if config.training.gradient_checkpointing:
        enable_input_gradients(model)
    return model


@contextmanager
def _profiled(wanted: bool) -> Iterator[list[str]]:
    """Holds, once left, what took the time."""
    table: list[str] = []
    if not wanted:
        yield table
        return
    with torch.profiler.profile() as profile:
        yield table
    clock = "self_device_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
    table.append(profile.key_averages().table(sort_by=clock, row_limit=15, max_name_column_width=40))
