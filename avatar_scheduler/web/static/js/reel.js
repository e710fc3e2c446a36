// Moves a reel of pictures and reports which were on the screen. Only the server unlocks.
import { unlock } from "./unlock.js";

const $ = (query, root = document) => root.querySelector(query);
const LOOK_MS = 700;

for (const box of document.querySelectorAll("[data-reel]")) {
  const reel = $(".reel", box);
  const slides = [...reel.children];
  const bar = $("[data-reelbar]", box);
  let at = 0;
  const go = (by) => slides[Math.max(0, Math.min(slides.length - 1, at + by))].scrollIntoView({ inline: "center", block: "nearest" });
  const paint = () => {
    const place = $("[data-at]", box);
    place.textContent = place.dataset.at.replace("{}", at + 1);
    for (const step of bar.querySelectorAll("[data-step]")) step.disabled = !slides[at + Number(step.dataset.step)];
  };
  if (bar) {
    bar.hidden = false;
    for (const step of bar.querySelectorAll("[data-step]")) step.addEventListener("click", () => go(Number(step.dataset.step)));
    paint();
  }
  const timers = new Map();
  const looked = box.dataset.looked ? follow(box) : () => true;
  const wait = (slide) => timers.set(slide, setTimeout(() => looked(slide) || wait(slide), LOOK_MS));
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        clearTimeout(timers.get(target));
        if (!isIntersecting) continue;
        at = slides.indexOf(target);
        if (bar) paint();
        wait(target);
      }
    },
    { threshold: 0.6 },
  );
  for (const slide of slides) watcher.observe(slide);
}

function follow(box) {
  const csrf = $("meta[name=csrf]").content;
  const waiting = new Set();
  async function report(numbers) {
    for (const number of numbers) waiting.add(number);
    try {
      const answer = await fetch(box.dataset.looked, {
        method: "POST",
        keepalive: true,
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF": csrf },
        body: JSON.stringify({ pictures: [...waiting] }),
      });
      if (answer.ok) show(await answer.json());
    } catch {
      // Offline: sent again with the next one, or when we are back.
    }
  }
  function show({ pictures, complete }) {
    for (const number of pictures) waiting.delete(number);
    for (const text of document.querySelectorAll("[data-togo], [data-watched]"))
      text.textContent = (text.dataset.togo || text.dataset.watched).replace("{}", pictures.length);
    if (!complete) return;
    $("[data-looked-all]", box).hidden = false;
    unlock();
  }
  report([]); // nothing seen yet: starts the server's clock, which no claim may outrun
  addEventListener("online", () => report([]));
  // A picture that failed to load, or a tab nobody looks at, was not seen.
  const ready = (image) => !document.hidden && image.complete && image.naturalWidth > 0;
  return (slide) => ready($("img", slide)) && (report([Number(slide.dataset.number)]), true);
}
