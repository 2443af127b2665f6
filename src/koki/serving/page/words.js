// What the page says, in the language that was chosen; words.json has it.
import { kept, keep } from "./kept.js";

const words = await (await fetch("/page/words.json")).json();

/** The words by which an answer is read: it is in Indonesian whatever language the page speaks. */
export const reading = words.reading;
export const LANGUAGES = Object.keys(words.languages);

export const language = () => (LANGUAGES.includes(kept("language")) ? kept("language") : LANGUAGES[0]);

export function setLanguage(chosen) {
  keep("language", chosen);
  translate();
}

/** A text with its slots filled: say("trust.absent", { dish: "Soto Kudus" }). */
export function say(key, slots = {}) {
  const text = words.languages[language()][key];
  if (text === undefined) throw new Error(`words.json has no ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, slot) => slots[slot]);
}

/** Of two forms the one that goes with a number. */
export const sayCount = (key, count) => say(`${key}.${count === 1 ? "one" : "many"}`, { count });

/** The joining of names in Indonesian, in which the chef is asked: "a, b, dan c". */
export function joined(names) {
  const { two, several } = reading.joining;
  if (names.length < 3) return names.join(two);
  return names.slice(0, -1).join(", ") + several + names.at(-1);
}

/** Put the words into what stands in index.html. */
export function translate() {
  document.documentElement.lang = language();
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
    if (element.tagName === "BUTTON") element.title = say(element.dataset.label);
  }
  for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = say(element.dataset.placeholder);
}
