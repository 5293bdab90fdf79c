// What is looked for: the box, and chips for what else counts.

import { addressOf } from "./pictures.js";
import * as api from "./api.js";
import { fill, find, h, icon } from "./dom.js";
import { asks, empty } from "./state.js";

const WEIGHTS = [0.25, 0.5, 1, 2, 3, 5];
const KINDS = {
  words: { sign: "plus", says: "and", hint: "what they show, too" },
  minus: { sign: "minus", says: "minus", hint: "what to go away from" },
  without: { sign: "without", says: "without", hint: "what they must not show" },
  like: { sign: "like", says: "like" },
};

export function startAsk(app) {
  const box = find("words");
  const chips = find("chips");
  let said = [];

  const put = (kind, i, change, how) =>
    app.change({ [kind]: app.state[kind].map((one, at) => (at === i ? { ...one, ...change } : one)) }, how);

  function weight(kind, i, name) {
    const now = app.state[kind][i].weight;
    const choices = [...new Set([...WEIGHTS, now])].sort((a, b) => a - b);
    return h(
      "select",
      {
        class: "weight",
        "aria-label": `Weight of ${name}`,
        title: "How much it counts",
        on: { change: ({ target }) => put(kind, i, { weight: Number(target.value) }) },
      },
      choices.map((one) => h("option", { value: one, is: { selected: one === now } }, `× ${one}`)),
    );
  }

  function remove(kind, i) {
    app.change({ [kind]: app.state[kind].filter((_, at) => at !== i) });
    (chips.querySelector("input") ?? box).focus();
  }

  function typed(kind, i) {
    const input = h("input", {
      type: "text",
      "aria-label": `${KINDS[kind].says[0].toUpperCase()}${KINDS[kind].says.slice(1)}: ${KINDS[kind].hint}`,
      placeholder: KINDS[kind].hint,
      maxlength: 2000,
      spellcheck: "false",
      enterkeyhint: "search",
      is: { value: app.state[kind][i].what },
    });
    const fit = () => (input.size = Math.min(40, Math.max(4, (input.value || input.placeholder).length)));
    input.addEventListener("input", () => {
      fit();
      put(kind, i, { what: input.value }, { typing: true });
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && input.value === "") {
        event.preventDefault();
        remove(kind, i);
      } else if (event.key === "Enter") {
        event.preventDefault();
        app.change({});
      }
    });
    fit();
    return input;
  }

  function picture(one) {
    const image = h("img", { alt: one.key != null ? one.key : "the picture you gave", width: 28, height: 28 });
    if (one.key != null) image.src = api.thumbnail(one.key, app.state.store);
    else image.src = addressOf(one.picture);
    return h("span", { class: "likeness" }, image, h("span", { class: "clip" }, one.key ?? "your picture"));
  }

  function chip(kind, i, weighs) {
    const one = app.state[kind][i];
    const name = one.what || one.key || KINDS[kind].hint || "your picture";
    return h(
      "li",
      { class: `chip ${kind}` },
      h("span", { class: "says" }, icon(KINDS[kind].sign), KINDS[kind].says),
      kind === "like" ? picture(one) : typed(kind, i),
      weighs && kind !== "without" && weight(kind, i, name),
      h("button", { type: "button", class: "quiet round small", "aria-label": `Remove ${KINDS[kind].says} ${name}`,
        on: { click: () => remove(kind, i) } }, icon("close")),
    );
  }

  function add(kind) {
    app.change({ [kind]: [...app.state[kind], { what: "", weight: 1 }] }, { typing: true });
    part.render();
    [...chips.querySelectorAll(`.${kind} input`)].at(-1).focus();
  }

  /** What some of the pictures are said to show, to begin with. */
  function examples(pictures) {
    if (pictures) {
      const all = pictures.flatMap(({ columns }) => columns?.captions?.[0] ?? columns?.label ?? []);
      const short = [...new Set(all)].filter((one) => typeof one === "string" && one.length <= 40);
      said = short.sort((one, other) => one.length - other.length).slice(0, 5);
      fill(find("examples"), "Try ", said.map((words) => h("button", { type: "button", class: "example" }, words)));
    }
    find("examples").hidden = said.length === 0 || asks(app.state);
  }

  const part = {
    examples,

    render(typing = false) {
      const { state } = app;
      find("clear").hidden = !asks(state) && state.minus.length + state.without.length === 0;
      examples(null);
      const untold = app.model !== null && !app.calibrated;
      find("add-without").disabled = untold;
      find("add-without").title = untold
        ? "The model has no measure of what shows a thing. lit calibrate makes one, once."
        : "Leave out pictures that show something";
      if (typing) return;
      if (box.value !== state.words[0].what) box.value = state.words[0].what;
      const weighs = state.words.length + state.minus.length + state.like.length > 1;
      fill(find("words-weight"), weighs && weight("words", 0, "the first words"));
      const all = ["like", "words", "minus", "without"].flatMap((kind) =>
        state[kind].map((_, i) => (kind === "words" && i === 0 ? null : chip(kind, i, weighs))),
      );
      fill(chips, all);
      chips.hidden = chips.children.length === 0;
    },
  };

  find("examples").addEventListener("click", ({ target }) => {
    if (!target.closest(".example")) return;
    app.change({ words: [{ what: target.textContent, weight: 1 }] });
    box.focus();
  });
  box.addEventListener("input", () => put("words", 0, { what: box.value }, { typing: true }));
  find("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    app.change({});
  });
  find("clear").addEventListener("click", () => {
    app.change({ ...empty(), store: app.state.store, language: app.state.language });
    box.focus();
  });
  for (const kind of ["words", "minus", "without"]) find(`add-${kind}`).addEventListener("click", () => add(kind));
  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (app.state.pane === "demo") app.change({ pane: "search" });
    box.focus();
    box.select();
  });
  app.ask = part;
  return part;
}
