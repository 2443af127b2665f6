// Out of the page: the clipboard, the phone's own sheet, a file.
import { h } from "./dom.js";
import { note } from "./spoken.js";
import { say } from "./words.js";

export const canShare = () => "share" in navigator;

export async function share(title, text) {
  try {
    await navigator.share({ title, text });
  } catch (error) {
    if (error.name !== "AbortError") copy(text); // who closes the sheet wants nothing
  }
}

/** Copy a text, also where the browser has no clipboard for a page without https. */
export async function copy(text) {
  let isCopied;
  try {
    await navigator.clipboard.writeText(text);
    isCopied = true;
  } catch {
    isCopied = copyBySelection(text);
  }
  note(say(isCopied ? "copied" : "not_copied"));
}

function copyBySelection(text) {
  const focused = document.activeElement;
  const area = h("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1" });
  area.value = text;
  (focused?.closest("dialog") ?? document.body).append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return isCopied;
}

/** Give a text as a file. */
export function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** Print one recipe alone. */
export function print(card) {
  card.classList.add("printed");
  document.body.classList.add("prints-card");
  window.print();
  card.classList.remove("printed");
  document.body.classList.remove("prints-card");
}
