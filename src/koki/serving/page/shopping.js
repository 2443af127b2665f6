// The shopping list of a recipe: what is not ticked in its card.
import { openDialog } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { canShare, copy, share } from "./sharing.js";
import { say } from "./words.js";

export function openShopping(card) {
  const title = say("shopping.title", { dish: card.dish });
  const lines = card.toBuy();
  const text = () => [title, ...card.toBuy().map(({ line }) => `- ${line}`)].join("\n");
  const item = ({ line, place }) => {
    const box = h("input", { type: "checkbox", onchange: () => card.bought(place, box.checked) });
    return h("li", {}, h("label", {}, box, h("span", { class: "text" }, h("span", { class: "line" }, line))));
  };
  const content = () =>
    lines.length
      ? [
          h("p", { class: "lead" }, say("shopping.lead")),
          h("ul", { class: "lines", lang: "id" }, lines.map(item)),
          h("div", { class: "foot" },
            h("button", { type: "button", class: "soft", onclick: () => copy(text()) }, icon("copy"), say("shopping.copy")),
            canShare() && h("button", { type: "button", class: "accent", onclick: () => share(title, text()) }, icon("share"), say("shopping.share"))),
        ]
      : [h("p", { class: "lead" }, say("shopping.all"))];
  openDialog(title, content);
}
