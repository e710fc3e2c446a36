// The seconds left to undo, and the banner for when the line is gone.
for (const toast of document.querySelectorAll("[data-toast]")) {
  const left = toast.querySelector("[data-left]");
  const ends = Date.now() + Number(toast.dataset.toast) * 1000;
  const tick = setInterval(() => {
    const seconds = Math.ceil((ends - Date.now()) / 1000);
    left.textContent = `${Math.max(0, seconds)} s`;
    if (seconds > 0) return;
    clearInterval(tick);
    toast.hidden = true;
  }, 250);
}

// Decisions never wait in a phone: what is approved must still be what is there.
function line() {
  const off = !navigator.onLine;
  for (const banner of document.querySelectorAll("[data-offline]")) banner.hidden = !off;
  for (const button of document.querySelectorAll("[data-decide]")) {
    if (off && !button.disabled) {
      button.dataset.before = button.dataset.face || "";
      button.dataset.face = "offline";
      button.disabled = true;
    } else if (!off && button.dataset.before !== undefined) {
      button.dataset.face = button.dataset.before;
      delete button.dataset.before;
      button.disabled = false;
    }
  }
}
addEventListener("online", line);
addEventListener("offline", line);
line();
