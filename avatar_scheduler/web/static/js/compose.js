// What is wrong is said while somebody types, and a draft plays. Every judgement is the server's; the form works alone.
const PAUSE = 400;
const $ = (query, root = document) => root.querySelector(query);
const form = $("[data-compose]");
const csrf = $("meta[name=csrf]").content;

const post = (url, signal) =>
  fetch(url, { method: "POST", signal, headers: { Accept: "application/json", "X-CSRF": csrf }, body: new URLSearchParams(new FormData(form)) });

// Checks: one at a time, the newest wins.
let timer = 0;
let running = null;

async function check() {
  running?.abort();
  running = new AbortController();
  try {
    const answer = await post("/compose/check", running.signal);
    if (!answer.ok) return;
    const found = await answer.json();
    show(found);
    if (!found.problems) await ahead(running.signal);
  } catch {
    // Aborted by a newer one, or offline: the next change asks again.
  }
}

function show({ problems, fields, variables, parts }) {
  for (const [name, html] of Object.entries(parts)) {
    const box = $(`[data-part=${name}]`);
    if (name === "inputs") {
      if (box.dataset.names === variables.join(",")) continue; // never under somebody's fingers
      box.dataset.names = variables.join(",");
    }
    if (box.dataset.last === html) continue;
    box.dataset.last = html;
    box.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  }
  const fix = $("[data-fix]");
  const count = $("[data-fix-count]", fix);
  fix.hidden = !problems;
  count.textContent = problems === 1 ? count.dataset.one : count.dataset.many.replace("{}", problems);
  for (const field of form.querySelectorAll("[id^=f-]")) {
    if (fields.includes(field.name)) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE);
});

// A problem with a line leads to that line.
$("[data-part=hints]").addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field || field.tagName !== "TEXTAREA") return;
  event.preventDefault();
  field.closest("details")?.setAttribute("open", "");
  const lines = field.value.split("\n");
  const start = lines.slice(0, link.dataset.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
  field.focus();
  const at = start + Math.max(0, link.dataset.column - 1);
  field.setSelectionRange(at, link.dataset.column > 0 ? at + 1 : start + (lines[link.dataset.line - 1] || "").length);
});

// A hint leads to its very words. The server counts letters, a browser counts halves of some.
$("[data-part=hints]").addEventListener("click", (event) => {
  const link = event.target.closest("[data-from]");
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field || !["TEXTAREA", "INPUT"].includes(field.tagName)) return;
  event.preventDefault();
  const letters = [...field.value];
  const place = (count) => letters.slice(0, count).join("").length;
  field.focus();
  field.setSelectionRange(place(link.dataset.from), place(link.dataset.to));
});

// The draft: streamed where the browser can play a film that is still growing, as a whole where it cannot.
const pane = $("[data-preview]");
const video = $("video", pane);
const button = $("[data-watch]", pane);
const said = $("[data-said]", pane);
let whole = "";

async function watch() {
  button.disabled = true;
  said.textContent = said.dataset.busy;
  try {
    const answer = await post(pane.dataset.preview);
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.message);
    await play(body.url);
    said.textContent = "";
  } catch (error) {
    said.textContent = error.message || said.dataset.failed;
  }
  button.disabled = false;
}

// Who watched once will watch again: the changed sentence is spoken before they ask, and kept by the server.
async function ahead(signal) {
  if (video.hidden || !(video.paused || video.ended)) return;
  const answer = await post(pane.dataset.preview, signal);
  if (!answer.ok) return;
  const film = await fetch((await answer.json()).url, { signal });
  const reader = film.body.getReader();
  await reader.read();
  await reader.cancel();
}

async function play(url) {
  video.hidden = false;
  $("[data-wait]", pane).hidden = true;
  try {
    await start(url);
  } catch {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).message || said.dataset.failed);
    URL.revokeObjectURL(whole);
    whole = URL.createObjectURL(await answer.blob());
    await start(whole);
  }
}

function start(url) {
  return new Promise((resolve, reject) => {
    video.onplaying = resolve;
    video.onerror = () => reject(new Error(said.dataset.failed));
    video.src = url;
    video.play().catch((error) => error.name === "NotAllowedError" && resolve()); // shown, and waits for a tap
  });
}

button.hidden = false;
button.addEventListener("click", watch);
