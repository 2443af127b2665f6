// Kitchen timers: started from a step, shown over the question, kept when the page is closed, rung when their time is up.
import { h, icon, iconButton } from "./dom.js";
import { keep, kept } from "./kept.js";
import { stayAwake } from "./awake.js";
import { say } from "./words.js";
import { tell } from "./spoken.js";
import { newId } from "./conversations.js";

const RINGS_FOR = 60; // seconds
const row = document.getElementById("timers");
let timers = [];
let ticking = null;
let sound = null;

/** Show the timers that were running when the page was closed. */
export function resumeTimers() {
  timers = (kept("timers") ?? []).filter((timer) => timer.until > Date.now() - RINGS_FOR * 1000);
  show();
}

/** Start one; of a step it has the number and the dish. Called by a tap, since browsers allow sound only after one. */
export function startTimer(seconds, label) {
  sound ??= "AudioContext" in window ? new AudioContext() : null;
  sound?.resume();
  timers.push({ id: newId(), label, until: Date.now() + seconds * 1000, seconds });
  tell(say("timer.started", { time: clock(seconds), label }));
  show();
}

function stopTimer(timer) {
  timers = timers.filter((other) => other !== timer);
  show();
}

function show() {
  keep("timers", timers.length ? timers : null);
  row.replaceChildren(...timers.map(pill));
  stayAwake("timer", timers.length > 0);
  clearInterval(ticking);
  if (timers.length) ticking = setInterval(tick, 500);
  tick();
}

function pill(timer) {
  const time = h("time");
  const label = h("span", {}, timer.label);
  const element = h("div", { class: "pill" }, icon("timer"), time, label, iconButton("close", say("timer.stop", { label: timer.label }), () => stopTimer(timer)));
  timer.show = () => {
    const left = Math.ceil((timer.until - Date.now()) / 1000);
    time.textContent = left > 0 ? clock(left) : say("timer.over");
    element.classList.toggle("over", left <= 0);
  };
  // what is kept of a timer is its facts alone
  Object.defineProperty(timer, "show", { enumerable: false });
  return element;
}

function tick() {
  for (const timer of timers) {
    timer.show();
    const over = (Date.now() - timer.until) / 1000;
    if (over >= 0 && over < RINGS_FOR) ring(timer);
  }
}

function ring(timer) {
  if (!timer.rung) tell(say("timer.rings", { label: timer.label }));
  Object.defineProperty(timer, "rung", { value: (timer.rung ?? 0) + 1, configurable: true, enumerable: false });
  if (timer.rung % 4 !== 1) return; // every two seconds
  navigator.vibrate?.([300, 150, 300]);
  if (sound?.state !== "running") return;
  for (const start of [0, 0.25, 0.5]) {
    const [tone, volume] = [sound.createOscillator(), sound.createGain()];
    tone.frequency.value = 880;
    volume.gain.setValueAtTime(0.0001, sound.currentTime + start);
    volume.gain.exponentialRampToValueAtTime(0.3, sound.currentTime + start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, sound.currentTime + start + 0.2);
    tone.connect(volume).connect(sound.destination);
    tone.start(sound.currentTime + start);
    tone.stop(sound.currentTime + start + 0.21);
  }
}

/** Seconds as on a kitchen clock: 5:00, 1:30:00. */
export function clock(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.round(seconds) % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, place) => String(part).padStart(place ? 2 : 1, "0")).join(":");
}
