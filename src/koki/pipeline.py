"""The whole of Koki from top to bottom: `train` is the flowchart, one line a box."""

import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

import transformers
from peft import PeftModel
from rich.console import Console
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from koki.config import RunConfig
from koki.data.book import write_book
from koki.data.build import build_dataset, load_template, tokenize, tokenize_held_out
from koki.data.recipes import RecipesOfRun
from koki.evaluation.capabilities.registry import promised
from koki.inference.chef import Chef
from koki.inference.transformers_engine import TransformersEngine
from koki.language import _
from koki.libraries import quiet_libraries
from koki.model.base import load_base, prepare_for_training
from koki.model.device import detect_device
from koki.model.lora import add_adapter, enable_input_gradients, load_adapter, name_base, trainable_parameters
from koki.model.lora_linear import fuse_lora
from koki.model.source import find_base, set_pad_token, set_stop_token
from koki.notices import LogConsole
from koki.progress import shown_on
from koki.runs.card import Outcome, run_card
from koki.runs.log import LossCourse
from koki.runs.names import BOOK, CURVES
from koki.runs.result import save_result
from koki.tokens.batches import StepCollator, VariationSampler
from koki.tokens.dataset import ConversationDataset
from koki.tokens.examples import TypedConversations
from koki.tokens.template import ChatTemplate
from koki.training.callbacks import OnProgress
from koki.training.costs import Costs, Shape
from koki.training.curves import draw_curves
from koki.training.earlier import FinishedBefore
from koki.training.fit import fit, take_the_best
from koki.training.plan import Plan, examples_of, plan_of, workload_of
from koki.training.resolve import resolve
from koki.training.run import Run
from koki.training.sharding import shard_base
from koki.training.trainer import RecipeTrainer, training_arguments
from koki.training.validation import SAMPLED_TOKENS, HeldOut, SampledAnswers, Validation, sampled_questions


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a call of `train` left behind.

    Attributes:
        folder: the run folder.
        stopped_by: the signal that ended training early, with a checkpoint; None for a finished run.
        log: transformers' log, an entry every ``training.logging_steps``.
        example_question: that it was trained on; None where there is none to show.
        was_finished: before; nothing was done.
    """

    folder: Path
    steps: int
    stopped_by: signal.Signals | None
    log: Sequence[Mapping[str, Any]]
    example_question: str | None
    was_finished: bool = False

    @classmethod
    def of_card(cls, folder: Path, card: Mapping[str, Any]) -> Self:
        """What an earlier call left behind, by its run card."""
        training = card["training"]
        return cls(folder, training["steps"], None, training["log"], card.get("example_question"), was_finished=True)

    @property
    def losses(self) -> list[float]:
        """As logged, in order."""
        return [entry["loss"] for entry in self.log if "loss" in entry]

    @property
    def loss(self) -> LossCourse | None:
        """Where it came from and where it went."""
        return LossCourse.of(self.log)


def train(
    config: RunConfig,
    console: Console | None = None,
    *,
    fresh: bool = False,
    on_progress: OnProgress | None = None,
) -> TrainResult:
    """Fine-tune a base model on recipes; go on from the newest checkpoint of the run folder where there is one.

    Args:
        config: what to train, on what, how.
        console: where it is said what is done; without one it is logged (logger ``koki``, level INFO).
        fresh: set an earlier run in the folder aside and start over.
        on_progress: see `OnProgress`; what it raises ends training, and the newest checkpoint stays.

    Raises:
        KokiError: one of its kinds; whatever was saved before is untouched.
        SystemExit: in all but the first of several processes, where one of them fails.
    """
    # environment, processes and devices; output folder; checkpoint or base; TensorBoard; all of it closed at the end
    console = console or LogConsole()
    with shown_on(console), Run.open(config, console, fresh=fresh, on_progress=on_progress) as run:
        if isinstance(run, FinishedBefore):  # nothing is left to do, and what is there is history
            return TrainResult.of_card(run.folder, run.card)
        settings, processes, checkpoint = run.config, run.processes, run.checkpoint

        # tokenizer, chat template, base model, stop and pad token, k-bit preparation
        tokenizer, template = load_template(run.start)
        base = load_base(run.base, settings.model, run.device, share=processes.share_base)
        set_pad_token(tokenizer, template.stop_id)
        run.say_if_no_instruct_model(set_stop_token(tokenizer, template.stop_id))
        prepare_for_training(base, settings.model, gradient_checkpointing=settings.training.gradient_checkpointing)

        # LoRA: the checkpoint's or a new one, once; input gradients
        transformers.set_seed(settings.seed)  # a new adapter does not depend on what was drawn before it
        model = (
            load_adapter(base, checkpoint.folder, trainable=True) if checkpoint else add_adapter(base, settings.lora)
        )
        name_base(model, run.base)
        if settings.training.gradient_checkpointing:
            enable_input_gradients(model)
        fuse_lora(model)
        parameters = trainable_parameters(model)
        if processes.share_base:
            shard_base(model, run.device.kind)
        trained, all_of_them = parameters
        run.say(_("Adapter"), _("{count:,} of {all:,} parameters are trained", count=trained, all=all_of_them))

        # recipe CSV: structure, cleaning; conversations; chat template, tokens, which the cache may have already
        recipes = RecipesOfRun(settings, run.files)
        data = processes.main_here_first(partial(tokenize, recipes, template, len(tokenizer), console))
        held_out = tokenize_held_out(recipes, template, len(tokenizer))
        identity = run.require_same_data(data)

        # collator, training arguments, trainer
        collator = StepCollator(settings.training.tokens_per_micro_batch)
        arguments = training_arguments(settings, run.device, run.folder)
        order = VariationSampler(data.dataset, settings.data.variations, settings.seed, settings.data.book_share)
        run.say_the_plan(lambda: workload_of(data.dataset, order, arguments))
        trainer = RecipeTrainer(
            model=model,
            args=arguments,
            train_dataset=TypedConversations.of(data.dataset, data.vocabulary, settings),
            data_collator=collator,
            processing_class=tokenizer,
            callbacks=run.callbacks(),
            sampler=run.steps_of(order, data.dataset.lengths),
            held_out=HeldOut.of(held_out, tokenizer, settings) if held_out else None,
            questions_in=template.questions_in,
            run_folder=run.folder,
            config=settings,
            identity=identity,
            processes=processes,
            say=run.warn,
        )
        if settings.evaluation.every_steps is not None:
            _add_validation(run, trainer, model, tokenizer, template, held_out or data.dataset)

        # train; on failure a clear error and nothing lost
        with run.stop:  # until the result is saved: a signal then lets that be finished
            started = time.perf_counter()
            is_over = fit(run, trainer)
            result_step = take_the_best(run, model, trainer.state) if is_over else 0
            seen = order.seen(examples_of(arguments, len(order), trainer.state.global_step))
            outcome = Outcome.of(trainer.state, time.perf_counter() - started, parameters, result_step, seen)

            # save model, tokenizer and metadata
            if is_over and processes.is_main:
                card = run_card(
                    run.asked, run.base, run.device, template.system, data, outcome, capabilities=promised()
                )
                with run.saving_the_result():
                    save_result(run.folder, model, tokenizer, card)
                    run.keep_config()  # once more: the folder may have been removed meanwhile
                    draw_curves(card, run.folder.name, run.folder / CURVES)
                write_book(run.folder / BOOK, recipes, run.warn)
    if not is_over:
        processes.barrier()
    stopped_by = None if is_over else run.stop.received
    return TrainResult(run.folder, outcome.steps, stopped_by, outcome.log_history, data.example_question)


def plan(config: RunConfig) -> Plan:
    """What a run with this configuration would take; the data are read, the model's weights are not.

    Raises:
        KokiError: as `train`.
    """
    quiet_libraries()
    device = detect_device(config.training.mixed_precision)
    shape = Shape.of(find_base(config.model).config)
    settings = resolve(config, shape, device)
    dataset = build_dataset(settings)
    order = VariationSampler(dataset, settings.data.variations, settings.seed, settings.data.book_share)
    arguments = training_arguments(settings, device, Path(settings.output))
    return plan_of(Costs(settings, shape, device), workload_of(dataset, order, arguments))


def _add_validation(
    run: Run,
    trainer: RecipeTrainer,
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    template: ChatTemplate,
    dataset: ConversationDataset,
) -> None:
    """Evaluate while the model trains, and ask it a few of the data set's questions each time."""
    questions = sampled_questions(dataset, run.config.seed)
    ask = partial(_first_words, model, tokenizer, template)
    trainer.add_callback(SampledAnswers(questions, ask, run.console, run.tensorboard.add_text, run.warn))
    trainer.add_callback(Validation(trainer, run.config.evaluation, partial(run.say, _("Early stop"))))


def _first_words(
    model: PeftModel, tokenizer: PreTrainedTokenizerBase, template: ChatTemplate, questions: Sequence[str]
) -> list[str]:
    """How the model, in training, begins to answer."""
    engine = TransformersEngine(cast(PreTrainedModel, model), tokenizer, template.stop_id)
    answers = Chef(engine, template).ask(list(questions), max_new_tokens=SAMPLED_TOKENS)
    return [answer.answer for answer in answers]
