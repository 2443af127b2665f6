// A question and its answer as they are seen.
import { read } from "./answer.js";
import { Card } from "./card.js";
import { h, icon, iconButton, patch } from "./dom.js";
import { openCorrection, praise } from "./feedback.js";
import { copy } from "./sharing.js";
import { Reader, tell } from "./spoken.js";
import { badge, differences, standing } from "./trust.js";
import { reading, say } from "./words.js";

/** What a turn may be told: { ask(text), edit(turn, text), again(turn), save(), givesFeedback() }. */
export class TurnView {
  constructor(turn, acts) {
    this.turn = turn;
    this.acts = acts;
    this.card = null;
    this.reader = new Reader();
    this.question = h("div", { class: "asked" });
    this.before = h("div", { class: "said", lang: "id" });
    this.slot = h("div");
    this.after = h("div", { class: "said", lang: "id" });
    this.trust = h("div", { class: "trust" });
    this.status = h("div", { class: "status" });
    this.actions = h("div", { class: "actions" });
    this.root = h("li", { class: "turn" }, this.question, h("div", { class: "answer" }, this.before, this.slot, this.after, this.trust, this.status, this.actions));
    this.#showQuestion();
    this.show();
  }

  /** Show what has come so far, and what became of it. */
  show(isLast = this.isLast) {
    this.isLast = isLast;
    const { turn } = this;
    const said = read(turn.answer);
    const hasRecipe = Boolean(said.ingredients?.length || said.steps?.length);
    const hasCard = hasRecipe || turn.card.isOpened;
    const found = turn.state === "coming" ? null : standing(turn.koki, hasRecipe);
    this.before.classList.toggle("harmful", found?.kind === "harm");
    patch(this.before, said.before, (block) => this.#block(block));
    patch(this.after, said.after, (block) => this.#block(block));
    if (hasCard) {
      this.card ??= new Card(turn, this.acts.save);
      if (this.card.root.parentNode !== this.slot) this.slot.append(this.card.root);
      this.card.show(said);
      if (turn.state === "done") this.card.tickAtHand();
      this.card.show(said);
    }
    this.#showTrust(hasRecipe ? null : found);
    this.#showStatus();
    this.#showActions();
    this.root.classList.toggle("coming", turn.state === "coming");
    this.root.setAttribute("aria-busy", String(turn.state === "coming"));
  }

  /** A piece more. */
  grow() {
    this.show();
    this.reader.hear(this.turn.answer);
  }

  /** The answer is over: tell so. */
  finish() {
    this.show();
    this.reader.hear(this.turn.answer, true);
    const found = standing(this.turn.koki, this.card !== null);
    tell([this.turn.state === "done" ? say("turn.done") : this.status.textContent, found?.text, found?.place].filter(Boolean).join(" "));
  }

  waitFor(seconds) {
    this.status.replaceChildren(h("p", { class: "busy" }, say("turn.busy", { seconds })));
  }

  // -------------------------------------------------------------------------------------------------------- the parts

  #showQuestion() {
    this.question.replaceChildren(
      h("h2", { lang: "id" }, h("span", { class: "unseen" }, `${say("turn.you")}: `), this.turn.question),
      iconButton("write", say("turn.edit"), () => this.#edit()),
    );
  }

  #edit() {
    const area = h("textarea", { rows: 2, "aria-label": say("turn.edit"), lang: "id" });
    area.value = this.turn.question;
    const leave = () => (this.#showQuestion(), this.question.querySelector("button").focus());
    const send = () => area.value.trim() && this.acts.edit(this.turn, area.value.trim());
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape") (event.stopPropagation(), leave());
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) (event.preventDefault(), send());
    });
    this.question.replaceChildren(
      h("div", { class: "edit" }, area, h("div", { class: "foot" },
        h("button", { type: "button", class: "link", onclick: leave }, say("cancel")),
        h("button", { type: "button", class: "accent", onclick: send }, say("turn.send")))),
    );
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  #block(block) {
    if (!block.items) return h("p", {}, block.text);
    return h("div", { class: "list" }, block.heading && h("h3", {}, block.heading), h("ul", {}, block.items.map((item) => this.#item(item))));
  }

  /** A further dish ("Udang Balado: memakai jeruk nipis") can be asked for. */
  #item(text) {
    const [dish, rest] = text.split(/:\s(.*)/s);
    if (!rest || !/^\p{Lu}/u.test(dish) || dish.split(" ").length > 6) return h("li", {}, text);
    const ask = () => this.acts.ask(reading.questions.recipe.replace("{dish}", dish));
    return h("li", {}, h("button", { type: "button", class: "link", title: say("turn.ask_for"), onclick: ask }, dish), `: ${rest}`);
  }

  #showTrust(found) {
    const { koki } = this.turn;
    const told = found?.kind === "differs" ? differences(koki) : [];
    const own = found && this.#ofTheBook(koki);
    this.trust.replaceChildren(...(found ? [badge(found), ...told.map((text) => h("p", { class: "notice" }, text)), ...(own ? [own] : [])] : []));
    if (found?.kind === "harm") this.before.before(this.trust);
    else this.after.after(this.trust);
  }

  /** What the book itself has, behind an answer that is no recipe: its recipe, or its tip where that differs. */
  #ofTheBook({ check, recipes, tips }) {
    if (check?.source && recipes.some(({ name }) => name === check.source.title) && !this.turn.card.isOpened) {
      const open = () => {
        Object.assign(this.turn.card, { isOpened: true, view: "book" });
        this.acts.save();
        this.show();
        this.slot.querySelector("button").focus({ preventScroll: true });
      };
      return h("button", { type: "button", class: "link", onclick: open }, say("trust.open"));
    }
    const tip = check?.tip_is_right === false && tips.find(({ topic }) => topic === check.tip);
    return tip ? h("details", {}, h("summary", {}, say("trust.open_tip")), h("p", { lang: "id" }, tip.text)) : null;
  }

  #showStatus() {
    const { state, error, answer } = this.turn;
    if (state === "coming") {
      if (!answer && !this.status.querySelector(".waiting")) {
        this.status.replaceChildren(h("p", { class: "waiting" }, icon("bowl"), say("turn.waiting")));
      } else if (answer) this.status.replaceChildren();
      return;
    }
    const told = {
      done: null,
      stopped: () => say("turn.stopped"),
      length: () => say("turn.length"),
      failed: () => this.#why(error, answer),
    }[state];
    if (!told) return this.status.replaceChildren();
    const box = h("div", { class: state === "failed" ? "failed" : "quiet" }, h("p", {}, told()));
    if (state === "failed") box.append(h("button", { type: "button", class: "soft", onclick: () => this.acts.again(this.turn) }, icon("again"), say("turn.retry")));
    this.status.replaceChildren(box);
  }

  #why(error, answer) {
    if (error.kind === "long") return say("turn.long");
    if (error.kind === "busy") return say("turn.still_busy");
    if (error.kind === "unreachable") return say(answer ? "turn.broken" : "turn.unreachable");
    return say("turn.refused", { message: error.message }).trim();
  }

  #showActions() {
    const { turn, acts } = this;
    const isOver = turn.state !== "coming";
    const marks = [isOver && turn.answer && "copy", isOver && this.isLast && turn.state !== "failed" && "again", isOver && turn.answer && acts.givesFeedback() && "thumbs", turn.verdict];
    patch(this.actions, [marks], () => h("div", {},
      marks[0] && iconButton("copy", say("turn.copy"), () => copy(turn.answer.trim())),
      marks[1] && iconButton("again", say("turn.again"), () => acts.again(turn)),
      marks[2] && iconButton("up", say("feedback.good"), async () => (await praise(turn), acts.save(), this.show()), { "aria-pressed": String(turn.verdict === "up") }),
      marks[2] && iconButton("down", say("feedback.bad"), () => openCorrection(turn, this.card, () => (acts.save(), this.show())), { "aria-pressed": String(turn.verdict === "down") }),
    ));
  }
}
