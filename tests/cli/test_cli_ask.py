"""`koki ask`."""

import json
from typing import get_args

import pytest
from commands import koki, koki_here

from koki.cli.ask import why_unfinished
from koki.inference.engine import Ending
from koki.pipeline import TrainResult


@pytest.mark.slow
def test_ask_gives_json_with_what_scripts_rely_on(finished_run: TrainResult) -> None:
    run = koki("ask", str(finished_run.folder), "Resep soto?", "--json", "--max-new-tokens", "4")
    answer = json.loads(run.stdout)
    assert list(answer) == ["question", "answer", "stopped", "ended_by", "tokens", "seconds", "sources", "check"]
    assert answer["question"] == "Resep soto?"
    assert answer["tokens"] == 4
    assert (answer["stopped"], answer["ended_by"]) == (False, "max_new_tokens")


def test_ask_answers_questions_from_a_pipe_in_order(finished_run: TrainResult) -> None:
    options = ("--json", "--max-new-tokens", "4")
    run = koki_here("ask", str(finished_run.folder), *options, stdin="Resep soto ayam dong?\n\nTelur?\n")
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [answer["question"] for answer in answers] == ["Resep soto ayam dong?", "Telur?"]


@pytest.mark.parametrize("question", ["", "  "])
def test_ask_refuses_an_empty_question(finished_run: TrainResult, question: str) -> None:
    run = koki("ask", str(finished_run.folder), question)
    assert (run.returncode, run.stdout) == (2, "")
    assert "an empty question" in run.stderr


def test_ask_says_how_many_answers_were_cut_off(finished_run: TrainResult) -> None:
    run = koki_here("ask", str(finished_run.folder), "--max-new-tokens", "2", stdin="Soto?\nTelur?\n")
    assert "2 of 2 answers cut off after 2 tokens: --max-new-tokens allows more" in run.stderr


@pytest.mark.slow
def test_ask_says_where_the_context_ended_an_answer_which_no_option_helps(finished_run: TrainResult) -> None:
    long = "soto " * 900
    run = koki_here("ask", str(finished_run.folder), stdin=f"Soto?\n{long}\n")
    assert "1 of 2 answers cut off where question and answer fill the 1,024 tokens that the model reads" in run.stderr
    assert "--max-new-tokens" not in run.stderr


def test_each_way_in_which_an_answer_may_end_too_early_has_words() -> None:
    assert {*why_unfinished(512, 1024), "stop_token"} == set(get_args(Ending))
