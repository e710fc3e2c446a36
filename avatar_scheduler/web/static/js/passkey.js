// Forms a passkey answers. Without this script, or without a passkey, the form goes as it is, with an empty answer.
//
//   <form data-passkey="get" data-options='{…}'>      what to sign is on the page: an approval signs its version
//   <form data-passkey="get" data-url="/…/options">   what to sign is asked for on submit
//   <form data-passkey="create" data-url="/…">        enrols a new one
//
// The answer goes into the hidden field "assertion". A reason it failed goes into the form's [data-passkey-problem],
// whose data-cancelled, data-known and data-failed are the sentences in the reader's language.

const CAN = "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;

async function options(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const csrf = document.querySelector("meta[name=csrf]")?.content;
  const answer = await fetch(form.dataset.url, {
    method: "POST",
    headers: { Accept: "application/json", ...(csrf ? { "X-CSRF": csrf } : {}) },
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message);
  return said;
}

async function ask(form) {
  const wanted = await options(form);
  const made =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(wanted) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(wanted) });
  return JSON.stringify(made.toJSON());
}

function say(form, error) {
  const box = form.querySelector("[data-passkey-problem]");
  if (!box) return;
  const words = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known" };
  const text = box.querySelector("[data-text]") || box;
  text.textContent = box.dataset[words[error.name]] || (error.name === "Error" && error.message) || box.dataset.failed;
  box.hidden = false;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!CAN) continue;
  for (const part of form.querySelectorAll("[data-passkey-only]")) part.hidden = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.assertion.value || event.submitter?.hasAttribute("data-no-passkey")) return;
    event.preventDefault();
    if (form.dataset.asking) return; // a second tap while the first one is being answered
    form.dataset.asking = "1";
    try {
      form.elements.assertion.value = await ask(form);
      form.requestSubmit(event.submitter);
    } catch (error) {
      say(form, error);
    } finally {
      delete form.dataset.asking;
    }
  });
}
