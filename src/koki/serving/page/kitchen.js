// Isi dapur: what is at hand as chips, completed from the book's ingredients; one tap asks what to cook with it.
import { get } from "./api.js";
import { h, icon, iconButton } from "./dom.js";
import { keep, kept } from "./kept.js";
import { tell } from "./spoken.js";
import { joined, reading, say } from "./words.js";

const SUGGESTED = 8;
const TYPED = 120; // milliseconds without a key before the book is asked

/** The question what to cook with these, in words that the chef was taught. */
export const whatToCook = (names) => reading.questions[names.length === 1 ? "one" : "several"].replace("{ingredients}", joined(names));

export class Kitchen {
  #root = document.getElementById("kitchen");
  #button = document.getElementById("kitchen-button");
  #names = kept("kitchen") ?? [];
  #suggested = [];
  #chosen = -1; // of the suggestions, by the arrow keys
  #waiting = null;

  constructor(ask, model) {
    this.ask = ask;
    this.model = model;
    this.#button.addEventListener("click", () => this.open(this.#root.hidden));
    this.build();
  }

  open(isOpen, focuses = true) {
    this.#root.hidden = !isOpen;
    this.#button.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) return;
    this.#suggest();
    if (focuses) this.field.focus();
  }

  build() {
    this.chips = h("ul", { class: "chips", "aria-label": say("kitchen.chosen") });
    this.field = h("input", {
      type: "text", role: "combobox", "aria-label": say("kitchen.field"), "aria-autocomplete": "list", "aria-expanded": "true",
      "aria-controls": "suggestions", autocomplete: "off", autocapitalize: "none", enterkeyhint: "done", placeholder: say("kitchen.placeholder"),
      oninput: () => this.#typed(), onkeydown: (event) => this.#key(event),
    });
    this.list = h("div", { id: "suggestions", role: "listbox", class: "suggestions", "aria-label": say("kitchen.suggested") });
    this.cook = h("button", { type: "button", class: "accent", onclick: () => this.#ask() }, icon("flame"), say("kitchen.ask"));
    this.clear = h("button", { type: "button", class: "link", onclick: () => this.#set([]) }, say("kitchen.clear"));
    this.#root.replaceChildren(
      h("div", { class: "head" }, h("h2", {}, say("kitchen.title")), iconButton("close", say("close"), () => (this.open(false), this.#button.focus()))),
      h("div", { class: "field", onclick: (event) => event.target === event.currentTarget && this.field.focus() }, this.chips, this.field),
      this.list,
      h("div", { class: "foot" }, this.clear, this.cook),
    );
    this.#show();
  }

  #set(names) {
    this.#names = names;
    keep("kitchen", names);
    this.#show();
    this.#suggest();
  }

  #add(name) {
    const plain = name.trim().toLowerCase();
    this.field.value = "";
    if (plain && !this.#names.includes(plain)) {
      tell(say("kitchen.added", { name: plain }));
      this.#set([...this.#names, plain]);
    } else this.#suggest();
  }

  #remove(name) {
    tell(say("kitchen.removed", { name }));
    this.#set(this.#names.filter((other) => other !== name));
    this.field.focus();
  }

  #ask() {
    if (this.field.value.trim()) this.#add(this.field.value);
    if (!this.#names.length) return this.field.focus();
    this.open(false);
    this.ask(whatToCook(this.#names));
  }

  #typed() {
    const parts = this.field.value.split(/[,;\n]/);
    const rest = parts.pop();
    for (const part of parts) this.#add(part);
    this.field.value = rest.trimStart();
    const typed = this.field.value.trim().toLowerCase();
    this.#offer(this.#suggested.filter((name) => name.includes(typed))); // until the book answers
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#suggest(), TYPED);
  }

  #key(event) {
    const move = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const isEmpty = !this.field.value;
    if (move && this.#suggested.length && (event.key === "ArrowDown" || event.key === "ArrowUp" || this.#chosen >= 0)) {
      event.preventDefault();
      const count = this.#suggested.length;
      this.#choose((this.#chosen + move + count) % count);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.#chosen >= 0) this.#add(this.#suggested[this.#chosen]);
      else if (isEmpty) this.#ask();
      else this.#add(this.field.value);
    } else if (event.key === "Backspace" && isEmpty && this.#names.length) this.#remove(this.#names.at(-1));
    else if (event.key === "Escape") {
      this.open(false);
      this.#button.focus();
    }
  }

  #choose(place) {
    this.#chosen = place;
    [...this.list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === place)));
    if (place < 0) this.field.removeAttribute("aria-activedescendant");
    else this.field.setAttribute("aria-activedescendant", this.list.children[place].id);
  }

  async #suggest() {
    if (this.#root.hidden) return;
    const q = this.field.value.trim().toLowerCase();
    let found = [];
    try {
      ({ ingredients: found } = await get("/api/ingredients", { model: this.model(), q, limit: SUGGESTED + this.#names.length }));
    } catch {
      // without the server one still may type
    }
    if (q === this.field.value.trim().toLowerCase()) this.#offer(found);
  }

  #offer(found) {
    this.#suggested = found.filter((name) => !this.#names.includes(name)).slice(0, SUGGESTED);
    this.list.replaceChildren(...this.#suggested.map((name, at) => this.#option(name, at)));
    this.list.hidden = !this.#suggested.length;
    this.field.setAttribute("aria-expanded", String(this.#suggested.length > 0));
    this.#choose(-1);
  }

  #option(name, at) {
    const take = (event) => {
      event.preventDefault(); // the field keeps the focus, and a phone its keyboard
      this.#add(name);
    };
    return h("div", { role: "option", id: `suggestion-${at}`, class: "chip", "aria-selected": "false", onmousedown: take }, name);
  }

  #show() {
    this.chips.replaceChildren(...this.#names.map((name) => h("li", { class: "chip" }, name, iconButton("close", say("kitchen.remove", { name }), () => this.#remove(name)))));
    this.chips.hidden = this.clear.hidden = !this.#names.length;
    this.#button.dataset.count = this.#names.length || "";
  }
}
