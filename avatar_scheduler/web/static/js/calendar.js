// Moving without a mouse: M picks up, arrows change the time (15 minutes) or the day (Shift), Enter drops, Escape leaves it.
const said = document.querySelector("[data-said]");
const STEP = 15 * 60_000;
const DAY = 24 * 60 * 60_000;
const MOVES = { ArrowUp: -STEP, ArrowLeft: -STEP, ArrowDown: STEP, ArrowRight: STEP };
let picked = null;

// Local wall-clock text is reckoned as if it were UTC: nothing here needs the zone, the server does.
const parse = (text) => Date.parse(`${text}:00Z`);
const write = (time) => new Date(time).toISOString().slice(0, 16);
const tell = (name, time) => (said.textContent = said.dataset[name].replace("{}", write(time).replace("T", " ")));
const put = (event, time, word) => {
  event.querySelector("[data-time]").textContent = word;
  event.querySelector("[data-drop] [name=at]").value = write(time);
};

const show = () => {
  const { event, time } = picked;
  const inside = time >= parse(event.dataset.begin) && time <= parse(event.dataset.end);
  event.classList.toggle("out", !inside);
  put(event, time, write(time).slice(11));
  tell(inside ? "inside" : "outside", time);
};

const leave = () => {
  const { event, was, word } = picked;
  event.classList.remove("picked", "out");
  put(event, was, word);
  said.textContent = said.dataset.left;
  picked = null;
};

document.addEventListener("keydown", (press) => {
  const event = press.target;
  if (!event.matches?.("[data-event]") || press.ctrlKey || press.metaKey || press.altKey) return;
  if (!picked && press.key.toLowerCase() === "m") {
    const was = parse(event.dataset.at);
    picked = { event, was, time: was, word: event.querySelector("[data-time]").textContent };
    event.classList.add("picked");
    tell("picked", was);
  } else if (picked && press.key in MOVES) {
    picked.time += press.shiftKey ? Math.sign(MOVES[press.key]) * DAY : MOVES[press.key];
    show();
  } else if (picked && press.key === "Enter") {
    event.querySelector("[data-drop]").requestSubmit();
  } else if (picked && press.key === "Escape") {
    leave();
  } else {
    return;
  }
  press.preventDefault();
});
document.addEventListener("focusout", (left) => {
  if (picked && left.target === picked.event) leave();
});
