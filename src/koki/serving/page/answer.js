// An answer, read as a cook reads it, also while it comes: what stands before the recipe, its lists, what follows.
// The rules are those of koki.answers.said; the words are in words.json.
import { reading } from "./words.js";

const ITEM = /^(?:[-*•–]|\d{1,2}[.)])\s+(?=\S)/;
const MOST_WORDS_INLINE = 3; // "Bahan utama: ayam, serai" is a heading and its list

/**
 * Returns { before, ingredients, steps, after }: before and after are blocks { text } or { heading, items }, ingredients
 * are { line, heading } and steps texts; an answer without a recipe has null for both lists.
 */
export function read(text) {
  const said = { before: [], ingredients: null, steps: null, after: [] };
  let section = "";
  const outside = () => (said.ingredients || said.steps ? said.after : said.before);
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (!line) continue;
    const item = ITEM.exec(line);
    const words = plain(item ? line.slice(item[0].length) : line);
    if (item) {
      if (section === "ingredients" || section === "steps") addTo(said, section, words);
      else addItem(outside(), words);
      continue;
    }
    const isFirst = !said.before.length && !said.ingredients && !said.steps;
    const heading = headingOf(words, /^(#|\*\*)/.test(line));
    if (heading && (heading.kind === "ingredients" || heading.kind === "steps")) {
      section = heading.kind;
      said[section] ??= [];
      if (isFirst) said.before.push({ text: words }); // "Bahan Soto Ayam:" opens the answer and heads its list
      else if (section === "ingredients" && (said.ingredients.length || !isPlainHeading(words))) said.ingredients.push({ line: withoutColon(words), heading: true });
      if (heading.rest) addTo(said, section, heading.rest);
    } else if (section === "ingredients" && words.endsWith(":")) {
      said.ingredients.push({ line: withoutColon(words), heading: true });
    } else if (heading) {
      section = "list";
      outside().push({ heading: words, items: [] });
    } else {
      section = "";
      outside().push({ text: words });
    }
  }
  return said;
}

const plain = (text) => text.replaceAll("**", "").replace(/^#+/, "").trim();
const withoutColon = (text) => text.replace(/\s*:$/, "");

/** "Bahan:" stands over every list and needs no line of its own. */
const isPlainHeading = (words) => withoutColon(words).toLowerCase() === reading.headings.ingredients[0];

function addTo(said, section, words) {
  if (section === "ingredients") said.ingredients.push({ line: words, heading: false });
  else said.steps.push(words);
}

function addItem(blocks, words) {
  const last = blocks.at(-1);
  if (last?.items) last.items.push(words);
  else blocks.push({ heading: "", items: [words] });
}

function headingOf(text, isMarked) {
  const colon = text.indexOf(":");
  if (colon < 0 && !isMarked) return null;
  let head = colon < 0 ? text : text.slice(0, colon);
  let rest = colon < 0 ? "" : text.slice(colon + 1).trim();
  if (rest && head.split(/\s+/).length > MOST_WORDS_INLINE) {
    if (!text.endsWith(":")) return null;
    [head, rest] = [text, ""];
  }
  head = head.trim().toLowerCase();
  const kind = kindOf(head.split(/(?<=[.!?])\s+/).at(-1)) ?? kindOf(head);
  return kind ? { kind, rest } : null;
}

function kindOf(head) {
  const starts = (beginnings) => new RegExp(`(?<![\\p{L}\\d])(?:${beginnings.join("|")})`, "u").test(head);
  if (starts(reading.headings.steps)) return "steps";
  if (reading.headings.ingredients.some((word) => head.startsWith(word))) return "ingredients";
  return ["others", "ingredients", "tips"].find((kind) => starts(reading.headings[kind])) ?? null;
}

/** The dish that an opening names: its longest run of capitalised words, of equally long ones the last; "" for none. */
export function dishIn(said) {
  const text = said.before.map((block) => block.text ?? "").join("\n");
  const runs = text.match(/\p{Lu}[\p{L}\d'’-]*(?: \p{Lu}[\p{L}\d'’-]*)*/gu) ?? [];
  const dishes = runs.filter((run) => run.includes(" ") || text.indexOf(run) > 0);
  return dishes.reduce((best, run) => (run.split(" ").length >= best.split(" ").length ? run : best), "");
}

const FRACTIONS = { "½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3 };

/** The times of a step: { at, text, seconds }, in its order; of a range the shorter, since then one has to look. */
export function timesIn(step) {
  const units = Object.entries(reading.times.seconds).flatMap(([seconds, names]) => names.map((name) => [name, Number(seconds)]));
  const of = Object.fromEntries(units);
  const number = "(?:\\d+(?:[.,]\\d+)?\\s?[½¼¾⅓⅔]?|[½¼¾⅓⅔])";
  const amount = `(?<low>${number})(?:\\s?(?:[-–—]|${reading.times.to.join("|")})\\s?${number})?\\s?(?<unit>${Object.keys(of).join("|")})`;
  const alone = Object.keys(reading.times.alone);
  const found = step.matchAll(new RegExp(`(?<![\\p{L}\\d.,/])(?:${amount}|(?<alone>${alone.join("|")}))(?![\\p{L}\\d])`, "giu"));
  return [...found].map((match) => ({
    at: match.index,
    text: match[0],
    seconds: match.groups.alone ? reading.times.alone[match.groups.alone.toLowerCase()] : value(match.groups.low) * of[match.groups.unit.toLowerCase()],
  }));
}

function value(text) {
  const fraction = FRACTIONS[text.at(-1)] ?? 0;
  const whole = text.replace(/[½¼¾⅓⅔]/, "").trim().replace(",", ".");
  return (whole ? Number(whole) : 0) + fraction;
}
