"""The command line in the language of its user."""

import re
from pathlib import Path

import pytest
from commands import ODD, ODD_COLUMNS, koki, koki_here


def in_a_line(shown: str) -> str:
    """What is shown in boxes, without them."""
    return re.sub(r"\s+", " ", re.sub("[│╭╮╰╯─]", " ", shown))


@pytest.mark.parametrize(
    "arguments", [("--language", "id", "check", "tiada.csv"), ("check", "tiada.csv", "--language=id")]
)
def test_the_language_may_be_named_before_the_verb_or_after_it(arguments: tuple[str, ...], tmp_path: Path) -> None:
    said = koki_here(*arguments, cwd=tmp_path)
    assert said.stderr.startswith("Kesalahan Tidak ada berkas resep tiada.csv\nPeriksa letak")
    assert said.returncode == 1


def test_a_variable_names_it_too_and_the_option_goes_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KOKI_LANGUAGE", "id")
    assert koki_here("check", "tiada.csv", cwd=tmp_path).stderr.startswith("Kesalahan ")
    assert koki_here("check", "tiada.csv", "--language", "en", cwd=tmp_path).stderr.startswith("Error ")


def test_without_either_it_is_that_of_the_locale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KOKI_LANGUAGE")
    monkeypatch.setenv("LC_ALL", "id_ID.UTF-8")
    assert koki_here("check", "tiada.csv", cwd=tmp_path).stderr.startswith("Kesalahan ")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert koki_here("check", "tiada.csv", cwd=tmp_path).stderr.startswith("Error ")


@pytest.mark.parametrize("named", [["--language", "fr"], ["--language=fr"], ["--language"]], ids=" ".join)
def test_an_unknown_language_is_an_error_that_names_those_there_are(named: list[str], tmp_path: Path) -> None:
    said = koki_here("check", "tiada.csv", *named, cwd=tmp_path)
    assert said.stderr.startswith("Error There is no language ")
    assert said.stderr.endswith("\nLanguages: en, id.\n")


def test_what_stands_behind_two_dashes_is_no_option(tmp_path: Path) -> None:
    assert "tiada.csv" in koki_here("check", "--", "tiada.csv", "--language", cwd=tmp_path).stderr


@pytest.mark.slow
def test_help_is_translated_whole_but_for_the_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "160")
    shown = in_a_line(koki("--language", "id", "train", "--help").stdout)
    assert "Pemakaian: python -m koki train [OPSI]" in shown
    assert "Latih sebuah model dengan resep, atau lanjutkan dari checkpoint terbaru di folder hasil. Opsi" in shown
    assert "--fresh <bool> Mulai dari awal; hasil sebelumnya disimpan dengan nama lain." in shown
    assert "Tampilkan bantuan ini. Contoh • koki train --data resep.csv" in shown


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("trian",), "Tidak ada perintah 'trian'. Maksudnya 'train'?"),
        (("train", "--dta", "x"), "Tidak ada opsi: --dta (Opsi yang mungkin: --data, --set)"),
        (("train", "--data"), "Opsi '--data' harus diikuti sebuah nilai."),
        (("train", "--fresh=1"), "Opsi '--fresh' tidak menerima nilai."),
        (("train", "--seed", "satu"), "Nilai untuk '--seed' tidak bisa dipakai: harus bilangan bulat"),
        (
            ("serve", "r", "--port", "70000"),
            "Nilai untuk '--port' tidak bisa dipakai: harus lebih kecil dari atau sama dengan 65535",
        ),
        (("ask",), "Argumen 'run' belum disebut."),
        (("config", "lebih"), "Ada argumen yang berlebih (lebih)"),
        (("ask", "run", " "), 'Nilai tidak bisa dipakai: pertanyaannya kosong. koki ask RUN "Resep soto?"'),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, tuple) else "",
)
def test_a_wrong_command_is_told_in_indonesian(wrong: tuple[str, ...], said: str, tmp_path: Path) -> None:
    told = koki_here("--language", "id", *wrong, cwd=tmp_path)
    assert told.returncode == 2
    assert said in in_a_line(told.stderr)


def test_what_is_wrong_with_a_setting_is_told_in_indonesian(tmp_path: Path) -> None:
    told = koki_here("--language", "id", "config", "--set", "training.learning_rate=0", cwd=tmp_path)
    assert told.stderr == "Kesalahan Setelan training.learning_rate tidak bisa bernilai 0: harus lebih besar dari 0.\n"


def test_a_table_is_translated_and_what_other_programs_read_is_not(tmp_path: Path) -> None:
    (tmp_path / "resep.csv").write_text(ODD, "utf-8")
    arguments = ("check", "resep.csv", "--columns", ODD_COLUMNS, "--output", "dibuang.csv")
    said = koki_here("--language", "id", *arguments, cwd=tmp_path)
    assert re.search(r"berkas .* encoding .* pemisah .* baris .* dipakai .* dibuang", said.stdout)
    assert re.search(r"bahannya kosong .* 1 .* resep.csv:3", said.stdout)
    assert said.stderr == "Baris yang dibuang ditulis ke dibuang.csv: 1\n"
    assert ",ingredients are empty,Kosong" in (tmp_path / "dibuang.csv").read_text("utf-8")


def test_the_settings_are_explained_in_indonesian_and_read_as_before(tmp_path: Path) -> None:
    told = koki_here("config", "--language", "id", cwd=tmp_path)
    assert "  learning_rate: 2.0e-05  # learning rate tertinggi [acuan]\n" in told.stdout
    (tmp_path / "warung.yaml").write_text(told.stdout, "utf-8")
    assert (
        koki_here("config", "--config", "warung.yaml", cwd=tmp_path).stdout == koki_here("config", cwd=tmp_path).stdout
    )
