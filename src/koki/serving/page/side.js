// The side of the page: the conversations that are kept, and how the page should be.
import { asText, conversations, forget, save } from "./conversations.js";
import { h, icon, iconButton } from "./dom.js";
import { keep, kept } from "./kept.js";
import { download } from "./sharing.js";
import { note } from "./spoken.js";
import { LANGUAGES, language, say, setLanguage } from "./words.js";

const side = document.getElementById("side");
const room = document.getElementById("room");
const veil = document.getElementById("veil");
const button = document.getElementById("menu-button");
const isNarrow = matchMedia("(max-width: 899px)");
let installation = null; // the browser's offer to install the page

/** What it needs of the page: { conversation(), open(conversation), begin(), rebuild(), models(), model() }. */
export class Side {
  constructor(page) {
    this.page = page;
    button.addEventListener("click", () => this.toggle(!side.classList.contains("open")));
    veil.addEventListener("click", () => this.toggle(false));
    side.addEventListener("keydown", (event) => event.key === "Escape" && this.toggle(false));
    isNarrow.addEventListener("change", () => this.toggle(false));
    for (const id of ["new", "new-here"]) document.getElementById(id).addEventListener("click", () => (this.toggle(false), page.begin()));
    addEventListener("beforeinstallprompt", (event) => {
      event.preventDefault();
      installation = event;
      this.show();
    });
    addEventListener("storage", () => this.show()); // another tab
    this.toggle(false);
  }

  /** On a narrow screen the side lies over the page, which rests meanwhile. */
  toggle(isOpen) {
    const was = side.classList.contains("open");
    side.classList.toggle("open", isOpen);
    side.inert = isNarrow.matches && !isOpen;
    room.inert = isNarrow.matches && isOpen;
    veil.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) document.getElementById("new").focus();
    else if (was) button.focus();
  }

  show() {
    const all = conversations();
    const list = document.getElementById("conversations");
    const current = this.page.conversation();
    list.replaceChildren(...all.map((conversation) => this.#entry(conversation, conversation.id === current.id)));
    if (!all.length) list.append(h("li", { class: "none" }, say("side.none")));
    document.getElementById("preferences").replaceChildren(...this.#tools(all, current), ...this.#preferences());
  }

  #entry(conversation, isCurrent) {
    const open = () => (this.toggle(false), this.page.open(conversation));
    return h("li", {},
      h("button", { type: "button", class: "plain", "aria-current": isCurrent ? "true" : null, onclick: open, lang: "id" }, conversation.title),
      iconButton("bin", say("side.delete", { title: conversation.title }), () => this.#delete([conversation], "side.deleted")));
  }

  #delete(gone, told) {
    const current = this.page.conversation();
    gone.forEach(forget);
    if (gone.some(({ id }) => id === current.id)) this.page.begin();
    this.show();
    note(say(told), say("undo"), () => {
      gone.toReversed().forEach(save);
      this.page.open(gone.find(({ id }) => id === current.id) ?? this.page.conversation());
    });
  }

  #tools(all, current) {
    const tool = (name, key, act) => h("button", { type: "button", class: "plain", onclick: act }, icon(name), say(key));
    const install = () => {
      installation.prompt();
      installation = null;
      this.show();
    };
    return [
      h("div", { class: "list" },
        current.turns.length > 0 && tool("save", "side.export", () => download(`koki-${new Date(current.at).toISOString().slice(0, 10)}.txt`, asText(current, say("turn.you")))),
        all.length > 0 && tool("bin", "side.clear", () => this.#delete(conversations(), "side.cleared")),
        installation && tool("plus", "side.install", install)),
    ];
  }

  #preferences() {
    const theme = (chosen) => {
      keep("theme", chosen === "auto" ? null : chosen);
      dispatchEvent(new Event("koki-theme"));
      this.show();
    };
    const models = this.page.models();
    return [
      choice("side.language", LANGUAGES.map((code) => [code, code.toUpperCase()]), language(), (code) => (setLanguage(code), this.page.rebuild())),
      choice("side.theme", ["auto", "light", "dark"].map((name) => [name, say(`theme.${name}`)]), kept("theme") ?? "auto", theme),
      ...(models.length > 1 ? [choice("side.model", models.map((name) => [name, name]), this.page.model(), (name) => (keep("model", name), this.page.rebuild()))] : []),
    ];
  }
}

function choice(key, options, chosen, choose) {
  const id = key.replace(".", "-");
  const pick = (value) => {
    choose(value);
    document.querySelector(`#${id} [aria-pressed="true"]`)?.focus();
  };
  return h("div", { class: "choice" },
    h("span", { id: `${id}-label` }, say(key)),
    h("div", { id, role: "group", "aria-labelledby": `${id}-label`, class: "segments" },
      options.map(([value, text]) => h("button", { type: "button", "aria-pressed": String(value === chosen), onclick: () => pick(value) }, text))));
}
