"""The terminal chat, driven by the lines that a person types."""

import io
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest
from helpers import printed
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from koki.inference import chat as chat_module
from koki.inference.chat import Chat, WordByWord, read_line, what_to_cook_with
from koki.inference.chef import Chef
from koki.inference.engine import Ending
from koki.pipeline import TrainResult
from koki.terminal import SafeConsole, harmless


@pytest.fixture(scope="module")
def chef(finished_run: TrainResult) -> Chef:
    return Chef.load(finished_run.folder)


def typed(*lines: str | type[BaseException]) -> Callable[[str], str]:
    """What `input` gives when a person types these lines or presses these keys, then Ctrl+D."""
    waiting: Iterator[str | type[BaseException]] = iter([*lines, EOFError])

    def read(_: str) -> str:
        line = next(waiting)
        if isinstance(line, str):
            return line
        raise line

    return read


def terminal(width: int = 200) -> Console:
    """A console that takes itself for a terminal; it shows no colours."""
    return SafeConsole(file=io.StringIO(), width=width, force_terminal=True, color_system=None)


def talk(chef: Chef, console: Console, *lines: str | type[BaseException]) -> Chat:
    chat = Chat(chef, console, typed(*lines), max_new_tokens=5)
    chat.run()
    return chat


def test_an_answer_is_shown_and_remembered(chef: Chef, console: Console) -> None:
    chat = talk(chef, console, "Resep soto ayam dong!")
    ((question, answer),) = chat.history
    assert question == "Resep soto ayam dong!"
    assert answer == chef.ask(question, max_new_tokens=5).answer
    assert answer in printed(console)


def test_an_answer_that_was_cut_off_says_so_and_how_it_may_be_longer(chef: Chef, console: Console) -> None:
    talk(chef, console, "Resep soto ayam dong!")
    assert "(jawabannya terpotong sesudah 5 token; --max-new-tokens" in printed(console)


@pytest.mark.slow
def test_an_answer_that_the_context_cut_off_says_so_and_how_there_is_more_room(chef: Chef, console: Console) -> None:
    long = "soto " * (chef.context - 150)  # a token each, and a prompt around them
    Chat(chef, console, typed(long), max_new_tokens=300).run()
    said = printed(console)
    assert f"terpotong: obrolan ini sudah memenuhi {chef.context} token" in said
    assert "/reset" in said.rpartition("terpotong")[2]
    assert "--max-new-tokens" not in said


def test_a_second_question_is_answered_with_the_first_in_mind(chef: Chef, console: Console) -> None:
    chat = talk(chef, console, "Resep soto ayam dong!", "Kalau tanpa serai?")
    first, (question, answer) = chat.history
    assert answer == chef.ask(question, history=[first], max_new_tokens=5).answer


def test_reset_forgets_the_conversation(chef: Chef, console: Console) -> None:
    assert talk(chef, console, "Resep soto ayam dong!", "/reset").history == []


def test_bahan_asks_what_can_be_cooked_with_what_is_at_hand(chef: Chef, console: Console) -> None:
    ((question, _),) = talk(chef, console, "/bahan ayam, serai dan santan").history
    assert question == "Saya punya ayam, serai, dan santan. Bisa dimasak jadi apa?"


def test_one_ingredient_is_an_inquiry() -> None:
    assert what_to_cook_with(["tempe"]) == "Punya tempe, bisa dibikin apa ya?"


def test_bahan_without_ingredients_says_how_it_is_used(chef: Chef, console: Console) -> None:
    assert talk(chef, console, "/bahan  ").history == []
    assert "/bahan ayam, serai, santan" in printed(console)


def test_help_names_every_command(chef: Chef, console: Console) -> None:
    talk(chef, console, "/help")
    for command in ("/bahan", "/reset", "/help", "Ctrl+C", "Ctrl+D"):
        assert command in printed(console)


def test_an_unknown_command_is_not_asked(chef: Chef, console: Console) -> None:
    assert talk(chef, console, "/resep soto").history == []
    assert "/resep" in printed(console)


def test_a_command_may_be_written_with_capitals(chef: Chef, console: Console) -> None:
    ((question, _),) = talk(chef, console, "/Bahan tempe").history
    assert question == "Punya tempe, bisa dibikin apa ya?"


def test_an_empty_line_is_not_asked(chef: Chef, console: Console) -> None:
    assert talk(chef, console, "", "   ").history == []


def test_ctrl_c_at_the_prompt_clears_the_line_and_does_not_leave(chef: Chef, console: Console) -> None:
    assert len(talk(chef, console, KeyboardInterrupt, "Resep soto ayam dong!").history) == 1


def test_ctrl_c_at_the_prompt_leaves_no_prompt_behind(chef: Chef) -> None:
    console = terminal()
    talk(chef, console, KeyboardInterrupt)
    assert "\r\x1b[2K" in printed(console)


@pytest.mark.parametrize("word", ["keluar", "Keluar.", "selesai", "exit", "quit", "/keluar", "/exit", "/EXIT"])
def test_a_word_for_it_leaves(chef: Chef, console: Console, word: str) -> None:
    assert talk(chef, console, word, "Resep soto ayam dong!").history == []
    assert "Sampai jumpa" in printed(console)


def test_a_question_with_such_a_word_in_it_is_asked(chef: Chef, console: Console) -> None:
    assert len(talk(chef, console, "kapan air tempe keluar?").history) == 1


def test_it_is_said_once_that_amounts_and_safety_are_to_be_checked(chef: Chef, console: Console) -> None:
    talk(chef, console, "Resep soto ayam dong!", "Resep rawon dong!")
    assert printed(console).count("Takaran dan keamanannya") == 1


def test_each_way_in_which_an_answer_may_end_too_early_has_words() -> None:
    says = tomllib.loads(Path(chat_module.__file__).with_name("chat.toml").read_text("utf-8"))
    assert {*says["unfinished"], "stop_token"} == set(get_args(Ending))


def test_turns_that_the_context_can_never_hold_are_not_kept(chef: Chef, console: Console) -> None:
    chat = Chat(chef, console, typed("Telur?"), max_new_tokens=1)
    chat.history = [("Soto?", "Ya.")] * 5000
    chat.run()
    assert len(chat.history) == chef.context // 8
    assert chat.history[-1][0] == "Telur?"


@given(text=st.text(st.sampled_from("abc kopi \n-🍲é鱼\x1b"), max_size=200), width=st.integers(4, 40), data=st.data())
def test_no_word_is_broken_at_the_edge_of_a_terminal(text: str, width: int, data: st.DataObject) -> None:
    console = terminal(width)
    shown = WordByWord(console)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        shown.add(text[start:end])
    shown.end()
    said = printed(console)
    assert said.split() == harmless(text).split()
    assert [line for line in said.split("\n") if cell_len(line) > width and len(line.split()) > 1] == []


def test_a_text_for_a_pipe_is_not_wrapped() -> None:
    console = SafeConsole(file=io.StringIO(), width=10)
    shown = WordByWord(console)
    shown.add("Rebus ayam sampai empuk,\n\n- lalu  suwir")
    shown.end()
    assert printed(console) == "Rebus ayam sampai empuk,\n\n- lalu  suwir"


def test_a_question_longer_than_the_context_is_refused_and_the_chat_goes_on(chef: Chef, console: Console) -> None:
    chat = talk(chef, console, "soto " * 2000, "Resep soto ayam dong!")
    assert [question for question, _ in chat.history] == ["Resep soto ayam dong!"]
    said = " ".join(printed(console).split())
    assert f"token, padahal koki ini hanya bisa membaca {chef.context}. Coba dipersingkat." in said


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C reaches a child in another way")
def test_ctrl_c_stops_the_answer_and_not_the_program(finished_run: TrainResult, tmp_path: Path) -> None:
    # 4,000 tokens take half a minute, so the signal comes while the answer is being given
    command = [sys.executable, "-u", "-m", "koki", "chat", str(finished_run.folder), "--max-new-tokens", "4000"]
    with (
        (tmp_path / "errors.txt").open("w") as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True) as chat,
    ):
        assert chat.stdin is not None
        assert chat.stdout is not None
        chat.stdin.write("Resep soto ayam dong!\n")
        chat.stdin.flush()
        read = ""
        while not read.partition("Kamu: Resep soto ayam dong!\n")[2]:
            read += chat.stdout.read(1)
        chat.send_signal(signal.SIGINT)
        rest, _ = chat.communicate("/help\n")
    assert "(dihentikan)" in rest
    assert "/bahan" in rest
    assert chat.returncode == 0, (tmp_path / "errors.txt").read_text()


def test_a_line_from_a_pipe_is_shown_after_the_prompt_as_one_that_is_typed_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Resep rawon?\n"))
    assert read_line("Kamu: ") == "Resep rawon?"
    assert capsys.readouterr().out == "Kamu: Resep rawon?\n"


@pytest.mark.parametrize("stdin", [None, io.StringIO()], ids=["closed", "empty"])
def test_there_is_no_line_in_standard_input_that_is_closed_or_empty(
    monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(EOFError):
        read_line("Kamu: ")
