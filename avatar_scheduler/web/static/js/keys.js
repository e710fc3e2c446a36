// Single keys press the element with that data-key: never in a field, and they can be turned off.
const OFF = "keys-off";
const help = document.getElementById("keys");
const on = help?.querySelector("[data-keys-on]");
const off = () => localStorage.getItem(OFF) !== null || document.querySelector("[data-keys=off]") !== null;
const typing = (target) => target.closest("input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]");

if (on) {
  on.checked = localStorage.getItem(OFF) === null;
  on.addEventListener("change", () => (on.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
}
for (const opener of document.querySelectorAll("[data-open=keys]")) {
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || help?.open) return;
  const key = event.key === " " ? "space" : event.key.toLowerCase();
  const sheet = document.querySelector(".sheet:target");
  if (key === "escape" ? !sheet : sheet) return;
  if (key !== "escape" && (off() || typing(event.target))) return;
  // Space on a focused control is that control's own key.
  if (key === "space" && event.target.closest("a, button, summary, input, video")) return;
  const target = (sheet || document).querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target || target.disabled) return;
  event.preventDefault();
  target.click();
});
