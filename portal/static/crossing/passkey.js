// Sign a form's statement with a passkey: ask the server for the statement, the authenticator for the signature,
// and send both with the form. A refusal at any step is said beside the button; nothing is signed then.
"use strict";

(() => {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");

  const wanted = ({ publicKey }) => ({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      allowCredentials: (publicKey.allowCredentials ?? []).map((credential) => ({
        ...credential,
        id: bytes(credential.id),
      })),
    },
  });

  const written = (credential) => ({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: {
      clientDataJSON: text(credential.response.clientDataJSON),
      authenticatorData: text(credential.response.authenticatorData),
      signature: text(credential.response.signature),
    },
    clientExtensionResults: credential.getClientExtensionResults(),
  });

  const begin = async (form) => {
    const answer = await fetch(form.dataset.passkey, { method: "POST", body: new FormData(form) });
    const said = await answer.json().catch(() => ({ message: "The server did not answer. Try again." }));
    if (!answer.ok) throw new Error([said.message, said.fix].filter(Boolean).join(" "));
    return said;
  };

  const sign = async (form) => {
    if (!navigator.credentials || !window.PublicKeyCredential)
      throw new Error("This browser cannot use passkeys here. Confirm who you are instead.");
    const { statement, options } = await begin(form);
    let credential;
    try {
      credential = await navigator.credentials.get(wanted(options));
    } catch {
      throw new Error("The passkey was not used, so nothing was signed. Try again, or confirm who you are instead.");
    }
    form.elements.statement.value = statement;
    form.elements.assertion.value = JSON.stringify(written(credential));
    form.submit();
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset?.passkey) return;
    event.preventDefault();
    const button = form.querySelector("button");
    const problem = form.querySelector("[data-passkey-problem]");
    problem.textContent = "";
    button.disabled = true;
    try {
      await sign(form);
    } catch (error) {
      problem.textContent = error.message;
      button.disabled = false;
      button.focus();
    }
  });
})();
