// The conversations that this browser keeps. A conversation is { id, at, title, turns }; a turn
// { id, model, question, answer, koki, state, error, card, verdict }.
//
// state: "coming" while it streams, "done", "stopped" by the cook, "length" where the server cut it, "failed" where the
// server did not answer, or not to the end; `error` then says why.
import { keep, kept, keptNames } from "./kept.js";

const NAMES = "conversation.";
let counter = 0;

/** A name that no other has here; crypto.randomUUID needs https, which a kitchen's network has not. */
export const newId = () => `${Date.now().toString(36)}${(counter++).toString(36)}${Math.random().toString(36).slice(2, 6)}`;

export const newConversation = () => ({ id: newId(), at: Date.now(), title: "", turns: [] });

export const newTurn = (question, model) => ({ id: newId(), model, question, answer: "", koki: null, state: "coming", error: null, card: {}, verdict: null });

/** All that are kept, the newest first. */
export function conversations() {
  const all = keptNames(NAMES).map(kept).filter((found) => Array.isArray(found?.turns));
  return all.sort((one, other) => other.at - one.at);
}

/** What was streaming when the page went, or was left, is as far as it came. */
export function asStopped(conversation) {
  for (const turn of conversation.turns) if (turn.state === "coming") turn.state = "stopped";
  return conversation;
}

/** The one that was open last, or a new one. */
export function current() {
  const found = kept(NAMES + kept("current"));
  return Array.isArray(found?.turns) ? asStopped(found) : newConversation();
}

export const setCurrent = (conversation) => keep("current", conversation.id);

export const isKept = (conversation) => kept(NAMES + conversation.id) !== null;

/** Keep one that has a turn. Where there is no room left, the oldest others go. Returns how many went. */
export function save(conversation) {
  if (!conversation.turns.length) {
    forget(conversation);
    return 0;
  }
  let gone = 0;
  while (!keep(NAMES + conversation.id, conversation)) {
    const oldest = conversations().findLast((other) => other.id !== conversation.id);
    if (!oldest) break;
    forget(oldest);
    gone += 1;
  }
  return gone;
}

export const forget = (conversation) => keep(NAMES + conversation.id, null);

/** A conversation as a text. */
export function asText(conversation, you) {
  return conversation.turns.map((turn) => `${you}: ${turn.question}\n\nKoki: ${turn.answer.trim()}${standing(turn)}\n`).join("\n");
}

const standing = (turn) => (turn.koki?.where_it_stands ? `\n(${turn.koki.where_it_stands})` : "");
