// Puts fragments from the server in their places. What is in front of somebody is never replaced, only marked.
const SILENT_MS = 45_000;
const app = document.querySelector("[data-events]");
const badge = document.querySelector("[data-notlive]");
const places = [...document.querySelectorAll("[data-live]")];
const shown = new Map();
let stream = null;
let heard = Date.now();
let tried = 0;

function alive() {
  heard = Date.now();
  badge.hidden = true;
}

function put(topic, html) {
  if (shown.get(topic) === html) return;
  shown.set(topic, html);
  for (const place of places.filter((one) => one.dataset.live === topic)) {
    const at = place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    if (at) place.querySelector(`[href="${CSS.escape(at)}"]`)?.focus(); // the keyboard stays where it was
  }
}

function open() {
  if (stream || document.hidden) return;
  tried = Date.now();
  stream = new EventSource(app.dataset.events);
  stream.addEventListener("beat", alive);
  for (const topic of new Set(places.map((place) => place.dataset.live)))
    stream.addEventListener(topic, (event) => {
      alive();
      put(topic, event.data);
    });
}

function close() {
  stream?.close();
  stream = null;
}

// A tab nobody looks at costs the server nothing; on return everything is told anew.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return close();
  heard = Date.now();
  open();
});
addEventListener("pagehide", close);
addEventListener("pageshow", open);
setInterval(() => {
  if (document.hidden || Date.now() - heard < SILENT_MS) return;
  if (stream?.readyState === EventSource.CLOSED && Date.now() - tried > SILENT_MS) {
    close();
    open();
  }
  if (!badge.hidden) return;
  const time = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  badge.textContent = badge.dataset.notlive.replace("{}", time.format(heard));
  badge.hidden = false;
}, 1000);
open();
