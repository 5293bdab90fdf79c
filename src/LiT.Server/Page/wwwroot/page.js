// Puts the page together: one state, shown by its parts, kept in the address.

import { startAbout } from "./about.js";
import { startAsk } from "./ask.js";
import { startDemo } from "./demo.js";
import { startDetail } from "./detail.js";
import { find, fill, h, tell } from "./dom.js";
import { startFilters } from "./filters.js";
import { listen, take } from "./pictures.js";
import { startResults } from "./results.js";
import { asks, empty, fromHash, toHash } from "./state.js";

/** How sure pictures have to be where somebody has not said: more likely right than not. */
export const PROPOSED = 0.5;

const app = {
  state: fromHash(location.hash),
  stores: [],
  model: null,

  /** The store that is searched. */
  get store() {
    return this.stores.find((one) => one.name === this.state.store) ?? this.stores[0] ?? null;
  },

  /** Whether the model can tell what matches, in the language of the words. */
  get calibrated() {
    const { language } = this.state;
    const spoken = language && this.model?.languages?.find((one) => one.code === language);
    return (spoken || this.model)?.calibrated ?? false;
  },

  /** The least expected precision that is asked for; 0 for none. */
  get precision() {
    return this.calibrated ? (this.state.precision ?? PROPOSED) : 0;
  },

  /**
   * Changes the state. A step can be gone back from; of what is typed between two steps only the last is.
   */
  change(patch, { typing = false } = {}) {
    Object.assign(this.state, patch);
    const address = toHash(this.state) || location.pathname + location.search;
    if (address !== this.address && !(typing && this.typing)) {
      history.replaceState({ scroll: scrollY }, ""); // where to come back to
      history.pushState(null, "", address);
    } else history.replaceState(history.state, "", address);
    this.typing = typing;
    this.address = address;
    this.render(typing);
  },

  /** Changes the state without a step to go back to. */
  replace(patch) {
    Object.assign(this.state, patch);
    this.address = toHash(this.state) || location.pathname + location.search;
    history.replaceState(history.state, "", this.address);
    this.render();
  },

  /** Shows the state; while somebody types, what is typed in stays as it is. */
  render(typing = false) {
    const { state } = this;
    const demo = state.pane === "demo";
    find("search-pane").hidden = demo;
    find("demo-pane").hidden = !demo;
    document.documentElement.classList.toggle("asked", demo || asks(state));
    for (const [id, here] of [["to-search", !demo], ["to-demo", demo]])
      here ? find(id).setAttribute("aria-current", "page") : find(id).removeAttribute("aria-current");
    const words = state.words.map((one) => one.what.trim()).filter(Boolean).join(" + ");
    document.title = demo ? "Live demo · LiT" : words ? `${words} · LiT` : "LiT: find pictures by what they show";
    for (const part of this.parts) part.render(typing);
  },

  parts: [],
};

function startPanes() {
  const pane = (name) => (event) => {
    event.preventDefault();
    if (app.state.pane !== name) app.change({ pane: name, open: "" });
  };
  find("to-search").addEventListener("click", pane("search"));
  find("to-demo").addEventListener("click", pane("demo"));
  find("brand").addEventListener("click", (event) => {
    event.preventDefault();
    app.change({ ...empty(), store: app.state.store, language: app.state.language, picture: app.state.picture, prompts: app.state.prompts });
    find("words").focus();
  });
  find("skip").addEventListener("click", (event) => {
    event.preventDefault();
    (app.state.pane === "demo" ? find("demo-choose") : find("words")).focus();
  });
  find("store").addEventListener("change", (event) => app.change({ store: event.target.value, filters: [], order: "" }));
  find("language").addEventListener("change", (event) => app.change({ language: event.target.value }));
  addEventListener("popstate", ({ state }) => {
    const { picture, prompts, template } = app.state;
    app.state = fromHash(location.hash);
    app.address = toHash(app.state) || location.pathname + location.search;
    app.typing = false;
    app.scroll = state?.scroll ?? null;
    if (app.state.pane !== "demo") Object.assign(app.state, { picture, prompts, template });
    app.render();
  });
}

function startTheme() {
  const button = find("theme");
  const root = document.documentElement;
  const themes = ["", "light", "dark"];
  const say = () => {
    const name = root.dataset.theme || "as the system has it";
    button.title = `Theme: ${name}`;
    button.setAttribute("aria-label", `Theme: ${name}. Change it`);
  };
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme ?? "") + 1) % themes.length];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    try {
      next ? localStorage.setItem("lit-theme", next) : localStorage.removeItem("lit-theme");
    } catch {
      // no storage: for this visit
    }
    say();
  });
  say();
}

function startPictures() {
  const given = async (file) => {
    try {
      const picture = await take(file);
      if (app.state.pane === "demo") app.change({ picture: { picture } });
      else app.change({ like: [...app.state.like, { picture, weight: 1 }], open: "" });
    } catch (problem) {
      tell(problem.message);
    }
  };
  listen(given, find("veil"));
  for (const [button, input] of [["choose", "file"], ["demo-choose", "demo-file"]]) {
    find(button).addEventListener("click", () => find(input).click());
    find(input).addEventListener("change", ({ target }) => {
      if (target.files[0]) given(target.files[0]);
      target.value = "";
    });
  }
}

/** Copies the address of what is shown; where the browser does not let a page do that, shows it. */
app.copyLink = async (address = location.href) => {
  try {
    await navigator.clipboard.writeText(address);
    tell("Link copied.");
  } catch {
    const input = h("input", { id: "link-input", readonly: true, is: { value: address } });
    fill(
      find("link"),
      h("form", { method: "dialog" },
        h("h2", { id: "link-title" }, "The link to what you see"),
        h("p", {}, h("label", { for: "link-input", class: "unseen" }, "Link"), input),
        h("p", { class: "row" }, h("button", { class: "primary" }, "Done"))),
    );
    find("link").showModal();
    input.select();
  }
};

async function start() {
  app.address = toHash(app.state) || location.pathname + location.search;
  history.scrollRestoration = "manual"; // pictures come later than the browser scrolls
  startTheme();
  startPanes();
  startPictures();
  app.parts = [startAsk, startFilters, startResults, startDetail, startDemo, startAbout].map((part) => part(app));
  app.render();
}

start();
