// One picture, large, with all that is known of it.

import * as api from "./api.js";
import { count, fill, find, h, icon, percent, tell } from "./dom.js";
import { named, PIXELS } from "./results.js";

export function startDetail(app) {
  const dialog = find("detail");
  let shown = "";

  const at = () => app.results.found.findIndex((one) => one.key === app.state.open);

  function step(by) {
    const { found } = app.results;
    const next = found[at() + by];
    if (next && at() >= 0) app.replace({ open: next.key });
  }

  const close = () => app.state.open && app.change({ open: "" });

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      tell("Copied.");
    } catch {
      tell("This browser does not let the page copy. Select the text instead.");
    }
  }

  function picture(one, words) {
    const image = h("img", { class: "large", alt: words, width: one.columns?.width, height: one.columns?.height });
    image.addEventListener("load", () => {
      const side = Math.max(image.naturalWidth, image.naturalHeight);
      image.classList.toggle("small", side <= 400);
      image.classList.toggle("pixels", side <= PIXELS);
    });
    const small = api.thumbnail(one.key, app.store?.name);
    image.addEventListener(
      "error",
      () => {
        image.addEventListener("error", () => image.replaceWith(h("p", { class: "lost" },
          "The picture itself is not where it was when it was embedded.")), { once: true });
        image.src = small;
      },
      { once: true },
    );
    image.src = api.original(one.key, app.store?.name);
    return image;
  }

  function value(name, said) {
    if (Array.isArray(said)) return h("ul", {}, said.map((one) => h("li", {}, one)));
    if (typeof said === "number") return said.toLocaleString("en", { maximumFractionDigits: 6, useGrouping: false });
    const date = /^\d{4}-\d\d-\d\dT/.test(said) ? new Date(said) : null;
    return date && !Number.isNaN(date.valueOf()) ? h("time", { datetime: said }, date.toLocaleString()) : String(said);
  }

  function facts(one) {
    const rows = Object.entries(one.columns ?? {}).map(([name, said]) => [name, value(name, said)]);
    if (one.origin) {
      const button = h("button", { type: "button", class: "quiet round small", "aria-label": "Copy where it is",
        title: "Copy", on: { click: () => copy(one.origin) } }, icon("link"));
      rows.push(["from", h("span", { class: "origin" }, one.origin, button)]);
    }
    if (one.key !== one.origin) rows.push(["key", one.key]);
    return h("dl", { class: "facts" }, rows.map(([name, said]) => h("div", {}, h("dt", {}, name), h("dd", {}, said))));
  }

  function fit(one) {
    const parts = [];
    if (one.expectedPrecision != null) {
      const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span", { class: "full" }));
      bar.firstChild.style.setProperty("--share", one.expectedPrecision);
      parts.push(h("p", { class: "fit" }, h("strong", {}, percent(one.expectedPrecision)), " expected to fit", bar));
    }
    if (one.similarity != null)
      parts.push(h("p", { class: "muted" }, `similarity ${one.similarity.toFixed(3)}`));
    return parts;
  }

  function actions(one) {
    const button = (sign, words, does, kind = "tool") =>
      h("button", { type: "button", class: kind, on: { click: does } }, icon(sign), words);
    return h(
      "div",
      { class: "row" },
      button("like", "More like this", () => app.results.moreLike(one.key), "primary"),
      button("plus", "Add to what is asked", () =>
        app.change({ like: [...app.state.like, { key: one.key, weight: 1 }], open: "" })),
      button("demo", "What is it?", () => app.change({ pane: "demo", picture: { key: one.key }, open: "" })),
      button("link", "Link", () => app.copyLink()),
      h("a", { class: "tool", href: api.original(one.key, app.store?.name), download: "" },
        icon("save"), "Save"),
    );
  }

  function draw(one, i) {
    const words = named(one);
    const total = app.results.found.length;
    const to = (by, sign, says) =>
      h("button", { type: "button", class: `quiet round ${sign}`, "aria-label": says, "data-by": by,
        is: { disabled: i < 0 || i + by < 0 || i + by >= total }, on: { click: () => step(by) } }, icon(sign));
    const focus = document.activeElement?.dataset?.by;
    fill(
      dialog,
      h("div", { class: "stage" }, picture(one, words), to(-1, "left", "The one before"), to(1, "right", "The next one")),
      h(
        "div",
        { class: "told" },
        h("button", { type: "button", class: "quiet round close", "aria-label": "Close", on: { click: close } },
          icon("close")),
        h("h2", { id: "detail-title" }, words),
        i >= 0 && h("p", { class: "muted" }, `${i + 1} of ${count(total, "picture")} here`),
        fit(one),
        actions(one),
        facts(one),
      ),
    );
    for (const near of [app.results.found[i - 1], app.results.found[i + 1]])
      if (near && i >= 0) new Image().src = api.original(near.key, app.store?.name); // there when one goes on
    if (focus) dialog.querySelector(`[data-by="${focus}"]`)?.focus();
  }

  dialog.addEventListener("close", close);
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else return;
    event.preventDefault();
  });

  const part = {
    /** More is known of what is shown. */
    refresh() {
      const { open, pane } = app.state;
      if (!open || pane === "demo" || !app.store) {
        if (dialog.open) dialog.close();
        if (shown) back(shown);
        shown = "";
        return;
      }
      const i = at();
      const one = app.results.found[i] ?? { key: open };
      const now = JSON.stringify([open, i, app.results.found.length]);
      if (now !== shown) draw(one, i);
      shown = now;
      if (!dialog.open) dialog.showModal();
    },

    render() {
      part.refresh();
    },
  };
  app.detail = part;
  return part;

  /** Focus goes to the picture that was looked at last. */
  function back(last) {
    const [key] = JSON.parse(last || "[]");
    [...document.querySelectorAll("#grid a.open")].find((link) => link.dataset.key === key)?.focus();
  }
}
