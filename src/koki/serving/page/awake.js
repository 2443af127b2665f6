// The screen stays on while somebody cooks, where the browser can keep it so (it needs https, or this very machine).
let wanted = false;
let lock = null;

export const canStayAwake = () => "wakeLock" in navigator;

export async function stayAwake(on) {
  wanted = on;
  if (!canStayAwake()) return;
  try {
    if (on && document.visibilityState === "visible") lock ??= await navigator.wakeLock.request("screen");
    else if (!on) await lock?.release();
  } catch {
    // a battery that is nearly empty: the browser decides
  }
  if (!on) lock = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  lock = null; // the browser lets go of it when the page is hidden
  if (wanted) stayAwake(true);
});
