// Turns notices on in this browser: asks for leave, subscribes, sends the subscription as a form.
const form = document.querySelector("[data-push]");
const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
const apple = /iP(hone|ad|od)/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);

if (form && able) {
  form.hidden = false;
  form.querySelector("[data-turn-on]").addEventListener("click", turnOn);
} else if (form && apple) {
  document.querySelector("[data-ios]").hidden = false; // there, only pages on the home screen may ask
}

async function turnOn() {
  const problem = form.querySelector("[data-problem]");
  problem.hidden = true;
  try {
    if ((await Notification.requestPermission()) !== "granted") return say(problem, "denied");
    await navigator.serviceWorker.register("/sw.js");
    const worker = await navigator.serviceWorker.ready;
    const key = Uint8Array.from(atob(form.dataset.push.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
    const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    form.elements.subscription.value = JSON.stringify(subscription.toJSON());
    form.elements.label.value = device();
    form.submit();
  } catch {
    say(problem, "failed");
  }
}

function say(problem, what) {
  const text = problem.querySelector("[data-text]");
  text.textContent = text.dataset[what];
  problem.hidden = false;
}

// "Chrome, Android": enough to tell one's devices apart.
function device() {
  const said = navigator.userAgent;
  const browser = [["Edg/", "Edge"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]].find(([sign]) => said.includes(sign));
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac", "Linux"].find((name) => said.includes(name));
  return [browser?.[1], system].filter(Boolean).join(", ");
}
