// The pictures that were found: asked for as the state changes, shown as one scrolls.

import * as api from "./api.js";
import { count, duration, fill, find, h, icon, later, percent, UNDONE } from "./dom.js";
import { save, toCsv } from "./save.js";
import { asks, toHash } from "./state.js";
import { whereOf } from "./where.js";

const PAGE = 100;
const SORTED = 1000; // in a column's order the best so many are shown: what comes later would come in between
const WALL = 48; // pictures before anything is asked
const KEPT = 20; // answers that going back shows at once
const SMALL = 128; // pixels of the longer side: pictures that are shown enlarged
export const PIXELS = 64; // and those whose pixels are shown as they are
const ONE_SCENE = 0.95;
const WAITS = "Below is still what was found before.";

export function startResults(app) {
  const grid = find("grid");
  const answers = new Map();
  let now = null; // what is shown
  let wanted = ""; // the question that it is to answer
  let asking = null;
  let hasty = false; // somebody types: what is refused may be half a word

  function question() {
    const { state } = app;
    return api.queryOf(state, {
      where: whereOf(state, app.store?.columns ?? []) ?? undefined,
      minPrecision: app.precision || undefined,
      order: state.order || undefined,
      distinct: state.distinct ? ONE_SCENE : undefined,
    });
  }

  const pageOf = (query, skip) => ({ ...query, top: query.order ? SORTED : PAGE, skip });

  /** Nothing is asked: some of the pictures, so that one sees what there is. */
  async function some(signal) {
    const answer = await api.samples(app.store.name, WALL, 0, signal);
    return { answer, found: answer.results, done: true };
  }

  async function first(query, signal) {
    const answer = await api.search(pageOf(query, 0), signal);
    return { query, answer, found: answer.results, done: isLast(query, answer) };
  }

  async function ask(key, query) {
    asking?.abort();
    const mine = (asking = new AbortController());
    const slow = setTimeout(() => (find("busy").hidden = false), 150);
    try {
      const got = await (query ? first(query, mine.signal) : some(mine.signal));
      if (wanted !== key) return;
      keep(key, { ...got, drawn: 0, keys: new Set(got.found.map((one) => one.key)) });
      show();
    } catch (problem) {
      if (problem.name === "AbortError" || wanted !== key) return;
      if (hasty && problem.isOfTheQuestion && now) doubt(problem);
      else refuse(problem);
    } finally {
      clearTimeout(slow);
      if (asking === mine) {
        asking = null;
        find("busy").hidden = true;
      }
    }
  }

  const isLast = (query, answer) => Boolean(query.order) || answer.results.length < PAGE;

  function keep(key, answer) {
    now = answer;
    answers.delete(key);
    answers.set(key, answer);
    if (answers.size > KEPT) answers.delete(answers.keys().next().value);
  }

  /** While somebody types, what was found before stays, and the refusal is a remark until nobody goes on. */
  function doubt(problem) {
    find("trouble").hidden = true;
    find("status").textContent = `${problem.message} ${WAITS}`;
    settled(problem);
  }

  function refuse(problem) {
    find("trouble").textContent = problem.message;
    find("trouble").hidden = false;
    find("nothing").hidden = true;
    find("status").textContent = "";
    fill(grid);
    now = null;
    wanted = "";
  }

  /** The next pictures below: those that are here already first, then the server's. */
  async function more() {
    if (!now) return;
    const here = now;
    if (here.drawn < here.found.length) {
      draw();
      return;
    }
    if (here.done || here.loading) return;
    here.loading = new AbortController();
    try {
      const answer = await api.search(pageOf(here.query, here.found.length + (here.twice ?? 0)), here.loading.signal);
      const fresh = answer.results.filter((one) => !here.keys.has(one.key));
      here.twice = (here.twice ?? 0) + answer.results.length - fresh.length; // a store may grow meanwhile
      for (const one of fresh) here.keys.add(one.key);
      here.found.push(...fresh);
      here.done = isLast(here.query, answer);
      if (now === here) draw();
    } catch (problem) {
      if (problem.name === "AbortError" || now !== here) return;
      fill(find("end"), problem.message, " ", h("button", { class: "tool", on: { click: () => more() } }, "Again"));
    } finally {
      here.loading = null;
    }
  }

  function show() {
    const { answer } = now;
    find("trouble").hidden = true;
    find("nothing").hidden = !answer.nothingMatches;
    if (answer.nothingMatches) nothing();
    fill(grid);
    const sides = now.found.map(({ columns }) => Math.max(columns?.width ?? Infinity, columns?.height ?? Infinity));
    const largest = sides.length > 0 ? Math.max(...sides) : Infinity;
    grid.classList.toggle("small", largest <= SMALL);
    grid.classList.toggle("pixels", largest <= PIXELS);
    const before = app.scroll;
    const drawn = now.drawn;
    now.drawn = 0;
    do draw();
    while (now.drawn < drawn);
    if (before != null) scrollTo(0, before);
    else if (scrollY > grid.offsetTop) scrollTo(0, 0);
    app.scroll = null;
  }

  function draw() {
    const next = now.found.slice(now.drawn, now.drawn + PAGE);
    const first = now.drawn;
    now.drawn += next.length;
    grid.append(...next.map((one, i) => tile(one, first + i)));
    say();
    app.detail?.refresh();
    app.ask?.examples(now.query ? null : now.found);
    watch.unobserve(find("end")); // told anew, also where it never left the screen
    if (now.drawn < now.found.length || !now.done) watch.observe(find("end"));
  }

  function say() {
    const { answer, found, done, query } = now;
    if (!query) {
      find("status").textContent = "";
      return;
    }
    const among = `among ${count(answer.searched, "picture")}, in ${duration(answer.seconds)}`;
    const exact = answer.recall < 1 ? `, finding ${percent(answer.recall)} of the nearest` : "";
    const least = found.length && query.minPrecision ? `, each ${percent(query.minPrecision)} or more likely to fit` : "";
    const number = `${found.length.toLocaleString("en")}${done ? "" : " or more"}`;
    const shown = found.length === 0 ? "Nothing" : `${number} ${found.length === 1 ? "picture" : "pictures"}`;
    find("status").textContent = `${shown}${least} ${among}${exact}.${unseen(answer)}`;
    fill(find("end"), done && found.length > 0 && now.drawn === found.length ? end(query, found) : "");
  }

  const end = (query, found) =>
    query.order && found.length >= SORTED ? `The best ${SORTED.toLocaleString("en")}, sorted.` : "That is all.";

  const unseen = ({ unseenWords }) =>
    unseenWords?.length
      ? ` The model was tuned on no caption with ${unseenWords.join(", ")}, so it makes no promise.`
      : "";

  function nothing() {
    const { answer, query } = now;
    const why = answer.unreadWords?.length && !answer.query.minPrecision
      ? `The model cannot read ${answer.unreadWords.map((one) => `“${one}”`).join(", ")}: its vocabulary knows no piece of it.`
      : answer.unseenWords?.length
      ? `The model was tuned on no caption with ${answer.unseenWords.map((one) => `“${one}”`).join(", ")}, so it does not
         know how likely anything is to fit.`
      : query.minPrecision
        ? `No picture is at least ${percent(query.minPrecision)} likely to show this.`
        : "No picture is left by the filters.";
    const anyway = query.minPrecision &&
      h("button", { type: "button", class: "primary", on: { click: () => app.change({ precision: 0 }) } },
        "Show the nearest all the same");
    fill(find("nothing"), h("h2", {}, "Nothing matches"), h("p", {}, why), anyway);
  }

  function tile(one, i) {
    const { width, height } = one.columns ?? {};
    const ratio = width > 0 && height > 0 ? Math.min(2.4, Math.max(0.6, width / height)) : 1;
    const words = named(one);
    const image = h("img", { alt: "", loading: i < 24 ? "eager" : "lazy", decoding: "async", draggable: "false",
      width: width || 1, height: height || 1 });
    image.addEventListener("error", () => image.closest(".tile")?.classList.add("gone"), { once: true });
    image.src = api.thumbnail(one.key, app.store?.name);
    const link = h(
      "a",
      { href: toHash({ ...app.state, open: one.key }), class: "open", "data-key": one.key },
      image,
      one.expectedPrecision != null && sure(one.expectedPrecision),
      h("span", { class: "caption" }, words),
    );
    const like = h("button", { type: "button", class: "more-like", "aria-label": `More like ${words}`,
      title: "More like this", "data-like": one.key }, icon("like"));
    const item = h("li", { class: "tile" }, link, like);
    item.style.setProperty("--ratio", ratio);
    return item;
  }

  const sure = (share) =>
    h("span", { class: "sure", title: "Of pictures that score as high, so many are expected to fit" },
      h("span", { class: "unseen" }, "expected to fit: "), percent(share));

  grid.addEventListener("click", (event) => {
    const like = event.target.closest("[data-like]");
    if (like) {
      moreLike(like.dataset.like);
      return;
    }
    const link = event.target.closest("[data-key]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    app.change({ open: link.dataset.key });
  });
  grid.addEventListener("keydown", (event) => walk(event, grid));

  function moreLike(key) {
    app.change({ words: [{ what: "", weight: 1 }], minus: [], without: [], like: [{ key, weight: 1 }], open: "" });
    scrollTo(0, 0);
    find("words").focus({ preventScroll: true });
  }

  const watch = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && more(), {
    rootMargin: "1600px 0px",
  });

  const soon = later(160, ask);
  const settled = later(UNDONE, refuse);

  find("save-json").addEventListener("click", () => now && save("found.json", "application/json",
    `${JSON.stringify({ ...now.answer, results: now.found.slice(0, now.drawn) }, null, 2)}\n`));
  find("save-csv").addEventListener("click", () => now && save("found.csv", "text/csv",
    toCsv(now.found.slice(0, now.drawn))));
  find("copy").addEventListener("click", () => app.copyLink());

  const part = {
    /** What was found, as far as it is here. */
    get found() {
      return now?.found ?? [];
    },

    moreLike,

    /** The store has other pictures than before: what was found in it is found anew. */
    forget() {
      answers.clear();
      if (!asks(app.state)) wanted = "";
    },

    render(typing = false) {
      hasty = typing;
      if (app.state.pane === "demo" || !app.store) return;
      const query = asks(app.state) ? question() : null;
      const key = JSON.stringify(query ?? ["some", app.store.name]);
      if (key === wanted) {
        if (!typing && soon.waits) soon.now(key, query);
        if (!typing) settled.hurry();
        return;
      }
      settled.stop();
      wanted = key;
      const known = answers.get(key);
      if (known && !typing) {
        soon.stop();
        asking?.abort();
        keep(key, known);
        show();
      } else if (typing) soon(key, query);
      else soon.now(key, query);
    },
  };
  app.results = part;
  return part;
}

/** What a picture is called: its first caption, or whatever there is. */
export function named(one) {
  const { captions, label } = one.columns ?? {};
  const caption = Array.isArray(captions) ? captions[0] : captions;
  return caption || label || one.key;
}

/** Arrow keys go from picture to picture. */
function walk(event, grid) {
  const links = [...grid.querySelectorAll("a.open")];
  const at = links.indexOf(event.target.closest("li")?.querySelector("a.open"));
  if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: links.length - 1 }[event.key] ?? vertical(event.key);
  if (to == null || !links[to]) return;
  event.preventDefault();
  links[to].focus();

  function vertical(key) {
    if (key !== "ArrowUp" && key !== "ArrowDown") return null;
    const place = (link) => link.getBoundingClientRect();
    const here = place(links[at]);
    const middle = here.left + here.width / 2;
    const step = key === "ArrowUp" ? -1 : 1;
    let best = null;
    let row = null;
    for (let i = at + step; links[i]; i += step) {
      const there = place(links[i]);
      if (Math.abs(there.top - here.top) < 2) continue;
      if (row !== null && Math.abs(there.top - row) > 2) break;
      row = there.top;
      const off = Math.abs(there.left + there.width / 2 - middle);
      if (best === null || off < best.off) best = { i, off };
    }
    return best?.i ?? null;
  }
}
