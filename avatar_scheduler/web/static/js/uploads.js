// Shows how far a file is on its way, and what is wrong with it, without leaving the page. Without script the form is sent plainly.
for (const form of document.querySelectorAll("[data-uploading]")) {
  const button = form.querySelector("button");
  const going = form.querySelector("[data-going]");
  const bar = going.querySelector("progress");
  const step = going.querySelector("[data-step]");
  const problem = form.querySelector("[data-problem]");
  const words = problem.querySelector("[data-text]");

  function rest(text) {
    button.disabled = false;
    going.hidden = true;
    problem.hidden = !text;
    words.textContent = text;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const most = Number(form.querySelector("[name=kind]:checked").dataset.most);
    if (form.elements.file.files[0].size > most) return rest(words.dataset.large);
    rest("");
    button.disabled = true;
    going.hidden = false;
    bar.value = 0;
    step.textContent = step.dataset.sending;
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = (now) => {
      bar.value = (now.loaded / now.total) * 100;
    };
    request.upload.onload = () => {
      bar.removeAttribute("value");
      step.textContent = step.dataset.checking;
    };
    request.onerror = () => rest(words.dataset.lost);
    request.onload = () => {
      if (request.status !== 200 || !request.response) return rest(request.response?.message || words.dataset.lost);
      history.replaceState(null, "", request.response.url);
      location.reload();
    };
    request.send(new FormData(form));
  });
}
