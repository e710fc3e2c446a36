// A pin leads to its moment of the film, and the film's moment becomes a pin. Without script the times are typed.
const box = document.querySelector("[data-comments]");
const film = document.querySelector("[data-player] video");
const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

if (box && film) {
  for (const pin of box.querySelectorAll("[data-seek]")) {
    pin.addEventListener("click", () => {
      film.currentTime = pin.dataset.seek / 1000;
      film.scrollIntoView({ block: "nearest" });
    });
  }
  const now = box.querySelector("[data-pin-now]");
  if (now) {
    now.hidden = false;
    now.addEventListener("click", () => (box.querySelector("[name=at]").value = clock(film.currentTime)));
  }
}

// Words marked in the script are the words meant.
const quote = box?.querySelector("[name=quote]");
document.addEventListener("selectionchange", () => {
  const chosen = document.getSelection();
  const from = chosen.anchorNode;
  const script = (from instanceof Element ? from : from?.parentElement)?.closest("[data-script]");
  const words = String(chosen).trim();
  if (quote && script && script.contains(chosen.focusNode) && words && words.length <= 300) quote.value = words;
});
