// Keeps the page itself, so that it opens, and the conversations can be read, when the server is gone. Newer files win.
const CACHE = "koki-page";
const FILES = [
  "/",
  ...[
    "answer.js", "api.js", "app.js", "awake.js", "card.css", "card.js", "conversations.js", "dialogs.js", "dom.js", "feedback.js", "icon.png",
    "icon.svg", "kept.js", "kitchen.js", "manifest.webmanifest", "print.css", "sharing.js", "shopping.js", "side.js", "spoken.js", "style.css",
    "theme.js", "timers.js", "trust.js", "turn.js", "words.js", "words.json",
  ].map((name) => `/page/${name}`),
];

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || (pathname !== "/" && !pathname.startsWith("/page/"))) return;
  event.respondWith(newest(event.request, pathname));
});

async function newest(request, name) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(name, response.clone());
    return response;
  } catch {
    return (await cache.match(name)) ?? Response.error();
  }
}
