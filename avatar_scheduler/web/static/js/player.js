// Plays the preview and reports what was really played. Only the server unlocks.
import { unlock } from "./unlock.js";

const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const $ = (query, root = document) => root.querySelector(query);

for (const root of document.querySelectorAll("[data-player]")) {
  const video = $("video", root);
  const play = $("[data-play]", root);
  const scrub = $("[data-scrub]", root);
  video.controls = false;
  $("[data-bar]", root).hidden = false;

  const paint = () => {
    const length = video.duration || 0;
    play.dataset.face = video.ended ? "again" : video.paused ? "play" : "pause";
    play.setAttribute("aria-label", video.paused ? play.dataset.namePlay : play.dataset.namePause);
    scrub.value = length ? Math.round((video.currentTime / length) * 1000) : 0;
    scrub.setAttribute("aria-valuetext", `${clock(video.currentTime)} / ${clock(length)}`);
    if (length) $("[data-time]", root).textContent = clock(video.paused && !video.currentTime ? length : video.currentTime);
  };
  const toggle = () => (video.paused ? video.play() : video.pause());
  play.addEventListener("click", toggle);
  video.addEventListener("click", toggle);
  scrub.addEventListener("input", () => (video.currentTime = (scrub.value / 1000) * (video.duration || 0)));
  for (const name of ["play", "pause", "ended", "timeupdate", "seeked", "loadedmetadata"]) video.addEventListener(name, paint);
  paint();
  if (root.dataset.seen) follow(root, video);
  pinning(video);
}

function follow(root, video) {
  const csrf = $("meta[name=csrf]").content;
  let sent = 0;
  let busy = false;
  let again = false;
  const ranges = () =>
    Array.from({ length: video.played.length }, (_, i) => [
      Math.round(video.played.start(i) * 1000),
      Math.round(video.played.end(i) * 1000),
    ]).filter(([from, to]) => to > from);

  async function report() {
    if (busy) return void (again = true);
    const played = ranges();
    busy = true;
    sent = Date.now();
    try {
      const answer = await fetch(root.dataset.seen, {
        method: "POST",
        keepalive: true,
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF": csrf },
        body: JSON.stringify({ ranges: played }),
      });
      if (answer.ok) show(await answer.json());
    } catch {
      // Offline: sent again when we are back.
    }
    busy = false;
    if (again) {
      again = false;
      report();
    }
  }
  function show({ seen_ms, complete }) {
    const seen = complete ? root.dataset.length : seen_ms;
    const left = clock(Math.max(0, Math.ceil((root.dataset.length - seen) / 1000)));
    for (const box of document.querySelectorAll("[data-togo]")) box.textContent = box.dataset.togo.replace("{}", left);
    for (const box of document.querySelectorAll("[data-watched]"))
      box.textContent = box.dataset.watched.replace("{}", clock(Math.ceil(seen / 1000)));
    if (!complete) return;
    $("[data-done]", root).hidden = false;
    unlock();
  }
  report(); // nothing played yet: starts the server's clock, which no claim may outrun
  video.addEventListener("timeupdate", () => Date.now() - sent > 2000 && report());
  for (const name of ["pause", "ended"]) video.addEventListener(name, report);
  addEventListener("online", report);
  document.addEventListener("visibilitychange", () => document.hidden && report());
}

// The moment on the screen when changes are asked.
function pinning(video) {
  const pin = $("[data-pin]");
  const pinned = $("[data-pinned]");
  if (!pin) return;
  addEventListener("hashchange", () => {
    if (location.hash !== "#changes" || !video.currentTime) return;
    video.pause();
    pin.value = Math.round(video.currentTime * 1000);
    $("span", pinned).textContent = pinned.dataset.pinned.replace("{}", clock(video.currentTime));
    pinned.hidden = false;
  });
}
