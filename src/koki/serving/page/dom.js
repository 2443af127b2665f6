// Elements are made here and nowhere from markup, so that a text is never more than a text.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes, listeners (onclick, ...) and children; what is null, undefined or false is left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A drawing of the sprite in index.html; what stands beside it, or the label of its button, says what it means. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A button with a drawing alone. */
export const iconButton = (name, label, onclick, attributes = {}) =>
  h("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick, ...attributes }, icon(name));

/**
 * Make a parent's children those of the items, and touch none whose item is as before: nothing flickers while an
 * answer comes, and what has the focus keeps it.
 */
export function patch(parent, items, make) {
  items.forEach((item, place) => {
    const mark = JSON.stringify(item);
    const old = parent.children[place];
    if (old?.madeOf === mark) return;
    const made = make(item, place);
    made.madeOf = mark;
    if (old) old.replaceWith(made);
    else parent.append(made);
  });
  while (parent.children.length > items.length) parent.lastElementChild.remove();
}
