// Says that the end of the text was on the screen. Only the server unlocks, and not sooner than anybody can read.
import { unlock } from "./unlock.js";

const end = document.querySelector("[data-text-end]");
const csrf = document.querySelector("meta[name=csrf]").content;
let there = false;
let asking = false;

async function report() {
  if (!there || asking || document.hidden) return;
  asking = true;
  let wait = 5000;
  try {
    const answer = await fetch(end.dataset.textEnd, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRF": csrf },
    });
    if (!answer.ok) return;
    const { complete, wait_ms } = await answer.json();
    if (complete) {
      watcher.disconnect();
      return unlock();
    }
    wait = wait_ms + 50;
  } catch {
    // Offline: asked again while the end is still in sight.
  } finally {
    asking = false;
  }
  setTimeout(report, wait);
}

const watcher = new IntersectionObserver(([entry]) => {
  there = entry.isIntersecting;
  report();
});
watcher.observe(end);
document.addEventListener("visibilitychange", report);
