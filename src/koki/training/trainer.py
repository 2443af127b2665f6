"""The trainer of recipes: Koki's loss and order of examples, a step cut by tokens, and memory that runs out."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate.data_loader import prepare_data_loader
from torch.utils.data import DataLoader, Sampler
from transformers import TrainingArguments

from koki.config import ResolvedConfig
from koki.errors import TrainingError
from koki.language import _
from koki.model.device import Device
from koki.tokens.batches import empty_row, recut
from koki.training.callbacks import ignore_stop_signals
from koki.training.durable import DurableTrainer
from koki.training.loss import Batch, SupervisedLoss, supervised_tokens
from koki.training.sharding import exclude_frozen_from_ddp, is_sharded, reshard
from koki.training.validation import HeldOut, undisturbed


def training_arguments(config: ResolvedConfig, device: Device, run_folder: Path) -> TrainingArguments:
    """The settings as transformers takes them."""
    training = config.training
    arguments = TrainingArguments(
        output_dir=str(run_folder),
        seed=config.seed,
        num_train_epochs=training.num_train_epochs,
        max_steps=training.max_steps,
        # a step arrives whole and is cut into micro-batches by tokens: RecipeTrainer.training_step
        per_device_train_batch_size=training.per_device_train_batch_size * training.gradient_accumulation_steps,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.lr_scheduler_type,
        warmup_steps=training.warmup_steps,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        label_smoothing_factor=training.label_smoothing_factor,
        fp16=training.mixed_precision == "fp16",
        bf16=training.mixed_precision == "bf16",
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
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        ddp_broadcast_buffers=False,  # the only ones are those of the positions, the same everywhere
        disable_tqdm=True,
        report_to=[],
    )
    if device.count > 1:
        arguments._n_gpu = 1  # device_map spreads one model over the GPUs; DataParallel would copy it
    return arguments


def optimizer_steps(arguments: TrainingArguments, examples: int) -> int:
    """The optimizer steps of a whole run on so many examples an epoch."""
    if arguments.max_steps > 0:
        return arguments.max_steps
    conversations: int = arguments.train_batch_size * arguments.world_size
    return math.ceil(examples / conversations) * math.ceil(arguments.num_train_epochs)


class RecipeTrainer(DurableTrainer):
    """A trainer with Koki's loss and Koki's order of examples; a step is cut into micro-batches by tokens.

    Args:
        sampler: the conversation numbers of each step that are this process's share.
        held_out: what an evaluation measures the loss of.
        arguments: everything that DurableTrainer takes.
    """

    def __init__(self, *, sampler: Sampler[Any], held_out: HeldOut | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        model: Any = self.model
        self._loss = SupervisedLoss(model.get_output_embeddings(), self.args.label_smoothing_factor)
        self._held_out = held_out
        self._held_out_loss = SupervisedLoss(model.get_output_embeddings(), label_smoothing=0)
        self._sampler = sampler
        self._is_sharded = is_sharded(model)
        exclude_frozen_from_ddp(model)
        self._most_tokens: int | None = None  # of a micro-batch, once the memory has run out

    def get_train_dataloader(self) -> DataLoader[Any]:
        """A loader of this process's share of each step, which may be empty."""
        loader: DataLoader[Any] = DataLoader(
            cast(Any, self.train_dataset),
            batch_sampler=self._sampler,
            collate_fn=self.data_collator,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory,
            worker_init_fn=ignore_stop_signals,  # the main process sees to those; the workers draw no numbers
        )
        # accelerate would deal out the steps anew, and repeat conversations where they do not come out even
        prepared: DataLoader[Any] = prepare_data_loader(loader, num_processes=1, process_index=0)
        return prepared

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        num_items_in_batch: torch.Tensor | int | None = None,  # noqa: ARG002
    ) -> torch.Tensor:
        """Compute the gradients of one optimizer step, micro-batch by micro-batch.

        Returns:
            The loss divided by the supervised tokens of the whole step, on all processes.
        """
        model.train()
        micro_batches = cast(list[Batch], self._prepare_inputs(inputs)["micro_batches"])
        if self._most_tokens is not None and micro_batches:
            micro_batches = recut(micro_batches, self._most_tokens)
        supervised, tokens = self._processes.all_sum(*_count(micro_batches))
        if self._is_sharded:  # all gather each layer together, so all need as many micro-batches
            missing = self._processes.all_max(len(micro_batches)) - len(micro_batches)
            micro_batches += [cast(Batch, self._prepare_inputs(empty_row())) for _ in range(missing)]
        with nullcontext() if self._is_sharded else self._processes.failing_together():
            loss, halvings = self._gradients(model, micro_batches, 1 / supervised)
        loss, halvings = self._processes.all_sum(loss, halvings)
        self._processes.all_sum_gradients(model.parameters())
        if halvings:
            self._say(_("Out of memory: from here on, micro-batches of fewer tokens; steps have the same examples"))
        self.state.num_input_tokens_seen += int(tokens)
        return torch.as_tensor(loss, dtype=torch.float32, device=self.args.device)

    def _gradients(
        self, model: torch.nn.Module, micro_batches: list[Batch], weight: float | torch.Tensor
    ) -> tuple[torch.Tensor, int]:
        """Compute the gradients of this process's share of a step.

        Returns:
            The loss of the share, and how often its micro-batches were halved to fit in memory.
        """
        halvings = 0
        while True:
            try:
                return self._accumulate(model, micro_batches, weight), halvings
            except torch.OutOfMemoryError as error:
                model.zero_grad()
                micro_batches = self._halved(micro_batches, error)
                halvings += 1

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Log the loss of what is held out; called by transformers where an evaluation is due.

        Returns:
            ``eval_loss``, nats a token, not smoothed, and ``eval_bits_per_byte``; nothing where nothing is held out.
        """
        metrics: dict[str, float] = {}
        with self._off_the_clock():
            if self._held_out is not None:
                with undisturbed(cast(torch.nn.Module, self.model)):
                    metrics = self._held_out.metrics(self._nats(self._held_out.rows))
                self.log(metrics)
            self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
            reshard(cast(torch.nn.Module, self.model))
        return metrics

    def _nats(self, rows: Sequence[Batch]) -> float:
        """The summed loss, without smoothing; every process measures all rows, and all have the same mean of it."""
        if self._most_tokens is not None:
            rows = recut(rows, self._most_tokens)
        while True:
            try:
                (nats,) = self._processes.all_sum(sum(self._row_nats(row) for row in rows))
                return float(nats) / self._processes.world_size
            except torch.OutOfMemoryError as error:
                rows = self._halved(rows, error)

    def _row_nats(self, row: Batch) -> float:
        with self.compute_loss_context_manager():
            return float(self._held_out_loss(cast(torch.nn.Module, self.model), self._prepare_inputs(row)))

    def _accumulate(
        self, model: torch.nn.Module, micro_batches: Sequence[Batch], weight: float | torch.Tensor
    ) -> torch.Tensor:
        # dropout follows from seed, step and process, so nothing of it has to be kept in a checkpoint
        seeds = np.random.SeedSequence([self.args.seed, self.state.global_step, self._processes.rank])
        torch.manual_seed(int(seeds.generate_state(1)[0]))
        total = torch.zeros((), device=self.args.device)
        # gradients are summed over the processes once, after the last micro-batch: some have more of them than others
        with self.accelerator.no_sync(model):
            for micro_batch in micro_batches:
                with self.compute_loss_context_manager():
                    loss = self._loss(model, micro_batch) * weight
                self.accelerator.backward(loss)
                total += loss.detach()
        return total

    def _halved(self, micro_batches: Sequence[Batch], error: torch.OutOfMemoryError) -> list[Batch]:
        """Cut the same examples into micro-batches of half as many tokens; the loss does not depend on the cuts.

        Raises:
            TrainingError: a single conversation is too much, or the base is sharded.
        """
        if self._is_sharded:
            raise TrainingError(
                _("Out of memory, in which the others wait for this process's part of the base."),
                _("Set training.tokens_per_micro_batch lower."),
            ) from error
        most = max(batch["input_ids"].numel() for batch in micro_batches) // 2
        if all(len(batch["segment_lengths"]) == 1 for batch in micro_batches):
            raise TrainingError(
                _("Not even one conversation of {tokens} tokens fits in the memory of the GPU.", tokens=2 * most),
                _(
                    "Try training.gradient_checkpointing=true, a smaller tokens.max_length, model.quantization=4bit or "
                    "a smaller model."
                ),
            ) from error
        self._most_tokens = most
        torch.cuda.empty_cache()
        return recut(micro_batches, most)


def _count(micro_batches: Sequence[Batch]) -> tuple[torch.Tensor, int]:
    """The numbers of supervised tokens and of all tokens."""
    supervised = sum((supervised_tokens(batch) for batch in micro_batches), start=torch.tensor(0))
    return supervised, sum(batch["input_ids"].numel() for batch in micro_batches)
