// Before a decision leaves, asks whether anybody hears it: a lost line keeps the card on the screen, with a way to try again.
const lost = document.querySelector("[data-lost]");
const LISTEN_MS = 4000;
let again = null;

for (const form of document.querySelectorAll("form:has([data-decide])")) {
  if (form.dataset.passkey) continue; // asks for the passkey first, and says itself what went wrong
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

async function send(form) {
  try {
    await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(LISTEN_MS) });
    lost.hidden = true;
    form.submit(); // twice is once: the second answer equals the first
  } catch {
    again = form;
    lost.hidden = false;
    lost.scrollIntoView({ block: "nearest" });
  }
}
lost?.querySelector("[data-retry]").addEventListener("click", () => again && send(again));
