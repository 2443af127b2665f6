"""The page: what it says, that it says it as text, and that it needs nothing from anywhere."""

import base64
import copy
import hashlib
import json
import re
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from exams import about_soto, scorecard, tip

from koki.language import LANGUAGES, Language
from koki.pipeline import TrainResult
from koki.recipes.findings import Oddity, Reason
from koki.recipes.report import Warned
from koki.report.language import Translation
from koki.report.page import render

VOID = {"meta", "img"}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"


class Page(HTMLParser):
    """A page as a browser reads it: its tags, that they are closed in order, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def card(finished_run: TrainResult) -> dict[str, Any]:
    """Of a real run."""
    content: dict[str, Any] = json.loads((finished_run.folder / "training_metadata.json").read_text("utf-8"))
    return content


def page(card: dict[str, Any], exam: dict[str, Any] | None, language: Language = "en") -> Page:
    return Page(render(Path("runs/warung"), card, exam, language))


def test_the_figures_of_the_scorecard_are_on_the_page(card: dict[str, Any]) -> None:
    exam = scorecard()
    figure = exam["groups"]["recall"]["full recipe"]["right_dish"]
    assert figure["mean"] == 0.75
    text = page(card, exam).text
    assert f"right dish 0.75 {figure['low']:.2f}–{figure['high']:.2f} 0.50" in text
    assert "order of steps, τ -0.50" in text
    assert "Recall 4 questions" in text
    assert "invented ingredients less is better 0.25" in text


@pytest.mark.parametrize(("language", "says"), [("en", "What the measures mean"), ("id", "Arti tiap ukuran")])
def test_every_measure_on_the_page_is_explained_once(card: dict[str, Any], language: Language, says: str) -> None:
    text = page(card, scorecard(), language).text
    assert says in text
    assert text.count(Translation(language).name("meanings", "order")) == 1


def test_bars_are_as_long_as_their_means_and_never_negative(card: dict[str, Any]) -> None:
    widths = [attrs["width"] for tag, attrs in page(card, scorecard()).tags if attrs.get("class") == "fill"]
    assert widths[0:2] == ["75.0", "50.0"]
    assert "0.0" in widths
    assert not any((width or "").startswith("-") for width in widths)


def test_a_comparison_shows_the_other_chef_and_the_difference(card: dict[str, Any]) -> None:
    shown = page(card, scorecard(compared=True))
    assert "The vertical mark is the base model alone" in shown.text
    assert "+0.75 [" in shown.text
    assert any(attrs.get("class") == "other" for _, attrs in shown.tags)


def test_ingredients_are_marked_right_near_and_invented_and_the_missing_are_named(card: dict[str, Any]) -> None:
    html = render(Path("warung"), card, scorecard(), "en")
    marked = re.findall(r'<p class="(\w+)"><span>(.*?)</span> <span class="unseen">', html)[:4]
    assert marked == [
        ("right", "1 ekor ayam"),
        ("near", "3 buah cabai"),
        ("invented", "100 gram udang"),
        ("right", "garam secukupnya"),
    ]
    assert "<p>Ini resepnya, tanpa garam secukupnya</p>" in html
    assert "missing: cabai rawit merah serai" in Page(html).text


def test_twenty_pairs_are_shown_of_each_kind_the_first_ones(card: dict[str, Any]) -> None:
    more = [*(about_soto(number, "recall", 1.0) for number in range(4, 30)), *map(tip, range(1, 4))]
    questions = re.findall(
        r'<span class="question" dir="auto">(.*?)</span>', render(Path("w"), card, scorecard(*more), "en")
    )
    assert len(questions) == 20
    assert questions[:3] == ["Resep soto nomor 0, recall?", "Kenapa 0?", "Resep soto nomor 0, understanding?"]
    assert "Kenapa 3?" in questions


def test_an_answer_that_is_empty_or_did_not_end_is_told(card: dict[str, Any]) -> None:
    text = page(card, scorecard(tip(1, answer=""))).text
    assert "did not end by itself" in text
    assert "(nothing)" in text


def test_a_scorecard_of_an_earlier_version_has_answers_without_marks(card: dict[str, Any]) -> None:
    exam = scorecard()
    for answer in exam["answers"]:
        del answer["ingredients"]
    assert "- 100 gram udang" in page(card, exam).text


@pytest.mark.parametrize(("language", "right", "wrong"), [("en", "Right", "Wrong"), ("id", "Benar", "Salah")])
def test_every_answer_says_whether_it_is_right(
    card: dict[str, Any], language: Language, right: str, wrong: str
) -> None:
    html = render(Path("w"), card, scorecard(), language)
    judged = re.findall(r'<span class="badge (\w+)">(\w+)</span>', html)
    assert len(judged) == html.count('class="pair"') == 3 + 7
    assert set(judged) == {("right", right), ("wrong", wrong)}


def test_a_wrong_answer_says_by_which_measures_it_is_wrong(card: dict[str, Any]) -> None:
    assert "short of: right dish" in page(card, scorecard()).text
    endless = about_soto(9, "recall", 1.0)
    endless.scores["ended"] = 0.0
    assert "short of: ends by itself" in page(card, scorecard(endless)).text


def test_the_page_opens_with_the_verdict_then_three_answers_then_the_scorecard(card: dict[str, Any]) -> None:
    html = render(Path("warung"), card, scorecard(), "en")
    assert re.findall(r'<section id="(\w+)">', html)[:3] == ["examples", "scorecard", "answers"]
    opening, answers, _ = html.split("<section", 2)
    assert "This chef knows 3 of the 4 recipes it was asked for by heart (so of all 128, " in opening
    assert "Not proven for whole recipes 1 of 2 right" in Page(html).text
    assert answers.count("<article") == 3


def test_the_page_says_how_to_ask_the_chef(card: dict[str, Any]) -> None:
    named = Page(render(Path("runs/warung bu sri"), card, None, "en"))
    for command in (
        "koki chat",
        "koki serve",
        "koki book add",
        f"koki ask 'runs/warung bu sri' '{card['example_question']}'",
    ):
        assert command in named.text


def test_without_a_scorecard_the_page_says_how_to_get_one(card: dict[str, Any]) -> None:
    shown = page(card, None)
    assert "This chef has not been examined yet" in shown.text
    assert "koki evaluate runs/warung" in shown.text
    assert "#scorecard" not in [attrs.get("href") for _, attrs in shown.tags]
    assert "#answers" not in [attrs.get("href") for _, attrs in shown.tags]


def test_what_was_trained_on_what_is_told(card: dict[str, Any]) -> None:
    card["data"]["files"][0]["path"] = "/rumah/siti/resep.csv"
    shown = page(card, None)
    for said in (
        "mini, taught",
        "3 rows kept , 0 dropped",
        "resep.csv read as UTF-8",
        "12 steps",
        card["environment"]["device"],
    ):
        assert said in shown.text
    assert "/rumah" not in shown.text


def test_how_often_each_recipe_was_seen_is_told_if_the_card_knows(card: dict[str, Any]) -> None:
    # 12 steps of 2 conversations each, of 3 recipes
    assert card["training"]["times_each_recipe_was_seen"] == {"mean": 8.0, "least": 8.0}
    assert "each recipe seen 8 times" in page(card, None).text
    del (earlier := copy.deepcopy(card))["training"]["times_each_recipe_was_seen"]
    assert "each recipe seen" not in page(earlier, None).text


def test_loss_learning_rate_and_speed_are_drawn(card: dict[str, Any]) -> None:
    shown = page(card, None)
    charts = [attrs["class"] for tag, attrs in shown.tags if tag == "figure"]
    assert charts == ["chart loss", "chart learning_rate", "chart tokens_per_second"]
    assert sum(attrs.get("class") == "dot" for _, attrs in shown.tags) == 3 * 5  # steps 1, 3, 6, 9 and 12


def test_the_loss_on_recipes_held_out_has_a_curve_where_it_was_measured(card: dict[str, Any]) -> None:
    measured = [{"step": 0, "eval_loss": 2.5}, {"step": 12, "eval_loss": 1.5}]
    watched = card | {"training": card["training"] | {"log": [*card["training"]["log"], *measured]}}
    shown = page(watched, None)
    assert "chart eval_loss" in [attributes.get("class") for _, attributes in shown.tags]
    labels = [attributes.get("aria-label") for _, attributes in shown.tags]
    assert "Loss on recipes held out: from 2.5 to 1.5 over 12 steps" in labels


def test_a_log_without_speed_has_no_curve_of_it(card: dict[str, Any]) -> None:
    log = [
        {name: value for name, value in entry.items() if name != "tokens_per_second"}
        for entry in card["training"]["log"]
    ]
    shown = page(card | {"training": card["training"] | {"log": log}}, None)
    assert "Tokens a second" not in shown.text


def test_dropped_rows_are_counted_by_reason(card: dict[str, Any]) -> None:
    data = card["data"] | {"rows_read": 9, "dropped_by_reason": {Reason.FEW_STEPS: 4, "something new": 2}}
    shown = page(card | {"data": data}, None, "id")
    assert "3 baris dipakai , 6 dibuang" in shown.text
    assert "langkah terlalu sedikit 4 something new 2" in shown.text


def test_warnings_are_in_the_language_of_the_page_but_for_those_that_were_kept_as_text(card: dict[str, Any]) -> None:
    warnings = [asdict(Warned(Oddity.UNREADABLE, 1, [7])), "something of an earlier version"]
    data = card["data"] | {"files": [card["data"]["files"][0] | {"warnings": warnings}]}
    shown = page(card | {"data": data}, None, "id")
    assert "karakter yang tidak terbaca dihilangkan: baris 7 something of an earlier version" in shown.text


def test_settings_other_than_the_reference_are_listed_and_no_others(card: dict[str, Any]) -> None:
    rows = re.findall(
        r'<tr><th scope="row"><code>(.*?)</code></th><td [^>]+><b>(.*?)</b></td><td [^>]+>(.*?)</td>',
        render(Path("w"), card, None, "en"),
    )
    assert ("model.name", "mini", "0.5b") in rows
    assert ("data.tips", "false", "true") in rows
    assert "output" not in [name for name, _, _ in rows]
    assert "lora.r" not in [name for name, _, _ in rows]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hostile_text_stays_text(card: dict[str, Any], language: Language) -> None:
    exam = scorecard(about_soto(9, "generalisation", 1.0, HOSTILE, f"- {HOSTILE}"), compared=True)
    exam |= {"notes": [HOSTILE]}
    exam["compared_with"]["run"] = HOSTILE
    file = card["data"]["files"][0] | {
        "path": HOSTILE,
        "warnings": [HOSTILE, {"oddity": HOSTILE, "rows": 1, "lines": [HOSTILE]}],
        "encoding": HOSTILE,
        "delimiter": HOSTILE,
    }
    data = card["data"] | {"files": [file], "dropped_by_reason": {HOSTILE: 1}}
    base = {"name": HOSTILE, "location": HOSTILE, "revision": HOSTILE}
    shown = page(card | {"data": data, "base_model": base}, exam, language)
    assert {tag for tag, _ in shown.tags}.isdisjoint({"script", "img"})
    assert not any(name.startswith("on") for _, attrs in shown.tags for name in attrs)
    assert shown.text.count(HOSTILE) >= 8


def test_nothing_is_loaded_from_anywhere(card: dict[str, Any]) -> None:
    shown = page(card, scorecard())
    loaded = [
        value
        for _, attrs in shown.tags
        for name, value in attrs.items()
        if name in ("src", "href", "srcset", "action", "data")
    ]
    assert loaded
    assert all((value or "").startswith("#") for value in loaded)
    assert not any("url(" in text or "@import" in text for text in shown.texts)
    assert not any("style" in attrs for _, attrs in shown.tags)


def test_the_policy_allows_this_style_sheet_and_nothing_else(card: dict[str, Any]) -> None:
    html = render(Path("w"), card, None, "en")
    (style,) = re.findall(r"<style>(.*?)</style>", html, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(
        attrs["content"] for _, attrs in Page(html).tags if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_the_page_says_its_language(card: dict[str, Any]) -> None:
    assert page(card, scorecard(), "id").tags[0] == ("html", {"lang": "id"})
    assert "masakannya benar 0,75" in page(card, scorecard(), "id").text


def test_bytes_in_a_path_that_are_no_text_do_no_harm(card: dict[str, Any]) -> None:
    file = card["data"]["files"][0] | {"path": "resep\udcff.csv"}
    html = render(Path("w"), card | {"data": card["data"] | {"files": [file]}}, None, "en")
    assert "resep?.csv" in html


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_contrasts_with_its_ground_as_wcag_aa_asks(card: dict[str, Any], scheme: int) -> None:
    block = re.findall(r":root \{(.*?)\}", render(Path("w"), card, None, "en"), flags=re.DOTALL)[scheme]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    for ground in ("paper", "card"):
        for ink in ("ink", "soft", "accent", "right", "near", "wrong"):
            light, dark = sorted((_luminance(colours[ground]), _luminance(colours[ink])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ground, ink)
        for shape in ("recall", "understanding", "generalisation"):  # 1.4.11: shapes that carry meaning
            light, dark = sorted((_luminance(colours[ground]), _luminance(colours[shape])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 3, (ground, shape)
