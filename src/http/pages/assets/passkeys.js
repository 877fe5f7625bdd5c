"use strict";

// Passkeys on the pages: https://www.w3.org/TR/webauthn-3/. Without this script, or in a browser
// without passkeys, the elements below stay hidden and the pages offer one-time passwords.
//
//   <div data-passkey="sign-in | register" data-options="URL" data-answer="URL" hidden>
//     <button type="button">…</button>
//     <p role="alert" hidden></p>
//   </div>
//
// The button asks `data-options` for the options of a ceremony and sends the browser's answer to
// `data-answer`, whose reply names the page to go to. Both calls carry the page's CSRF token.
(() => {
  const REFUSED = "The passkey was not accepted. Try again, or use another way.";
  const CANCELLED = "No passkey was used. Try again, or use another way.";
  const UNREACHABLE = "The gateway cannot be reached. Try again later.";

  const decode = (text) => {
    const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  };

  const encode = (buffer) => {
    const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
    return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };

  const withIds = (list) => (list || []).map((entry) => ({ ...entry, id: decode(entry.id) }));

  const creationOptions = (options) => ({
    ...options,
    challenge: decode(options.challenge),
    user: { ...options.user, id: decode(options.user.id) },
    excludeCredentials: withIds(options.excludeCredentials),
  });

  const requestOptions = (options) => ({
    ...options,
    challenge: decode(options.challenge),
    allowCredentials: withIds(options.allowCredentials),
  });

  const answerOf = (credential) => {
    const { id, rawId, type, response } = credential;
    const answer = { clientDataJSON: encode(response.clientDataJSON) };
    if (response.attestationObject) {
      answer.attestationObject = encode(response.attestationObject);
    } else {
      answer.authenticatorData = encode(response.authenticatorData);
      answer.signature = encode(response.signature);
      answer.userHandle = response.userHandle ? encode(response.userHandle) : null;
    }
    const clientExtensionResults = credential.getClientExtensionResults();
    return { id, rawId: encode(rawId), type, response: answer, clientExtensionResults };
  };

  const csrf = () => document.querySelector('input[name="csrf"]').value;

  // Throws a text for the person to read.
  const post = async (url, body) => {
    let reply;
    try {
      reply = await fetch(url, {
        method: "POST",
        credentials: "same-origin",
        redirect: "error",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf() },
        body: JSON.stringify(body),
      });
    } catch {
      throw UNREACHABLE;
    }
    const told = await reply.json().catch(() => ({}));
    if (!reply.ok) {
      throw told.error || REFUSED;
    }
    return told;
  };

  const ask = async (kind, options) => {
    try {
      return kind === "register"
        ? await navigator.credentials.create({ publicKey: creationOptions(options.publicKey) })
        : await navigator.credentials.get({ publicKey: requestOptions(options.publicKey) });
    } catch {
      throw CANCELLED;
    }
  };

  const run = async (element) => {
    const { passkey: kind, options, answer } = element.dataset;
    const begun = await post(options, {});
    const credential = answerOf(await ask(kind, begun.options));
    const name = document.querySelector("[data-passkey-name]");
    const returnTo = document.querySelector('input[name="return_to"]');
    const ended = await post(answer, {
      ceremony: begun.ceremony,
      credential,
      name: name ? name.value : undefined,
      returnTo: returnTo ? returnTo.value : undefined,
    });
    location.assign(ended.next);
  };

  const offer = (element) => {
    const button = element.querySelector("button");
    const alert = element.querySelector('[role="alert"]');
    button.addEventListener("click", async () => {
      button.disabled = true;
      alert.hidden = true;
      try {
        await run(element);
      } catch (error) {
        alert.textContent = typeof error === "string" ? error : REFUSED;
        alert.hidden = false;
        button.disabled = false;
      }
    });
    element.hidden = false;
  };

  // A passkey belongs to a host name; an IP address has none.
  const isNamed = /[a-z]/i.test(location.hostname) && !location.hostname.includes(":");
  if (isNamed && window.PublicKeyCredential && navigator.credentials) {
    document.querySelectorAll("[data-passkey]").forEach(offer);
  }
})();
