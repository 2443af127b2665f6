// The screen stays on while somebody cooks, where the browser can keep it so (it needs https, or this very machine).
const reasons = new Set();
let lock = null;

export const canStayAwake = () => "wakeLock" in navigator;

/** Keep the screen on, or no longer, for a reason of its own: a recipe that is cooked, a timer that runs. */
export function stayAwake(reason, isOn) {
  if (isOn) reasons.add(reason);
  else reasons.delete(reason);
  hold();
}

async function hold() {
  if (!canStayAwake() || document.visibilityState !== "visible") return;
  const [held, isWanted] = [lock, reasons.size > 0];
  if (isWanted === (held !== null)) return;
  lock = isWanted ? navigator.wakeLock.request("screen").catch(() => null) : null; // where a battery is low it says no
  (await held)?.release();
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") lock = null; // the browser lets go of it when the page is hidden
  hold();
});
