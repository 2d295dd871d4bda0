// Behaviours of every page, by delegation: no inline handler, nothing to re-bind after an htmx swap, no build.
// Loaded in <head> without defer so that the chosen theme stands before the first paint.
"use strict";

(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;

  // ── Memory of this browser (a blocked storage is no reason to fail) ──
  const remember = (key, value) => {
    try {
      value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value);
    } catch {
      /* Private windows may refuse: the choice then lasts for this page. */
    }
  };
  const recall = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };

  // ── Theme: light, dark or the system's ──
  const showTheme = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    for (const button of $$("[data-theme-set]"))
      button.setAttribute("aria-pressed", String(button.dataset.themeSet === (root.dataset.theme ?? "system")));
  };
  showTheme(recall("crossing.theme"));
  root.classList.add("js");

  // ── Saying things: one polite live region, one toast ──
  const say = (text) => {
    const region = $("#live");
    if (!region) return;
    region.textContent = "";
    requestAnimationFrame(() => (region.textContent = text));
  };
  let toastTimer;
  const toast = (text, state = "") => {
    const box = $("#toast");
    if (!box) return;
    box.textContent = text;
    box.className = `toast ${state}`;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => (box.textContent = ""), 8000);
    say(text);
  };

  // ── Dialogs ──
  const openDialog = (id) => {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return;
    dialog.showModal();
    const field = $("input[type=search]", dialog);
    if (field) {
      field.value = "";
      filterPalette(dialog, "");
      field.focus();
    }
  };

  // A form with a question asks first; the answer submits it without the question, as if nothing had stood between.
  let pending = null;
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const question = form.elements?.namedItem("ask_first");
      const dialog = $("#confirm");
      if (!question || !dialog || form === pending) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const asks = [question, form.elements.namedItem("ask_label")];
      $("[data-confirm-text]", dialog).textContent = asks[0].value;
      $("[data-confirm-yes]", dialog).textContent = asks[1].value;
      dialog.returnValue = "";
      dialog.onclose = () => {
        if (dialog.returnValue !== "yes") return;
        for (const ask of asks) ask.disabled = true;
        pending = form;
        form.requestSubmit(event.submitter);
        pending = null;
        for (const ask of asks) ask.disabled = false;
      };
      dialog.showModal();
    },
    true,
  );

  // ── Copy ──
  const copy = async (button) => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      toast("Your browser did not allow copying. Select the text and copy it yourself.", "is-fail");
      return;
    }
    button.dataset.copied = "";
    const name = button.dataset.copyName || "value";
    say(`${name[0].toUpperCase()}${name.slice(1)} copied`);
    setTimeout(() => delete button.dataset.copied, 1500);
  };

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    const copyButton = at("[data-copy]");
    if (copyButton) copy(copyButton);
    const themeButton = at("[data-theme-set]");
    if (themeButton) {
      const theme = themeButton.dataset.themeSet;
      remember("crossing.theme", theme === "system" ? null : theme);
      showTheme(theme);
      say(`${theme[0].toUpperCase()}${theme.slice(1)} theme`);
    }
    const opener = at("[data-opens]");
    if (opener) openDialog(opener.dataset.opens);
    if (at("[data-prints]")) window.print();
    const details = at("summary")?.parentElement;
    if (details?.id) touched.set(details.id, !details.open);
    // A click on the backdrop closes a dialog that only helps to find things.
    if (event.target.matches?.("dialog.palette")) event.target.close();
  });

  document.addEventListener("input", (event) => {
    const name = event.target.closest("[data-confirm-name]");
    if (name) $("[type=submit]", name.form).disabled = name.value.trim() !== name.dataset.confirmName;
    const search = event.target.closest("[data-palette-search]");
    if (search) filterPalette(search.closest("dialog"), search.value);
    const keys = event.target.closest("[data-slash-key]");
    if (keys) remember("crossing.slash", keys.checked ? null : "off");
  });

  // ── Command palette: plain links, narrowed as one types ──
  function filterPalette(dialog, query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of $$("[data-palette-item]", dialog)) {
      const match = words.every((word) => item.textContent.toLowerCase().includes(word));
      item.hidden = !match;
      shown += match ? 1 : 0;
    }
    for (const group of $$("[data-palette-group]", dialog))
      group.hidden = !$("[data-palette-item]:not([hidden])", group);
    $("[data-palette-none]", dialog).hidden = shown > 0;
    if (query) say(shown === 1 ? "1 result" : `${shown} results`);
  }

  document.addEventListener("keydown", (event) => {
    const typing = /^(input|textarea|select)$/i.test(document.activeElement?.tagName ?? "");
    if ((event.metaKey || event.ctrlKey) && !event.altKey && event.key.toLowerCase() === "k" && $("#palette")) {
      event.preventDefault();
      openDialog("palette");
      return;
    }
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && recall("crossing.slash") !== "off") {
      const target = $("input[data-page-search]");
      if (target) target.focus();
      else openDialog("palette");
      if (target || $("#palette")) event.preventDefault();
      return;
    }
    const dialog = document.activeElement?.closest?.("dialog.palette");
    if (dialog && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const stops = [$("input", dialog), ...$$("[data-palette-item]:not([hidden]) a", dialog)];
      const step = event.key === "ArrowDown" ? 1 : -1;
      const next = (stops.indexOf(document.activeElement) + step + stops.length) % stops.length;
      stops[next].focus();
    }
    if (dialog && event.key === "Enter" && document.activeElement.matches("input[type=search]")) {
      event.preventDefault();
      $("[data-palette-item]:not([hidden]) a", dialog)?.click();
    }
  });

  // ── htmx: keep what the reader opened, speak once when something finishes, explain what went wrong ──
  const touched = new Map();
  let announced = "";
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, open] of touched) {
      const details = document.getElementById(id);
      if (details) details.open = open;
    }
    const news = $("[data-announce]")?.dataset.announce ?? "";
    if (news && news !== announced) say(news);
    announced = news;
    showTheme(root.dataset.theme);
  });
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401) toast("You have been signed out. Load the page again to sign in.", "is-fail");
    else if (status === 403) toast("You may not do this. Load the page again: your role may have changed.", "is-fail");
    else if (status === 404) toast("This no longer exists. Load the page again.", "is-fail");
    else if (status === 429) toast("Too many requests. Wait a minute and try again.", "is-fail");
    else toast("Crossing could not do this. Nothing was changed; try again in a minute.", "is-fail");
  });
  document.addEventListener("htmx:sendError", () =>
    toast("Crossing cannot be reached. Check your connection; this page keeps trying.", "is-fail"),
  );
  document.addEventListener("crossing:toast", (event) => toast(event.detail.message ?? event.detail.value ?? ""));

  document.addEventListener("DOMContentLoaded", () => {
    showTheme(root.dataset.theme);
    const keys = $("[data-slash-key]");
    if (keys) keys.checked = recall("crossing.slash") !== "off";
    for (const name of $$("[data-confirm-name]")) $("[type=submit]", name.form).disabled = true;
  });
})();
