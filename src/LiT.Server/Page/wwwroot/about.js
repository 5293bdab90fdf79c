// Which model, which pictures, and how they are.

import * as api from "./api.js";
import { count, fill, find, h } from "./dom.js";

const UNCALIBRATED = "nobody measured it yet, so the nearest pictures are shown, whether they fit or not; 'lit calibrate --model MODEL --data STORE' measures it, once";
const FEW = 12; // words that are named
const EVERY = 20_000; // a store that grows is seen while the page stays open

export function startAbout(app) {
  const dialog = find("about");
  let known = "";
  let reached = null;

  async function look() {
    try {
      const [{ stores }, { models }] = await Promise.all([api.stores(), api.models()]);
      reached = true;
      const now = JSON.stringify([stores, models]);
      if (now === known) return;
      const grown = known !== "";
      known = now;
      [app.stores, app.model] = [stores, models[0] ?? null];
      if (grown) app.results.forget();
      app.render();
    } catch (problem) {
      reached = false;
      find("trouble").hidden = app.stores.length > 0;
      if (app.stores.length === 0) find("trouble").textContent = problem.message;
    } finally {
      say();
    }
  }

  function say() {
    const { store, model } = app;
    const words = find("what-searched");
    const dot = find("dot");
    dot.className = `dot ${!reached ? "bad" : store?.trouble ? "warn" : "good"}`;
    if (!reached) words.textContent = "no answer from the server";
    else if (store) words.textContent = `${count(store.pictures, "picture")}, ${store.indexed ? "indexed" : "not indexed"} · ${model?.title}`;
    find("about-open").title = "Which model, which pictures";
  }

  function choices() {
    const names = app.stores.map((one) => one.name);
    find("stores").hidden = names.length < 2;
    fill(find("store"), names.map((name) => h("option", { value: name, is: { selected: name === app.store?.name } }, name)));
  }

  // The browser knows what languages are called; a code that it does not know stays one.
  function called(code) {
    try {
      return new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
    } catch {
      return code;
    }
  }

  function spoken() {
    const all = app.model?.languages ?? [];
    const language = app.state.language === all[0]?.code ? "" : app.state.language;
    const choices = all.map(({ code }, i) => [i === 0 ? "" : code, code ? called(code) : "the model's own"]);
    if (language && !choices.some(([code]) => code === language)) choices.push([language, called(language)]);
    find("languages").hidden = choices.length < 2;
    fill(find("language"), choices.map(([value, words]) => h("option", { value, is: { selected: value === language } }, words)));
  }

  const taught = (words) =>
    words.slice(0, FEW).map(({ word }) => `‘${word}’`).join(", ") + (words.length > FEW ? ` and ${(words.length - FEW).toLocaleString("en")} more` : "");

  const facts = (rows) =>
    h("dl", { class: "facts" }, rows.filter(([, said]) => said).map(([name, said]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, said))));

  const ofStore = (one) => [
    h("h3", {}, one.name),
    facts([
      ["pictures", count(one.pictures, "picture") + (one.skipped ? `; ${one.skipped.toLocaleString("en")} could not be used` : "")],
      ["index", one.indexed ? "every part has codes, searches are fast and exact" : "parts have no codes and are read row by row: exact, slower"],
      ["pictures at hand", one.hasPictures ? "yes" : "no: the store alone is here"],
      ["as of", new Date(one.since).toLocaleString()],
      ["columns", one.columns.map((column) => column.name).join(", ")],
      ["trouble", one.trouble],
    ]),
  ];

  function open() {
    const { model } = app;
    fill(
      dialog,
      h("form", { method: "dialog" },
        h("h2", { id: "about-title" }, "What is searched"),
        model && facts([
          ["model", model.title === model.name ? model.name : `${model.title} (${model.name})`],
          ["image tower", model.imageTower],
          ["embedding", count(model.embeddingSize, "number")],
          ["what matches", model.calibrated ? "calibrated: the page says how likely a picture is to fit" : UNCALIBRATED],
          ["languages", model.languages?.map(({ code }) => (code ? called(code) : "its own")).join(", ")],
          ["taught words", taught(model.taught ?? [])],
          ["trouble", model.trouble],
          ["licences", model.licences.join(", ")],
        ]),
        app.stores.map(ofStore),
        h("h3", {}, "Keys"),
        facts([
          ["Ctrl K", "to the search"],
          ["arrows", "from picture to picture, also in a picture that is open"],
          ["Enter", "opens a picture"],
          ["Esc", "closes it"],
          ["Ctrl V", "pastes a picture to search by"],
        ]),
        h("p", { class: "muted" }, "Other programs can ask the same: ", h("a", { href: "openapi/v1.json" }, "openapi/v1.json"), "."),
        h("p", { class: "row" }, h("button", { class: "primary", value: "" }, "Close"))),
    );
    dialog.showModal();
  }

  find("about-open").addEventListener("click", open);
  find("uncalibrated").addEventListener("click", open);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  look();
  setInterval(() => document.hidden || look(), EVERY);

  return {
    render() {
      choices();
      spoken();
      say();
    },
  };
}
