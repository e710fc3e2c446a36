// Right approves, left asks for changes: on cards that are not personal, and never the only way.
const FAR = 0.4;
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

for (const card of document.querySelectorAll("[data-swipe]")) {
  let from = null;
  let share = 0;

  const paint = () => {
    const side = share > 0 ? "yes" : share < 0 ? "no" : "";
    card.dataset.swipe = side;
    card.toggleAttribute("data-far", Math.abs(share) >= FAR);
    if (!still) card.style.transform = share ? `translateX(${share * card.clientWidth}px)` : "";
  };
  const rest = () => {
    from = null;
    share = 0;
    paint();
  };

  card.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" || !event.isPrimary || event.target.closest("input, .reel, .bar")) return;
    from = { x: event.clientX, y: event.clientY };
  });
  card.addEventListener("pointermove", (event) => {
    if (!from || !event.isPrimary) return;
    const x = event.clientX - from.x;
    if (Math.abs(x) < 12 || Math.abs(x) < Math.abs(event.clientY - from.y)) return;
    const was = Math.abs(share) >= FAR;
    share = Math.max(-1, Math.min(1, x / card.clientWidth));
    if (Math.abs(share) >= FAR && !was) navigator.vibrate?.(12);
    paint();
  });
  card.addEventListener("pointerup", () => {
    const decided = Math.abs(share) >= FAR ? Math.sign(share) : 0;
    rest();
    if (decided > 0) document.querySelector("form:not(.lower) > [data-approve]")?.click();
    if (decided < 0) location.hash = "#changes";
  });
  card.addEventListener("pointercancel", rest);
}
