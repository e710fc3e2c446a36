// A file can be dropped, too large a one is told before it is sent, and waiting is said. Without script the form is sent plainly.
for (const form of document.querySelectorAll("[data-verify]")) {
  const input = form.elements.file;
  const drop = form.querySelector("[data-drop]");
  const going = form.querySelector("[data-going]");
  const step = form.querySelector("[data-step]");
  const problem = form.querySelector("[data-problem]");
  const button = form.querySelector("button");

  function fits() {
    const large = (input.files[0]?.size || 0) > Number(form.dataset.most);
    problem.hidden = !large;
    return !large;
  }

  function rest() {
    button.disabled = false;
    going.hidden = true;
    step.textContent = "";
  }

  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.toggleAttribute("data-over", name === "dragover");
    });
  }
  drop.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    fits();
  });
  input.addEventListener("change", fits);
  form.addEventListener("submit", (event) => {
    if (!fits()) return event.preventDefault();
    button.disabled = true;
    going.hidden = false;
    step.textContent = step.dataset.checking;
  });
  // Coming back by the browser's own button must not find the page still waiting.
  addEventListener("pageshow", rest);
}
