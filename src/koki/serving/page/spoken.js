// What a screen reader is told, and the notes that pass at the edge.
import { h } from "./dom.js";

const spoken = document.getElementById("spoken");
const toasts = document.getElementById("toasts");
const STAYS = 6000; // milliseconds
const MOST_LINES = 40;

/** Say a line to who listens; it is not seen. */
export function tell(line) {
  spoken.append(h("p", {}, line));
  while (spoken.children.length > MOST_LINES) spoken.firstElementChild.remove();
}

/** A note that passes, with something to do about it while it is there. */
export function note(text, action = null, act = null) {
  const toast = h("div", { class: "toast" }, h("span", {}, text));
  const leave = () => toast.remove();
  if (action) toast.append(h("button", { type: "button", class: "link", onclick: () => (leave(), act()) }, action));
  const dialog = document.querySelector("dialog[open]"); // which covers all else
  toasts.replaceChildren();
  dialog?.querySelector(".toast")?.remove();
  (dialog ?? toasts).append(toast);
  if (dialog) tell(text);
  setTimeout(leave, action ? STAYS * 1.5 : STAYS);
}

/** Speaks an answer while it comes: each line once it is whole. */
export class Reader {
  #told = 0;

  hear(text, isWhole = false) {
    const end = isWhole ? text.length : text.lastIndexOf("\n") + 1;
    for (const line of text.slice(this.#told, end).split("\n")) if (line.trim()) tell(line.trim());
    this.#told = Math.max(this.#told, end);
  }
}
