// The server's HTTP interface: the key, JSON, and answers that stream.
import { keep, kept } from "./kept.js";

const TOO_LONG = ["context_length_exceeded", "request_too_large"];

/**
 * Why there is no answer.
 *
 * kind: "unreachable" (no server, or it went away), "busy" (ask again after `after` seconds), "key" (it is missing or
 * wrong), "long" (the question is), "refused" (the server says why in its message).
 */
export class ServerError extends Error {
  constructor(kind, message = "", after = 0) {
    super(message || kind);
    this.kind = kind;
    this.said = message;
    this.after = after;
  }
}

/** Take the key out of the page's address, where the QR code has put it, and keep it. */
export function takeKey() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!key) return;
  keep("key", key);
  history.replaceState(null, "", location.pathname + location.search);
}

export const get = async (path, slots = {}, signal = undefined) => (await request(`${path}?${new URLSearchParams(slots)}`, { signal })).json();

export const post = (path, body, signal) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });

/**
 * Ask, and yield what comes: { text } for each piece, { koki } and { ended } ("stop" or "length") once.
 *
 * Throws a ServerError; an AbortError where the signal stops it.
 */
export async function* ask(question, signal) {
  const response = await post("/v1/chat/completions", { ...question, stream: true }, signal);
  let ended = false;
  try {
    for await (const event of events(response.body)) {
      if (event.error) throw new ServerError("refused", event.error.message);
      const choice = event.choices?.[0];
      if (event.koki) yield { koki: event.koki };
      if (choice?.delta?.content) yield { text: choice.delta.content };
      if (choice?.finish_reason) {
        ended = true;
        yield { ended: choice.finish_reason };
      }
    }
  } catch (error) {
    if (error instanceof ServerError || error.name === "AbortError") throw error;
    throw new ServerError("unreachable");
  }
  if (!ended) throw new ServerError("unreachable"); // it went away in the middle
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) {
        const data = block.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("\n");
        if (data && data !== "[DONE]") yield JSON.parse(data);
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // a stream that is broken already
  }
}

async function request(path, options) {
  const key = kept("key");
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  let response;
  try {
    response = await fetch(path, { ...options, headers, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("unreachable");
  }
  if (response.ok) return response;
  const { message = "", code = "" } = await response.json().then((body) => body.error, () => ({}));
  if (response.status === 401) throw new ServerError("key", message);
  if (response.status === 503) throw new ServerError("busy", message, Number(response.headers.get("Retry-After")) || 5);
  throw new ServerError(TOO_LONG.includes(code) ? "long" : "refused", message);
}
