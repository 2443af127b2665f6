// What an answer's check says: whether it stands in the book, where, and what in it differs.
import { h, icon } from "./dom.js";
import { say, sayCount } from "./words.js";

const ICONS = { right: "check", differs: "differs", memory: "memory", absent: "book", harm: "warning" };

/** The mark of each ingredient line that was said, in order: { line, mark, book }. */
const ingredientMarks = (check) => check?.ingredients?.lines ?? [];

export const hasRightLists = (check) =>
  Boolean(check?.source) &&
  ingredientMarks(check).every((line) => line.mark === "right") &&
  !check.ingredients?.missing.length &&
  (!check.steps || (check.steps.in_order && !check.steps.changed.length && !check.steps.missing.length));

/** Differences that no line of a card can show. */
export function differences(koki) {
  const { check, missing } = koki;
  return [
    ...(check.missing_is_exact === false ? [say("differs.missing", { names: missing.join(", ") || say("differs.nothing") })] : []),
    ...(check.steps && !check.steps.in_order ? [say("differs.order")] : []),
    ...check.others.map((line) => say("differs.other", { line })),
    ...check.amounts.map((amount) => say("differs.amount", { amount })),
  ];
}

function countOf(koki) {
  const { check } = koki;
  const lines = ingredientMarks(check).filter((line) => line.mark !== "right").length;
  const steps = check.steps ? Math.max(check.steps.changed.length, check.steps.missing.length) : 0;
  return lines + (check.ingredients?.missing.length ?? 0) + steps + differences(koki).length;
}

export const placeOf = ({ file, line, sheet }) => say(sheet ? "trust.place_in_sheet" : "trust.place", { file, line, sheet });

/** { kind, text, place } of an answer, or null where there is nothing to tell. */
export function standing(koki, hasRecipe) {
  if (!koki) return null;
  const { check, wanted, absent } = koki;
  if (wanted === "harm") return { kind: "harm", text: say("trust.harm"), place: "" };
  if (check?.source) {
    const place = placeOf(check.source);
    if (check.is_right) return { kind: "right", text: say("trust.right"), place };
    return { kind: "differs", text: sayCount("trust.differs", countOf(koki)), place };
  }
  if (check?.tip) {
    const kind = check.tip_is_right ? "right" : "differs";
    return { kind, text: say(check.tip_is_right ? "trust.tip" : "trust.other_tip", { topic: check.tip }), place: "" };
  }
  if (absent && !hasRecipe) return { kind: "absent", text: say("trust.absent", { dish: absent }), place: "" };
  if (check?.is_from_memory || hasRecipe) return { kind: "memory", text: say("trust.memory"), place: "" };
  return null;
}

/** A standing as a badge. */
export const badge = ({ kind, text, place }) =>
  h("p", { class: `badge ${kind}` }, h("span", { class: "mark" }, icon(ICONS[kind]), text), place && h("span", { class: "place" }, place));
