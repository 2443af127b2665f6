"""The page in a real browser: Debian's Chromium, driven by Playwright.

A chef is asked through `koki serve`; what no chef does on demand (it breaks off, differs from its book, warns) is said
by a scripted server. In every test the page writes no error to the console and asks nobody but its server.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from pages_of_a_book import for_ayam, soto, sure
from scripted_server import Scripted, ScriptedServer

from koki.answers.said import read_answer
from koki.book.reading import Reading
from koki.dialogue.layout import list_ingredients, list_steps

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed", exc_type=ImportError)
if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from koki.pipeline import TrainResult

_CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(_CHROMIUM is None, reason="there is no Chromium"),
]
SERVE: Final = [sys.executable, "-m", "koki", "serve"]
PHONE: Final = {"width": 360, "height": 800}
LAPTOP: Final = {"width": 1280, "height": 800}
AXE: Final = "axe-core@4.14.1"


# ------------------------------------------------------------------------------------------------ servers and browsers


@pytest.fixture(scope="module")
def served(finished_run: "TrainResult", tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `koki serve` with a chef of three recipes, which takes feedback."""
    run = tmp_path_factory.mktemp("served") / "warung"
    shutil.copytree(finished_run.folder, run)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*SERVE, str(run), "--port", str(port), "--feedback"])
    address = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(600):
            assert process.poll() is None, "koki serve ended"
            try:
                urllib.request.urlopen(f"{address}health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@pytest.fixture
def script() -> Iterator[ScriptedServer]:
    """A server whose answers the test writes."""
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """One browser for all tests."""
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=as_root)
        yield browser
        browser.close()


Open = Callable[..., "Page"]


@pytest.fixture
def open_page(browser: "Browser") -> Iterator[Open]:
    """Open an address in a browser of its own: open_page(address, viewport=PHONE, color_scheme="dark", ...).

    With `fails=True` the server will not always answer, which Chromium itself writes to the console.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_one(address: str, *, fails: bool = False, script: str = "", **settings: Any) -> "Page":
        options = {"viewport": LAPTOP, "locale": "id-ID", "service_workers": "block", **settings}
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(60_000)  # where other work goes on
        if script:
            context.add_init_script(script)
        page = context.new_page()

        def on_message(message: Any) -> None:
            is_ours = message.type == "error" and not (fails and "Failed to load resource" in message.text)
            if is_ours:
                faults.append(message.text)

        def on_request(request: Any) -> None:
            if not _is_at(request.url, address):
                faults.append(f"asked {request.url}")

        page.on("console", on_message)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", on_request)
        page.goto(address)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert faults == []


def _is_at(url: str, address: str) -> bool:
    return url.startswith((address.partition("#")[0], f"blob:{address}"))


def ask(page: "Page", question: str) -> None:
    """Type a question and send it."""
    page.get_by_label("Pertanyaan untuk Koki").fill(question)
    page.keyboard.press("Enter")


def is_over(page: "Page") -> None:
    """Wait until the last answer is over."""
    page.locator(".turn:last-child[aria-busy=false]").wait_for()


def lines(page: "Page") -> list[str]:
    """The ingredient lines of the card, headings aside."""
    return [str(text) for text in page.locator(".card .lines .line").all_inner_texts()]


SOTO_ANSWER: Final = f"""Berikut resep Soto Ayam:

Bahan:
{list_ingredients(soto().ingredients)}

Cara membuat:
{list_steps(soto().recipe.steps)}

Selamat memasak!"""
OTHER_SOTO: Final = (
    SOTO_ANSWER.replace("2 batang serai", "5 batang serai")
    .replace("- 1 sdt garam\n", "- 1 ruas lengkuas\n")
    .replace("Rebus ayam 45 menit.", "Goreng ayam 10 menit.")
)


# -------------------------------------------------------------------------------------------- a chef behind koki serve


def test_an_answer_becomes_a_card_that_says_where_it_stands_in_the_book(served: str, open_page: Open) -> None:
    page = open_page(served)
    ask(page, "Resep telur dadar dong!")
    card = page.get_by_role("article", name="Telur Dadar")
    card.get_by_text("Sesuai buku resep").wait_for()
    assert card.get_by_text("resep.csv, baris 4").is_visible()
    assert lines(page) == ["3 butir telur", "2 batang daun bawang, iris", "1 buah tomat, iris", "garam secukupnya"]
    assert card.locator(".method li").count() == 2


def test_amounts_are_multiplied_by_the_server(served: str, open_page: Open) -> None:
    page = open_page(served)
    ask(page, "Resep telur dadar dong!")
    page.get_by_role("button", name="Tambah takaran").click()
    page.get_by_text("1½ resep").wait_for()
    assert lines(page)[0] == "4½ butir telur"
    page.get_by_role("button", name="Kurangi takaran").click()
    page.get_by_text("1 resep", exact=True).wait_for()
    assert lines(page)[0] == "3 butir telur"


def test_what_is_in_the_kitchen_is_completed_from_the_book_and_asked_with(served: str, open_page: Open) -> None:
    page = open_page(served)
    page.get_by_role("button", name="Isi dapur", exact=True).click()
    field = page.get_by_role("combobox", name="Bahan yang ada di dapur")
    field.press_sequentially("tem")
    page.get_by_role("option", name="tempe").wait_for()
    field.press("ArrowDown")
    field.press("Enter")
    field.press_sequentially("kecap manis,")
    chosen = page.get_by_role("list", name="Yang dipilih").get_by_role("listitem")
    assert chosen.all_inner_texts() == ["tempe", "kecap manis"]
    page.get_by_role("button", name="Masak apa, ya?").click()
    page.get_by_role("heading", name="Saya punya tempe dan kecap manis. Bisa dimasak jadi apa?").wait_for()
    card = page.get_by_role("article", name="Tempe Orek")
    card.get_by_text("Bahan", exact=True).wait_for()
    is_over(page)
    assert card.get_by_label("1 papan tempe, potong dadu").is_checked()
    assert not card.get_by_label("4 siung bawang merah, iris").is_checked()


def test_the_five_capabilities_have_examples_that_ask(served: str, open_page: Open) -> None:
    page = open_page(served)
    examples = page.locator(".example:not(.own)")
    examples.first.wait_for()
    assert examples.count() == 5
    question = examples.first.locator(".question").inner_text()
    examples.first.click()
    page.get_by_role("heading", name=question).wait_for()
    is_over(page)


def test_a_corrected_recipe_is_sent_back(served: str, open_page: Open) -> None:
    page = open_page(served)
    ask(page, "Resep telur dadar dong!")
    page.get_by_role("button", name="Ada yang salah").click()
    page.get_by_label("Bahan", exact=True).fill("4 butir telur\ngaram")
    page.get_by_role("button", name="Kirim perbaikan").click()
    page.get_by_text("Terima kasih").first.wait_for()  # shown, then spoken


# ------------------------------------------------------------------------------------------------------ while it comes


def test_an_answer_is_shown_and_spoken_line_by_line_while_it_comes(script: ScriptedServer, open_page: Open) -> None:
    script.will_say("Berikut resep Soto Ayam:\n\nBahan:\n- 1 ekor ayam\n- 2 batang se", then="waits")
    page = open_page(script.address)
    ask(page, "Resep soto ayam dong!")
    page.get_by_text("2 batang se").wait_for()
    assert lines(page) == ["1 ekor ayam", "2 batang se"]
    spoken = page.locator("[aria-live=polite] p")
    assert spoken.all_inner_texts() == ["Berikut resep Soto Ayam:", "Bahan:", "- 1 ekor ayam"]


def test_stop_ends_the_answer_here_and_on_the_server(script: ScriptedServer, open_page: Open) -> None:
    script.will_say("Berikut resep Soto Ayam:", then="waits")
    page = open_page(script.address)
    ask(page, "Resep soto ayam dong!")
    page.get_by_text("Berikut resep").wait_for()
    page.get_by_role("button", name="Hentikan jawaban").click()
    page.get_by_text("Dihentikan.").last.wait_for()
    assert page.get_by_text("Berikut resep Soto Ayam:").first.is_visible()
    assert page.get_by_role("button", name="Kirim").is_visible()
    assert script.has_left.wait(5)


def test_a_server_that_goes_away_in_the_middle_leaves_what_came_and_can_be_asked_again(
    script: ScriptedServer, open_page: Open
) -> None:
    script.will_say("Berikut resep Soto Ayam:\n\nBahan:\n- 1 ekor ayam", then="breaks")
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address, fails=True)
    ask(page, "Resep soto ayam dong!")
    page.get_by_text("Sambungan terputus").first.wait_for()
    assert lines(page) == ["1 ekor ayam"]
    page.get_by_role("button", name="Coba lagi").click()
    page.get_by_text("Sesuai buku resep").first.wait_for()


def test_a_server_that_is_gone_is_said_and_the_conversation_stays(script: ScriptedServer, open_page: Open) -> None:
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address, fails=True)
    ask(page, "Resep soto ayam dong!")
    is_over(page)
    script.close()
    ask(page, "Resep rawon dong!")
    page.get_by_text("Koki tidak bisa dihubungi").first.wait_for()
    assert page.get_by_role("button", name="Coba lagi").is_visible()
    assert page.get_by_role("article", name="Soto Ayam").is_visible()


def test_the_page_opens_without_its_server_once_it_was_there(script: ScriptedServer, open_page: Open) -> None:
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address, fails=True, service_workers="allow")
    ask(page, "Resep soto ayam dong!")
    is_over(page)
    kept = "caches.open('koki-page').then((cache) => cache.match('/page/words.json')).then(Boolean)"
    for _ in range(200):  # the worker is at it in the background
        if page.evaluate(kept):
            break
        page.wait_for_timeout(50)
    script.close()
    page.reload()
    page.get_by_role("article", name="Soto Ayam").wait_for()


def test_a_busy_server_is_asked_again_when_it_says(script: ScriptedServer, open_page: Open) -> None:
    script.answers.append(Scripted(busy_for=1))
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address, fails=True)
    ask(page, "Resep soto ayam dong!")
    page.get_by_text("Koki sedang ramai").wait_for()
    page.get_by_text("Sesuai buku resep").first.wait_for()
    assert len(script.asked) == 2


def test_a_key_is_taken_out_of_the_address_and_sent(script: ScriptedServer, open_page: Open) -> None:
    script.key = "rahasia"
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(f"{script.address}#key=rahasia")
    ask(page, "Resep soto ayam dong!")
    is_over(page)
    assert page.evaluate("location.href") == script.address
    assert script.keys == ["Bearer rahasia"]


def test_who_has_no_key_is_asked_for_it(script: ScriptedServer, open_page: Open) -> None:
    script.key = "rahasia"
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address, fails=True)
    ask(page, "Resep soto ayam dong!")
    page.get_by_label("Kunci", exact=True).fill("rahasia")
    page.get_by_role("button", name="Masuk").click()
    page.get_by_text("Sesuai buku resep").first.wait_for()


# --------------------------------------------------------------------------------------------------- trust at a glance


def test_what_differs_is_marked_and_the_books_own_recipe_is_one_tap_away(
    script: ScriptedServer, open_page: Open
) -> None:
    script.will_say(OTHER_SOTO, sure())
    page = open_page(script.address)
    ask(page, "Resep soto ayam dong!")
    page.get_by_text("Beda dari buku: 4 hal").first.wait_for()
    assert page.get_by_text("di buku: 2 batang serai").is_visible()
    assert page.locator(".invented .line").all_inner_texts() == ["1 ruas lengkuas"]
    assert page.locator(".lacks").all_inner_texts() == ["garam"]
    assert page.locator(".method .changed").count() == 1
    page.get_by_role("button", name="Resep buku").click()
    assert "2 batang serai" in lines(page)
    assert "1 ruas lengkuas" not in lines(page)
    assert page.locator(".invented, .changed").count() == 0


def test_a_recipe_from_memory_is_said_to_be_in_no_book(script: ScriptedServer, open_page: Open) -> None:
    script.will_say(SOTO_ANSWER)
    page = open_page(script.address)
    ask(page, "Resep soto ayam dong!")
    page.get_by_text("Tidak ada di buku").first.wait_for()
    assert page.get_by_text("dari ingatan Koki").is_visible()
    assert page.get_by_role("button", name="Tambah takaran").count() == 0


def test_what_harms_is_warned_of(script: ScriptedServer, open_page: Open) -> None:
    script.will_say("Jangan dimakan mentah.", Reading("harm"))
    page = open_page(script.address)
    ask(page, "boleh makan ayam mentah?")
    page.get_by_text("Demi keamanan").first.wait_for()


def test_a_dish_that_the_book_lacks_is_named(script: ScriptedServer, open_page: Open) -> None:
    script.will_say("Maaf, soto kudus tidak ada di buku resep.", Reading("recipe", absent="soto kudus"))
    page = open_page(script.address)
    ask(page, "resep soto kudus")
    page.get_by_text("soto kudus tidak ada di buku", exact=True).first.wait_for()


def test_the_recipe_behind_an_answer_about_one_thing_of_it_is_one_tap_away(
    script: ScriptedServer, open_page: Open
) -> None:
    script.will_say("Soto Ayam perlu 2 batang serai.", sure("detail"))
    page = open_page(script.address)
    ask(page, "Berapa serai untuk soto ayam?")
    page.get_by_role("button", name="Lihat resepnya di buku").click()
    assert page.get_by_role("article", name="Soto Ayam").is_visible()
    assert "2 batang serai" in lines(page)


def test_markup_in_an_answer_is_text(script: ScriptedServer, open_page: Open) -> None:
    hostile = "<img src=x onerror=\"document.title='kena'\">"
    script.will_say(f"{hostile}\n\nBahan:\n- {hostile}\n\nCara membuat:\n1. {hostile}")
    page = open_page(script.address)
    ask(page, hostile)
    is_over(page)
    assert page.get_by_text(hostile).count() >= 4
    assert page.title() == "Koki"


# ---------------------------------------------------------------------------------------------------- with a recipe


def test_ticks_are_kept_and_make_the_shopping_list(script: ScriptedServer, open_page: Open) -> None:
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address)
    ask(page, "Resep soto ayam dong!")
    is_over(page)
    page.get_by_label("1 ekor ayam").check()
    page.get_by_label("Langkah 1").check()
    page.reload()
    assert page.get_by_label("1 ekor ayam").is_checked()
    assert page.get_by_label("Langkah 1").is_checked()
    page.get_by_role("button", name="Daftar belanja").click()
    to_buy = page.get_by_role("dialog").locator(".line").all_inner_texts()
    assert to_buy == ["1 sdt garam", "2 batang serai", "4 siung bawang putih", "½ sdt garam"]


def test_what_is_at_hand_is_ticked_in_a_dish_that_is_suggested(script: ScriptedServer, open_page: Open) -> None:
    opening = "Dengan ayam dan serai, kamu bisa membuat Soto Ayam. Yang belum ada: bawang putih. Ini resepnya:"
    script.will_say(SOTO_ANSWER.replace("Berikut resep Soto Ayam:", opening), for_ayam())
    page = open_page(script.address)
    ask(page, "Saya punya ayam dan serai. Bisa dimasak jadi apa?")
    is_over(page)
    assert page.get_by_label("2 batang serai").is_checked()
    assert not page.get_by_label("4 siung bawang putih").is_checked()


def test_a_timer_runs_from_a_step_and_rings(script: ScriptedServer, open_page: Open) -> None:
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address)
    ask(page, "Resep soto ayam dong!")
    is_over(page)
    page.clock.install()
    page.get_by_role("button", name="45 menit").click()
    timer = page.get_by_role("group", name="Timer")
    assert timer.get_by_text("45:00").is_visible()
    page.clock.run_for(45 * 60_000)
    timer.get_by_text("Waktunya!").wait_for()
    timer.get_by_role("button").click()
    assert timer.locator(".pill").count() == 0


def test_while_one_cooks_the_next_step_stands_out(script: ScriptedServer, open_page: Open) -> None:
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address)
    ask(page, "Resep soto ayam dong!")
    page.get_by_role("button", name="Mulai masak").click()
    page.get_by_label("Langkah 1").check()
    assert page.locator(".cooking .next .text").inner_text() == "Tumis bumbu halus."


def test_a_recipe_is_copied_where_the_browser_has_no_clipboard_for_the_page(
    script: ScriptedServer, open_page: Open
) -> None:
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address, script="delete Navigator.prototype.clipboard")
    ask(page, "Resep soto ayam dong!")
    is_over(page)
    page.evaluate("document.addEventListener('copy', () => { window.copied = document.activeElement.value; })")
    page.get_by_role("button", name="Salin resep").click()
    page.get_by_text("Tersalin.").wait_for()
    copied = page.evaluate("window.copied")
    assert copied.startswith("Soto Ayam\n\n- 1 ekor ayam")
    assert copied.endswith("Dari resep.csv, baris 3")


def test_a_recipe_goes_out_through_the_devices_own_sheet(script: ScriptedServer, open_page: Open) -> None:
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address, script="Navigator.prototype.share = async (data) => { window.shared = data; }")
    ask(page, "Resep soto ayam dong!")
    page.get_by_role("button", name="Bagikan resep").click()
    shared = page.evaluate("window.shared")
    assert shared["title"] == "Soto Ayam"
    assert "- 2 batang serai" in shared["text"]


def test_only_the_recipe_is_printed(script: ScriptedServer, open_page: Open) -> None:
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address, script="window.print = () => { window.printed = document.body.className; }")
    ask(page, "Resep soto ayam dong!")
    is_over(page)
    page.get_by_role("button", name="Cetak resep").click()
    assert page.evaluate("window.printed") == "prints-card"
    page.evaluate(
        "document.body.classList.add('prints-card'); document.querySelector('.card').classList.add('printed')"
    )
    page.emulate_media(media="print")
    assert page.get_by_role("article").is_visible()
    for hidden in ("#side", "#ask", ".asked", ".tools"):
        assert not page.locator(hidden).first.is_visible()


# --------------------------------------------------------------------------------------------------- conversations


def test_a_question_can_be_edited_and_the_earlier_answer_had_back(script: ScriptedServer, open_page: Open) -> None:
    script.will_say("Garam sedikit.")
    script.will_say("Gula sedikit.")
    page = open_page(script.address)
    ask(page, "Garam?")
    is_over(page)
    page.get_by_role("button", name="Ubah pertanyaan").click()
    page.get_by_role("textbox", name="Ubah pertanyaan").fill("Gula?")
    page.keyboard.press("Enter")
    page.locator(".said", has_text="Gula sedikit.").wait_for()
    assert page.locator(".turn").count() == 1
    page.get_by_role("button", name="Urungkan").click()
    assert page.locator(".said", has_text="Garam sedikit.").is_visible()


def test_an_answer_anew_is_drawn_another_way_and_what_was_said_before_is_sent(
    script: ScriptedServer, open_page: Open
) -> None:
    for text in ("Satu.", "Dua.", "Tiga."):
        script.will_say(text)
    page = open_page(script.address)
    ask(page, "Pertama?")
    is_over(page)
    ask(page, "Kedua?")
    page.locator(".said", has_text="Dua.").wait_for()
    page.get_by_role("button", name="Jawab ulang").click()
    page.locator(".said", has_text="Tiga.").wait_for()
    again = script.asked[-1]
    assert again["temperature"] > 0
    assert [message["content"] for message in again["messages"]] == ["Pertama?", "Satu.", "Kedua?"]
    assert "temperature" not in script.asked[1]


def test_conversations_are_kept_opened_deleted_and_had_back(script: ScriptedServer, open_page: Open) -> None:
    script.will_say("Satu.")
    script.will_say("Dua.")
    page = open_page(script.address)
    ask(page, "Pertama?")
    is_over(page)
    page.get_by_role("button", name="Percakapan baru").click()
    ask(page, "Kedua?")
    page.locator(".said", has_text="Dua.").wait_for()
    assert script.asked[1]["messages"] == [{"role": "user", "content": "Kedua?"}]
    page.get_by_role("button", name="Pertama?", exact=True).click()
    assert page.locator(".said", has_text="Satu.").is_visible()
    page.get_by_role("button", name="Hapus Pertama?").click()
    assert page.get_by_role("button", name="Pertama?", exact=True).count() == 0
    page.get_by_role("button", name="Urungkan").click()
    assert page.locator(".said", has_text="Satu.").is_visible()
    page.get_by_role("button", name="Hapus semua").click()
    page.get_by_text("Belum ada.").wait_for()


def test_a_conversation_is_saved_as_a_text(script: ScriptedServer, open_page: Open, tmp_path: Path) -> None:
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address, accept_downloads=True)
    ask(page, "Resep soto ayam dong!")
    is_over(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Simpan sebagai teks").click()
    download.value.save_as(tmp_path / "obrolan.txt")
    text = (tmp_path / "obrolan.txt").read_text("utf-8")
    assert text.startswith("Kamu: Resep soto ayam dong!\n\nKoki: Berikut resep Soto Ayam:")
    assert "cocok dengan resep Soto Ayam" in text


def test_when_the_browsers_storage_is_full_the_oldest_conversation_makes_room(
    script: ScriptedServer, open_page: Open
) -> None:
    script.will_say("Satu.")
    script.will_say("Dua.")
    page = open_page(script.address)
    ask(page, "Pertama?")
    is_over(page)
    page.evaluate(
        """() => {
          let size = 1 << 20;
          for (let n = 0; size; n += 1) {
            try { localStorage.setItem(`lain.${n}`, "x".repeat(size)); } catch { size >>= 1; }
          }
        }"""
    )
    page.get_by_role("button", name="Percakapan baru").click()
    ask(page, "Kedua?")
    page.get_by_text("Penyimpanan peramban penuh").wait_for()
    assert page.get_by_role("button", name="Pertama?", exact=True).count() == 0


def test_thumbs_and_a_correction_are_sent_only_where_the_server_takes_them(
    script: ScriptedServer, open_page: Open
) -> None:
    script.will_say(SOTO_ANSWER, sure())
    page = open_page(script.address)
    ask(page, "Resep soto ayam dong!")
    is_over(page)
    assert page.get_by_role("button", name="Jawaban ini bagus").count() == 0
    script.gives_feedback = True
    page.reload()
    page.get_by_role("button", name="Ada yang salah").click()
    page.get_by_label("Bahan", exact=True).fill("1 ekor ayam kampung\ngaram")
    page.get_by_role("button", name="Kirim perbaikan").click()
    page.get_by_text("Terima kasih").first.wait_for()  # shown, then spoken
    (sent,) = script.feedback
    assert sent["verdict"] == "down"
    assert sent["question"] == "Resep soto ayam dong!"
    assert sent["correction"] == {
        "title": "Soto Ayam",
        "ingredients": ["1 ekor ayam kampung", "garam"],
        "steps": list(soto().recipe.steps),
    }


# --------------------------------------------------------------------------------------------- how it looks, who reads


def test_english_is_a_choice_that_is_kept(script: ScriptedServer, open_page: Open) -> None:
    page = open_page(script.address)
    page.get_by_role("heading", name="Mau masak apa hari ini?").wait_for()
    page.get_by_role("button", name="EN", exact=True).click()
    page.reload()
    page.get_by_role("heading", name="What shall we cook today?").wait_for()
    assert page.locator("html").get_attribute("lang") == "en"


def test_it_is_dark_where_the_device_is_and_light_where_it_was_chosen(script: ScriptedServer, open_page: Open) -> None:
    page = open_page(script.address, color_scheme="dark")
    assert _brightness(page) < 60
    page.get_by_role("button", name="Terang").click()
    page.reload()
    assert _brightness(page) > 200


def _brightness(page: "Page") -> float:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(","))) / 3


def test_on_a_narrow_phone_nothing_stands_beyond_the_edge(script: ScriptedServer, open_page: Open) -> None:
    script.will_say(OTHER_SOTO, sure())
    page = open_page(script.address, viewport=PHONE, is_mobile=True, has_touch=True)
    page.get_by_role("heading", name="Mau masak apa hari ini?").wait_for()
    assert _overflow(page) == []
    ask(page, "Resep soto ayam dong! " + "panjang" * 20)
    is_over(page)
    assert _overflow(page) == []
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Percakapan baru").last.wait_for()
    page.keyboard.press("Escape")
    assert page.get_by_role("button", name="Menu").is_visible()


def _overflow(page: "Page") -> list[str]:
    """What reaches beyond the right edge of the phone, whose window grows with what is too wide."""
    found = page.evaluate(
        """(width) => [...document.querySelectorAll("#room *")]
          .filter((it) => it.getBoundingClientRect().right > width + 1 && !it.closest("#timers, .unseen"))
          .map((it) => it.outerHTML.slice(0, 80))""",
        PHONE["width"],
    )
    return [str(it) for it in found]


def test_all_of_it_is_reached_by_the_keyboard(script: ScriptedServer, open_page: Open) -> None:
    script.will_say("Satu.")
    page = open_page(script.address)
    page.get_by_text("Langsung ke kolom pertanyaan").wait_for(state="attached")  # its words come from the server
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Langsung ke kolom pertanyaan"
    page.keyboard.press("Enter")
    page.keyboard.type("Pertama?")
    page.keyboard.press("Enter")
    is_over(page)
    page.locator("body").press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "question"


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, which is fetched for the test and no part of Koki."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm to fetch axe-core with")
    folder = tmp_path_factory.mktemp("axe")
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), AXE]
    if subprocess.run(command, capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("npm does not give axe-core")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_axe_finds_nothing_in_any_state(
    script: ScriptedServer, open_page: Open, axe: str, theme: str, viewport: dict[str, int]
) -> None:
    script.gives_feedback = True
    script.will_say(OTHER_SOTO, sure())
    script.will_say("Jangan dimakan mentah.", Reading("harm"))
    script.will_say(SOTO_ANSWER)
    page = open_page(script.address, viewport=viewport, color_scheme=theme, reduced_motion="reduce", fails=True)
    page.locator(".example").first.wait_for()
    assert _findings(page, axe) == []
    page.get_by_role("button", name="Isi dapur", exact=True).click()
    page.keyboard.type("ayam,s")
    page.get_by_role("option", name="serai").wait_for()
    assert _findings(page, axe) == []
    page.keyboard.press("Escape")
    for question in ("Resep soto ayam dong!", "boleh makan ayam mentah?", "Resep soto?"):
        ask(page, question)
        page.get_by_role("heading", name=question).wait_for()
        is_over(page)
    page.get_by_role("button", name="Mulai masak").first.click()
    page.get_by_label("Langkah 1").first.check()
    page.get_by_label("1 ekor ayam").first.check()
    page.get_by_role("button", name="10 menit").click()
    script.close()
    ask(page, "Masih ada?")
    page.get_by_text("Koki tidak bisa dihubungi").first.wait_for()
    assert _findings(page, axe) == []
    page.get_by_role("button", name="Daftar belanja").first.click()
    assert _findings(page, axe) == []


def _findings(page: "Page", axe: str) -> list[str]:
    """What axe-core finds, and where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"() => {{ {axe} }}")
    found: dict[str, Any] = page.evaluate("() => axe.run()")
    return [
        f"{violation['impact']}: {violation['id']}: {node['html']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


# -------------------------------------------------------------------------------------------- how an answer is read


_ANSWERS: Final = [
    SOTO_ANSWER,
    "Bahan-bahan Soto Ayam:\n\n- 1 ekor ayam\n- garam\n\nSelamat memasak!",
    "Langkah-langkah membuat Soto Ayam:\n\n1. Rebus ayam.\n2. Sajikan.",
    "Untuk membuat Soto Ayam, siapkan bahan-bahan ini:\n\n- 1 ekor ayam\n\nBumbu halus:\n- 2 ruas kunyit",
    "Enak!\n\n**Bahan**\n- 1 ekor ayam\n\n### Cara\n1. Rebus **ayam**.\n\nPilihan lain:\n- Rawon: memakai kluwek.",
    "Garam sedikit saja.",
]


@pytest.mark.parametrize("answer", _ANSWERS)
def test_a_card_has_the_lists_that_koki_reads_in_the_answer(
    script: ScriptedServer, open_page: Open, answer: str
) -> None:
    page = open_page(script.address)
    read = page.evaluate("async (text) => (await import('/page/answer.js')).read(text)", answer)
    said = read_answer(answer)
    listed = [it["line"] for it in read["ingredients"] or [] if not it["heading"]]
    assert listed == [item.raw for item in said.ingredients if not item.heading]
    assert tuple(read["steps"] or ()) == said.steps


@pytest.mark.parametrize(
    ("step", "times"),
    [
        ("Rebus 45 menit.", {"45 menit": 2700}),
        ("Masak 1½ jam, lalu 10-15 menit lagi.", {"1½ jam": 5400, "10-15 menit": 600}),
        ("Goreng 1 menit sampai 2 menit.", {"1 menit": 60, "2 menit": 120}),
        ("Diamkan setengah jam, lalu kukus sejam.", {"setengah jam": 1800, "sejam": 3600}),
        ("Masak 0,5 jam, aduk 30 detik.", {"0,5 jam": 1800, "30 detik": 30}),
        ("Potong 4 cm, jam berapa saja.", {}),
    ],
)
def test_a_step_has_a_timer_for_each_time_that_it_names(
    script: ScriptedServer, open_page: Open, step: str, times: dict[str, int]
) -> None:
    page = open_page(script.address)
    found = page.evaluate("async (step) => (await import('/page/answer.js')).timesIn(step)", step)
    assert {it["text"]: it["seconds"] for it in found} == times


def test_chromium_would_install_it(script: ScriptedServer, open_page: Open) -> None:
    page = open_page(script.address, service_workers="allow")
    page.locator(".example").first.wait_for()
    found = page.context.new_cdp_session(page).send("Page.getInstallabilityErrors")
    assert [it["errorId"] for it in found["installabilityErrors"]] in ([], ["in-incognito"])
