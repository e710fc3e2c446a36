// Asks how far a render is, once a second while somebody looks; when the state changes the page is drawn anew.
const SECOND = 1000;

for (const box of document.querySelectorAll("[data-progress]")) {
  const bar = box.querySelector("progress");
  const step = box.querySelector("[data-step]");
  const percent = box.querySelector("[data-percent]");

  async function ask() {
    if (document.hidden) return void document.addEventListener("visibilitychange", ask, { once: true });
    try {
      const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const now = await answer.json();
        if (!now.moving) return void location.reload();
        bar.value = now.percent;
        if (percent) percent.textContent = `${now.percent} %`;
        if (step && step.textContent !== now.step) step.textContent = now.step;
      }
    } catch {
      // The server did not answer this time; the next second asks again.
    }
    setTimeout(ask, SECOND);
  }
  setTimeout(ask, SECOND);
}
