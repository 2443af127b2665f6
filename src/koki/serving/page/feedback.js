// Thumbs, and a recipe as it should have been: sent back to who runs the server, if they asked for it.
import { post } from "./api.js";
import { openDialog } from "./dialogs.js";
import { h } from "./dom.js";
import { note } from "./spoken.js";
import { say } from "./words.js";

const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

async function send(turn, verdict, correction = null) {
  try {
    await post("/api/feedback", { model: turn.model, question: turn.question, answer: turn.answer, verdict, correction });
  } catch (error) {
    note(error.said || say("offline"));
    return false;
  }
  turn.verdict = verdict;
  note(say("feedback.thanks"));
  return true;
}

export const praise = (turn) => send(turn, "up");

/** Ask what it should have been; `sent` is told when it was sent. The card, where there is one, is what is corrected. */
export function openCorrection(turn, card, sent) {
  const { ingredients, steps } = card?.shown ?? {};
  const field = (name, rows, value) => {
    const about = { name, lang: "id", required: true };
    const control = rows === 1 ? h("input", { type: "text", ...about }) : h("textarea", { rows, ...about });
    control.value = value;
    return h("label", { class: "labelled" }, say(`feedback.${name}`), control);
  };
  const content = (close) => {
    const finish = async (correction) => {
      if (await send(turn, "down", correction)) (close(), sent());
    };
    const corrected = (event) => {
      event.preventDefault();
      const { dish, ingredients: items, steps: method } = event.target.elements;
      finish({ title: dish.value.trim(), ingredients: lines(items.value), steps: lines(method.value) });
    };
    return [
      h("form", { onsubmit: corrected },
        h("p", { class: "lead" }, say("feedback.lead")),
        field("dish", 1, card?.dish ?? ""),
        field("ingredients", 6, (ingredients ?? []).map(({ line, heading }) => (heading ? `${line}:` : line)).join("\n")),
        field("steps", 6, (steps ?? []).map(({ text }) => text).join("\n")),
        h("div", { class: "foot" },
          h("button", { type: "button", class: "link", onclick: () => finish(null) }, say("feedback.plain")),
          h("button", { class: "accent" }, say("feedback.send")))),
    ];
  };
  openDialog(say("feedback.title"), content);
}
