// Shows notices, opens what they are about, and says so when there is no connection. Keeps no page of anybody's.
const KEPT = "offline-1";
const OFFLINE = ["/offline", "/static/css/tokens.css", "/static/css/components.css", "/static/css/screens.css", "/static/img/mark.svg"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(OFFLINE)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))));
  event.waitUntil(Promise.all([old, self.clients.claim()]));
});

self.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate" || event.request.method !== "GET") return;
  event.respondWith(fetch(event.request).catch(() => caches.match("/offline")));
});

self.addEventListener("push", (event) => {
  event.waitUntil(show(event.data));
});

// Browsers demand that every push is shown, so one that cannot be read is too.
async function show(data) {
  let notice = {};
  try {
    notice = data.json();
  } catch {
    // shown without words of its own
  }
  const options = { body: notice.body || "", tag: notice.tag || "", icon: "/static/img/icon-192.png", data: { path: local(notice.path) } };
  if (options.tag) options.renotify = true;
  await self.registration.showNotification(notice.title || "Avatar Scheduler", options);
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(local(event.notification.data?.path)));
});

async function open(path) {
  const there = await self.clients.matchAll({ type: "window" });
  const same = there.find((client) => new URL(client.url).pathname === path);
  return same ? same.focus() : self.clients.openWindow(path);
}

// Only ever a page of ours.
function local(path) {
  const url = new URL(path || "/review", self.location.origin);
  return url.origin === self.location.origin ? url.pathname : "/review";
}
