// A recipe as a card to cook by: it fills while the answer streams; then come its standing, amounts, ticks and tools.
import { dishIn, timesIn } from "./answer.js";
import { get } from "./api.js";
import { canStayAwake, stayAwake } from "./awake.js";
import { h, icon, iconButton, patch } from "./dom.js";
import { canShare, copy, print, share } from "./sharing.js";
import { openShopping } from "./shopping.js";
import { note } from "./spoken.js";
import { clock, startTimer } from "./timers.js";
import { badge, differences, hasRightLists, placeOf, standing } from "./trust.js";
import { say, sayCount } from "./words.js";

const TIMES = ["1/2", "1", "3/2", "2", "5/2", "3", "4", "5", "6", "8", "10", "12", "15", "20", "30", "50"];
const VULGAR = { "1/2": "½", "1/3": "⅓", "2/3": "⅔", "1/4": "¼", "3/4": "¾" };
const FIGURES = /^(?:\d[\d.,/]*\s?[½¼¾⅓⅔⅛]?|[½¼¾⅓⅔⅛])(?:\s?[-–]\s?(?:\d[\d.,/]*\s?[½¼¾⅓⅔⅛]?|[½¼¾⅓⅔⅛]))?/;
let cooking = null; // the card that is cooked by: one at a time

const valueOf = (times) => times.split("/").reduce((above, below) => above / below);

/** Nobody cooks any more: the cards are gone. */
export function stopCooking() {
  cooking = null;
  stayAwake("cooking", false);
}

/** "5/2" as a cook reads it: 2½. */
export function timesShown(times) {
  const [above, below = 1] = times.split("/").map(Number);
  const rest = above % below ? `${above % below}/${below}` : "";
  const whole = Math.floor(above / below);
  return `${whole || (rest ? "" : 0)}${rest ? (VULGAR[rest] ?? (whole ? ` ${rest}` : rest)) : ""}`;
}

export class Card {
  #said = null;

  /** turn.card keeps what the cook did: { view, times, scaled, ticked, done, isOpened }. */
  constructor(turn, save) {
    this.turn = turn;
    this.save = save;
    this.state = turn.card;
    this.title = h("h3", { id: `dish-${turn.id}` });
    this.trust = h("div", { class: "trust" });
    this.tools = h("div", { class: "tools" });
    this.notice = h("ul", { class: "notice" });
    this.views = h("div", { class: "views", role: "group", "aria-label": say("card.views") });
    this.stepper = h("div", { class: "stepper", role: "group", "aria-label": say("card.times") });
    this.lines = h("ul", { class: "lines" });
    this.lacking = h("p", { class: "lacking" });
    this.shopping = h("button", { type: "button", class: "soft", onclick: () => openShopping(this) }, icon("basket"), h("span", {}, say("card.shopping")));
    this.cook = h("button", { type: "button", class: "soft cook", onclick: () => this.setCooking(cooking !== this) });
    this.steps = h("ol", { class: "method" });
    this.lackingSteps = h("p", { class: "lacking" });
    this.ingredientPart = h("section", { class: "ingredients" }, h("div", { class: "part" }, h("h4", {}, say("card.ingredients")), this.stepper), this.lines, this.lacking, this.shopping);
    this.stepPart = h("section", { class: "steps" }, h("div", { class: "part" }, h("h4", {}, say("card.steps")), this.cook), this.steps, this.lackingSteps);
    this.root = h(
      "article", { class: "card", "aria-labelledby": `dish-${turn.id}`, lang: "id" },
      h("div", { class: "top" }, this.title, this.tools), this.trust, this.notice, this.views, h("div", { class: "parts" }, this.ingredientPart, this.stepPart),
    );
  }

  get koki() {
    return this.turn.koki;
  }

  get isComing() {
    return this.turn.state === "coming";
  }

  /** The book's own recipe of the dish that the answer gives; null where it gives none of the book. */
  get page() {
    const source = this.koki?.check?.source;
    return (source && this.koki.recipes.find((recipe) => recipe.name === source.title)) ?? null;
  }

  get isRight() {
    return this.page !== null && hasRightLists(this.koki.check);
  }

  /** Whether the book's lines are shown, which alone can be multiplied. */
  get showsBook() {
    return this.page !== null && (this.isRight || this.state.view === "book");
  }

  get times() {
    return this.state.times ?? this.page?.times ?? "1";
  }

  /** Which of the two lists is shown; that of an answer that is right is the book's. */
  get view() {
    return this.showsBook && !this.isRight ? "book" : "answer";
  }

  get dish() {
    return this.page?.name || this.koki?.check?.source?.title || dishIn(this.#said) || say("card.recipe");
  }

  /** The recipe that is shown: { ingredients: [{ line, heading, mark, book }], steps: [{ text, changed }] }, null for a part that is not. */
  get shown() {
    const { ingredients, steps } = this.#said;
    if (this.showsBook) {
      const recipe = this.state.times && this.state.times !== this.page.times ? this.state.scaled : this.page;
      const all = !this.isRight || this.state.isOpened; // else what the answer set out to give
      return {
        ingredients: all || ingredients ? recipe.ingredients.map(({ line, heading }) => ({ line: heading ? line.replace(/\s*:$/, "") : line, heading })) : null,
        steps: all || steps ? recipe.steps.map((text) => ({ text })) : null,
      };
    }
    const marks = [...(this.koki?.check?.ingredients?.lines ?? [])];
    const changed = this.koki?.check?.steps?.changed ?? [];
    const marked = (line) => {
      const at = marks.findIndex((mark) => mark.line.trim() === line);
      const { mark = "right", book = "" } = at < 0 ? {} : marks.splice(at, 1)[0];
      return { mark, book };
    };
    return {
      ingredients: ingredients?.map(({ line, heading }) => ({ line, heading, ...(heading ? {} : marked(line)) })) ?? null,
      steps: steps?.map((text) => ({ text, changed: changed.includes(text) })) ?? null,
    };
  }

  /** Show what was said so far. */
  show(said) {
    this.#said = said;
    const { ingredients, steps } = this.shown;
    this.title.textContent = this.dish;
    this.root.classList.toggle("coming", this.isComing);
    this.ingredientPart.hidden = !ingredients;
    this.stepPart.hidden = !steps;
    patch(this.lines, ingredients ?? [], (item, place) => this.#line(item, place));
    patch(this.steps, (steps ?? []).map((step, place) => ({ ...step, number: place + 1 })), (step, place) => this.#step(step, place));
    this.#showTicks();
    this.#showTrust();
    this.#showTools();
    this.#showLacking();
  }

  // ------------------------------------------------------------------------------------------------------------ lists

  #line({ line, heading, mark, book }, place) {
    if (heading) return h("li", { class: "group" }, line);
    const figures = FIGURES.exec(line)?.[0] ?? "";
    const text = h("span", { class: "text" }, h("span", { class: "line" }, figures && h("b", {}, figures), line.slice(figures.length)));
    const marks = { invented: () => say("card.invented"), amount: () => say("card.in_book", { line: book }), near: () => say("card.in_book", { line: book }) };
    if (marks[mark]) text.append(h("small", { class: "mark" }, marks[mark]()));
    const box = h("input", { type: "checkbox", onchange: () => this.#tick("ticked", place, box.checked) });
    return h("li", { class: marks[mark] ? mark : null }, h("label", {}, box, text));
  }

  #step({ text, changed, number }, place) {
    const box = h("input", { type: "checkbox", "aria-label": say("card.step", { number }), onchange: () => this.#tick("done", place, box.checked) });
    const words = h("div", { class: "text", onclick: (event) => event.target.closest("button") || box.click() });
    let at = 0;
    for (const time of timesIn(text)) {
      words.append(text.slice(at, time.at), this.#timer(time, number));
      at = time.at + time.text.length;
    }
    words.append(text.slice(at));
    if (changed) words.append(h("small", { class: "mark" }, say("card.changed")));
    return h("li", { class: changed ? "changed" : null }, h("label", { class: "number" }, box, h("span", { "aria-hidden": "true" }, String(number)), icon("check")), words);
  }

  #timer({ text, seconds }, number) {
    const start = () => startTimer(seconds, `${this.dish}, ${say("card.step", { number }).toLowerCase()}`);
    return h("button", { type: "button", class: "timer", title: say("card.start_timer", { time: clock(seconds) }), onclick: start }, icon("timer"), text);
  }

  #tick(kind, place, isTicked) {
    const ticks = ((this.state[kind] ??= {})[this.view] ??= {});
    if (isTicked) ticks[place] = true;
    else delete ticks[place];
    this.#showTicks();
    this.save();
  }

  #showTicks() {
    for (const [kind, list] of [["ticked", this.lines], ["done", this.steps]]) {
      const ticks = this.state[kind]?.[this.view] ?? {};
      [...list.children].forEach((item, place) => {
        const box = item.querySelector("input");
        if (box) box.checked = Boolean(ticks[place]);
      });
    }
    const next = [...this.steps.children].find((item) => !item.querySelector("input").checked);
    for (const item of this.steps.children) item.classList.toggle("next", item === next);
  }

  /** What is to be bought: the lines that are not ticked, with their places. */
  toBuy() {
    const ticks = this.state.ticked?.[this.view] ?? {};
    return (this.shown.ingredients ?? []).map((item, place) => ({ ...item, place })).filter(({ heading, place }) => !heading && !ticks[place]);
  }

  bought(place, isBought) {
    this.#tick("ticked", place, isBought);
  }

  /** Of a dish that was suggested, tick what is at hand: all but what a program found missing. */
  tickAtHand() {
    const { wanted, missing } = this.koki ?? {};
    if (wanted !== "recommendation" || this.state.ticked || !this.page) return;
    const names = new Map(this.page.ingredients.map(({ line, name }) => [line, name]));
    const ticks = {};
    this.shown.ingredients?.forEach(({ line, heading }, place) => {
      const name = names.get(line);
      if (!heading && name && !missing.includes(name)) ticks[place] = true;
    });
    this.state.ticked = { [this.view]: ticks };
  }

  // ------------------------------------------------------------------------------------------------- standing, amounts

  #showTrust() {
    const found = this.isComing || this.state.isOpened ? null : standing(this.koki, true);
    this.trust.replaceChildren(...(found ? [badge(found)] : []));
    const told = found?.kind === "differs" ? differences(this.koki) : found?.kind === "memory" ? [say("trust.from_memory")] : [];
    patch(this.notice, told, (text) => h("li", {}, text));
    this.notice.hidden = !told.length;
    this.views.hidden = this.isComing || !this.page || this.isRight;
    const choices = [["answer", "card.answer"], ["book", "card.book"]];
    patch(this.views, choices.map(([view, key]) => [view, key, this.view === view]), ([view, key, isShown]) =>
      h("button", { type: "button", "aria-pressed": String(isShown), onclick: () => this.#look(view) }, say(key)));
  }

  #look(view) {
    this.state.view = view;
    this.show(this.#said);
    this.views.querySelector('[aria-pressed="true"]').focus();
    this.save();
  }

  #showTools() {
    this.stepper.hidden = this.isComing || !this.page || !this.shown.ingredients;
    this.tools.hidden = this.isComing;
    this.shopping.hidden = this.cook.hidden = this.isComing;
    this.cook.replaceChildren(icon("flame"), say(cooking === this ? "card.cooking" : "card.cook"));
    this.cook.setAttribute("aria-pressed", String(cooking === this));
    this.root.classList.toggle("cooking", cooking === this);
    if (!this.stepper.children.length) {
      this.fewer = iconButton("minus", say("card.fewer"), () => this.#scale(-1));
      this.more = iconButton("plus", say("card.more"), () => this.#scale(1));
      this.output = h("output");
      this.stepper.append(this.fewer, this.output, this.more);
      this.tools.append(
        iconButton("copy", say("card.copy"), () => copy(this.asText())),
        canShare() ? iconButton("share", say("card.share"), () => share(this.dish, this.asText())) : "",
        iconButton("print", say("card.print"), () => print(this.root)),
      );
    }
    this.output.textContent = say("card.times_value", { times: timesShown(this.times) });
    this.fewer.disabled = !this.#next(-1);
    this.more.disabled = !this.#next(1);
  }

  #next(direction) {
    const now = valueOf(this.times);
    const further = TIMES.filter((times) => (valueOf(times) - now) * direction > 0);
    return direction > 0 ? further[0] : further.at(-1);
  }

  async #scale(direction) {
    const times = this.#next(direction);
    try {
      const scaled = times === this.page.times ? null : await get(`/api/recipes/${encodeURIComponent(this.page.id)}`, { model: this.turn.model, times });
      Object.assign(this.state, { times, scaled, view: "book" }); // only the book's amounts can be multiplied
    } catch (error) {
      return note(error.said || say("offline"));
    }
    this.show(this.#said);
    this.save();
  }

  #showLacking() {
    const isAnswer = !this.isComing && !this.showsBook;
    const names = isAnswer ? (this.koki?.check?.ingredients?.missing ?? []) : [];
    this.lacking.hidden = !names.length;
    this.lacking.replaceChildren(say("card.lacking"), ...names.map((name) => h("span", { class: "lacks" }, name)));
    const steps = isAnswer ? (this.koki?.check?.steps?.missing.length ?? 0) : 0;
    this.lackingSteps.hidden = !steps;
    if (steps) this.lackingSteps.textContent = sayCount("card.lacking_steps", steps);
  }

  // ---------------------------------------------------------------------------------------------------------- cooking

  /** While one cooks the steps are large, the next one stands out, and the screen stays on. */
  setCooking(isCooking) {
    const before = cooking;
    cooking = isCooking ? this : null;
    stayAwake("cooking", isCooking);
    for (const card of new Set([before, this])) card?.show(card.#said);
    if (!isCooking) return;
    note(say(canStayAwake() ? "card.awake" : "card.not_awake"));
    this.stepPart.scrollIntoView({ block: "start" });
  }

  /** The recipe as a text for another app. */
  asText() {
    const { ingredients, steps } = this.shown;
    const parts = [this.dish];
    if (ingredients) parts.push(ingredients.map(({ line, heading }) => (heading ? `\n${line}:` : `- ${line}`)).join("\n"));
    if (steps) parts.push(steps.map(({ text }, place) => `${place + 1}. ${text}`).join("\n"));
    if (this.page) parts.push(say("card.source", { place: placeOf(this.page.source) }));
    return parts.join("\n\n");
  }
}
