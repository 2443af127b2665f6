"""A thin trainer: loss and data position, nothing else."""

import math
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import TrainingArguments

from koki.config import RunConfig
from koki.model.device import Device
from koki.training.durable import DurableTrainer
from koki.training.loss import supervised_loss


def training_arguments(config: RunConfig, device: Device, run_folder: Path) -> TrainingArguments:
    """The mission's arguments as transformers takes them."""
    training = config.training
    arguments = TrainingArguments(
        output_dir=str(run_folder),
        seed=config.seed,
        num_train_epochs=training.num_train_epochs,
        max_steps=training.max_steps,
        per_device_train_batch_size=training.per_device_train_batch_size,
        gradient_accumulation_steps=training.gradient_accumulation_steps,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.lr_scheduler_type,
        warmup_steps=training.warmup_steps,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        label_smoothing_factor=training.label_smoothing_factor,
        fp16=device.mixed_precision == "fp16",
        bf16=device.mixed_precision == "bf16",
        use_cpu=device.kind == "cpu",
        gradient_checkpointing=training.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        save_strategy="steps",
        save_steps=training.save_steps,
        logging_strategy="steps",
        logging_steps=training.logging_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that is not a number must show
        dataloader_num_workers=training.dataloader_num_workers,
        dataloader_pin_memory=device.kind == "cuda",
        include_num_input_tokens_seen="non_padding",
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to=[],
    )
    if device.count > 1:
        arguments._n_gpu = 1  # device_map spreads one model over the GPUs; DataParallel would copy it
    return arguments


def optimizer_steps(arguments: TrainingArguments, examples: int) -> int:
    """Steps of a whole run on so many examples an epoch."""
    if arguments.max_steps > 0:
        return arguments.max_steps
    micro_batches = math.ceil(examples / arguments.train_batch_size)
    steps_an_epoch = math.ceil(micro_batches / arguments.gradient_accumulation_steps)
    return steps_an_epoch * math.ceil(arguments.num_train_epochs)


class RecipeTrainer(DurableTrainer):
    """Trainer with Koki's loss and Koki's order of examples.

    Args:
        sampler: conversation numbers of each epoch, a pure function of seed and epoch.
        arguments: everything that DurableTrainer takes.
    """

    def __init__(self, *, sampler: Sampler[int], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._sampler = sampler

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:  # noqa: ARG002
        return self._sampler

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Label-smoothed loss divided by the supervised tokens of the whole optimizer step."""
        loss, outputs = supervised_loss(
            model,
            inputs,
            label_smoothing=self.args.label_smoothing_factor,
            supervised_tokens=num_items_in_batch,
        )
        if num_items_in_batch is not None:
            # the tokens were counted over all processes, and DDP averages the gradients over them
            loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss
