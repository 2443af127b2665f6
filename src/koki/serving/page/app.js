// The page: a conversation, the field below it, and what comes when somebody asks.
//
// answer.js         the text of an answer -> what stands before the recipe, its lists, what follows; the times of a step
// api.js            the server's HTTP interface
// awake.js          the screen stays on
// card.js           a recipe to cook by
// conversations.js  what was asked and answered, as this browser keeps it
// dialogs.js        sheets over the page
// dom.js            elements
// feedback.js       thumbs and corrections
// kept.js           the browser's storage
// kitchen.js        what is at hand, as chips
// sharing.js        clipboard, the phone's own sheet, files, paper
// shopping.js       what of a recipe is to be bought
// side.js           conversations and settings
// spoken.js         what a screen reader is told, and notes that pass
// sw.js             the page without its server (a service worker)
// theme.js          light or dark, before anything is painted
// timers.js         kitchen timers
// trust.js          whether an answer stands in the book
// turn.js           a question and its answer
// words.js          what the page says: words.json, in both languages
import { ServerError, ask as askServer, get, takeKey } from "./api.js";
import { stopCooking } from "./card.js";
import { asStopped, current, isKept, newConversation, newTurn, save, setCurrent } from "./conversations.js";
import { openDialog } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { keep, kept } from "./kept.js";
import { Kitchen } from "./kitchen.js";
import { Side } from "./side.js";
import { note } from "./spoken.js";
import { resumeTimers } from "./timers.js";
import { TurnView } from "./turn.js";
import { say, sayCount, translate } from "./words.js";

const MOST_TURNS = 12; // of a conversation that are sent again; how many of them a chef reads is the server's to decide
const MOST_TRIES = 4; // while the server is busy
const ANOTHER = 0.7; // the temperature of an answer again, which else would be the same
const TITLE = 60; // characters
const EXAMPLES = { recipe: "book", simple: "question", recommendation: "fridge", inquiry: "fish", tip: "bulb" };

const hasKeys = matchMedia("(pointer: fine)");
const element = (id) => document.getElementById(id);
const [list, field, send, welcome] = ["turns", "question", "send", "welcome"].map(element);
let conversation = current();
let views = [];
let settings = null; // the server's; null as long as it has not told
let loading = null; // the promise of the settings
let answering = null; // the AbortController of the answer that comes

const acts = {
  ask,
  save: keepConversation,
  givesFeedback: () => settings?.feedback ?? false,
  edit(turn, text) {
    replaceFrom(turn);
    ask(text);
  },
  again(turn) {
    const isSame = turn.state === "failed" && !turn.answer; // nothing was said yet: ask as before
    replaceFrom(turn);
    ask(turn.question, isSame ? {} : { temperature: ANOTHER });
  },
};

function model() {
  const names = settings?.models ?? [];
  return names.includes(kept("model")) ? kept("model") : (names[0] ?? kept("model") ?? "");
}

// ---------------------------------------------------------------------------------------------------------- asking

async function ask(text, options = {}) {
  if (!text.trim()) return;
  stop();
  setCurrent(conversation);
  const turn = newTurn(text.trim(), model());
  conversation.turns.push(turn);
  conversation.title ||= turn.question.slice(0, TITLE);
  conversation.at = Date.now();
  keepConversation();
  const view = addView(turn);
  show();
  rest();
  view.root.scrollIntoView({ block: "start" });
  await answer(turn, options);
}

async function answer(turn, options) {
  const controller = new AbortController();
  const asked = conversation;
  answering = controller;
  showSend();
  let frame = 0;
  try {
    await loading;
    turn.model ||= model();
    for await (const event of tryAgain(() => askServer({ model: turn.model, messages: messagesFor(turn), ...options }, controller.signal), turn, controller.signal)) {
      if (event.text) turn.answer += event.text;
      if (event.koki) turn.koki = event.koki;
      if (event.ended) turn.state = event.ended === "length" ? "length" : "done";
      cancelAnimationFrame(frame);
      if (turn.state === "coming") frame = requestAnimationFrame(() => viewOf(turn)?.grow());
    }
  } catch (error) {
    if (error.name === "AbortError") turn.state = "stopped";
    else if (error instanceof ServerError) Object.assign(turn, { state: "failed", error: { kind: error.kind, message: error.said } });
    else throw error;
  } finally {
    cancelAnimationFrame(frame);
    if (answering === controller) answering = null;
    if (turn.state === "coming") turn.state = "stopped";
    viewOf(turn)?.finish();
    showSend();
    if (asked === conversation) keepConversation();
    else if (isKept(asked)) save(asked); // it was left, not deleted
  }
}

/** Ask; ask again when a busy server says to, and with the key when it wants one. */
async function* tryAgain(askOnce, turn, signal) {
  for (let tries = 1; ; tries += 1) {
    try {
      return yield* askOnce();
    } catch (error) {
      if (error.kind === "key" && (await askForKey())) continue;
      if (error.kind !== "busy" || tries === MOST_TRIES) throw error;
      await countDown(Math.min(error.after, 60), turn, signal);
    }
  }
}

async function countDown(seconds, turn, signal) {
  for (let left = seconds; left > 0; left -= 1) {
    viewOf(turn)?.waitFor(left);
    await new Promise((done) => setTimeout(done, 1000));
    signal.throwIfAborted();
  }
}

function messagesFor(turn) {
  const earlier = conversation.turns.slice(0, conversation.turns.indexOf(turn)).filter((other) => other.answer);
  const said = earlier.slice(-MOST_TURNS).flatMap(({ question, answer: text }) => [
    { role: "user", content: question },
    { role: "assistant", content: text },
  ]);
  return [...said, { role: "user", content: turn.question }];
}

/** Where one types with keys the field is ready for the next question; a phone's keyboard goes and leaves room. */
function rest() {
  if (hasKeys.matches) field.focus({ preventScroll: true });
  else field.blur();
}

function stop() {
  answering?.abort();
  answering = null;
}

/** A turn and those after it make room for another; they can be had back. */
function replaceFrom(turn) {
  stop();
  const [replaced, before] = [conversation, asStopped(structuredClone(conversation))];
  const place = conversation.turns.indexOf(turn);
  conversation.turns.length = place;
  if (!place) conversation.title = "";
  for (const view of views.splice(place)) view.root.remove();
  stopCooking();
  if (!turn.answer && place === before.turns.length - 1) return; // nothing is lost
  note(say("turn.replaced"), say("undo"), () => {
    if (conversation === replaced) open(before);
    else save(before);
  });
}

function askForKey() {
  let isGiven = false;
  const content = (close) => [
    h("form", {
      onsubmit(event) {
        event.preventDefault();
        isGiven = event.target.elements.key.value.trim() !== "";
        if (isGiven) keep("key", event.target.elements.key.value.trim());
        close();
      },
    },
      h("p", { class: "lead" }, say("key.lead")),
      h("label", { class: "labelled" }, say("key.field"), h("input", { name: "key", type: "password", autocomplete: "off", autofocus: true, required: true })),
      h("div", { class: "foot" }, h("button", { class: "accent" }, say("key.enter")))),
  ];
  return new Promise((resolve) => openDialog(say("key.title"), content, () => resolve(isGiven)));
}

// ---------------------------------------------------------------------------------------------------------- showing

const viewOf = (turn) => views.find((view) => view.turn === turn);

function addView(turn) {
  const view = new TurnView(turn, acts);
  views.push(view);
  list.append(view.root);
  return view;
}

function keepConversation() {
  const gone = save(conversation);
  if (gone) note(sayCount("storage.full", gone));
  side.show();
}

function open(other) {
  if (other !== conversation) stop();
  conversation = other;
  setCurrent(conversation);
  save(conversation);
  rebuild();
  views.at(-1)?.root.scrollIntoView({ block: "start" });
}

function begin() {
  open(newConversation());
  rest();
}

/** Make all of it anew: another conversation, or another language. */
function rebuild() {
  translate();
  stopCooking();
  views = [];
  list.replaceChildren();
  conversation.turns.forEach(addView);
  kitchen.build();
  show();
}

function show() {
  const isNew = conversation.turns.length === 0;
  welcome.hidden = !isNew;
  list.hidden = element("heading").hidden = isNew;
  if (isNew) showWelcome();
  views.forEach((view, place) => view.show(place === views.length - 1));
  showSend();
  side.show();
}

function showWelcome() {
  const example = ([kind, drawing]) => {
    const question = settings?.examples?.[kind];
    return question && h("li", {}, h("button", { type: "button", class: "example", onclick: () => ask(question) }, icon(drawing), h("span", { class: "kind" }, say(`example.${kind}`)), h("span", { class: "question", lang: "id" }, question)));
  };
  const ownKitchen = h("li", {}, h("button", { type: "button", class: "example own", onclick: () => kitchen.open(true) }, icon("basket"), h("span", { class: "kind" }, say("kitchen.title")), h("span", { class: "question" }, say("kitchen.open"))));
  const shown = [
    h("h1", {}, say("welcome.title")),
    h("p", { class: "lead" }, say("welcome.lead")),
    settings?.isAway && h("div", { class: "failed" }, h("p", {}, say("offline")), h("button", { type: "button", class: "soft", onclick: loadSettings }, icon("again"), say("turn.retry"))),
    h("ul", { class: "examples" }, ownKitchen, Object.entries(EXAMPLES).map(example)),
  ];
  welcome.replaceChildren(...shown.filter(Boolean));
}

function showSend() {
  const isAnswering = answering !== null;
  send.replaceChildren(icon(isAnswering ? "stop" : "send"));
  send.setAttribute("aria-label", say(isAnswering ? "ask.stop" : "ask.send"));
  send.title = say(isAnswering ? "ask.stop" : "ask.send");
  send.classList.toggle("stops", isAnswering);
}

// ---------------------------------------------------------------------------------------------------------- starting

async function loadSettings() {
  try {
    settings = await get("/api/settings");
  } catch (error) {
    if (error.kind === "key" && (await askForKey())) return loadSettings();
    settings = { isAway: true };
  }
  show();
}

function fit() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

element("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value;
  if (answering && !text.trim()) return stop();
  field.value = "";
  fit();
  ask(text);
});
send.addEventListener("click", (event) => {
  if (!answering) return;
  event.preventDefault();
  stop();
});
field.addEventListener("input", fit);
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  element("ask").requestSubmit();
});
addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") stop();
  if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    field.focus();
  }
});
addEventListener("pagehide", () => save(conversation));

takeKey();
const side = new Side({ conversation: () => conversation, open, begin, rebuild, models: () => settings?.models ?? [], model });
const kitchen = new Kitchen(ask, model);
rebuild();
resumeTimers();
views.at(-1)?.root.scrollIntoView({ block: "start" });
loading = loadSettings();
navigator.serviceWorker?.register("/page/sw.js", { scope: "/" }).catch(() => {}); // without it the page needs the server to open
