// Small sheets over the page.
import { h, iconButton } from "./dom.js";
import { say } from "./words.js";

let count = 0;

/** Open a sheet with a title; it leaves the page when it is closed, and `closed` is told. */
export function openDialog(title, content, closed = () => {}) {
  const id = `sheet-${(count += 1)}`;
  const dialog = h("dialog", { "aria-labelledby": id });
  const close = () => dialog.close();
  dialog.append(h("div", { class: "head" }, h("h2", { id }, title), iconButton("close", say("close"), close)), ...content(close));
  dialog.addEventListener("close", () => (dialog.remove(), closed()));
  dialog.addEventListener("click", (event) => event.target === dialog && close()); // beside the sheet
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
