// What this browser keeps for the page, in its local storage; where it keeps nothing, as long as the page is open.
const PREFIX = "koki.";
const inMemory = new Map();

/** What was kept under a name; null where nothing was, or what is there is damaged. */
export function kept(name) {
  try {
    return JSON.parse(inMemory.get(name) ?? localStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

/** Keep a value under a name; null forgets it. Returns whether it outlives the page. */
export function keep(name, value) {
  const text = JSON.stringify(value);
  inMemory.delete(name);
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, text);
    return true;
  } catch {
    if (value !== null) inMemory.set(name, text); // no storage, or it is full
    return false;
  }
}

/** The names that begin so. */
export function keptNames(beginning) {
  const names = new Set([...inMemory.keys()].filter((name) => name.startsWith(beginning)));
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX + beginning)) names.add(key.slice(PREFIX.length));
  } catch {
    // a browser that keeps nothing
  }
  return [...names];
}
