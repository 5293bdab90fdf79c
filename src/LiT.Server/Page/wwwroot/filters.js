// Filters over what the store says of its pictures: how sure, in which order, which columns.

import { fill, find, h, icon, percent } from "./dom.js";

/** Stops of the slider: expected precision, 0 for everything. */
const STOPS = [0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99];
const SHOWN = 24; // values of a column as buttons

export function startFilters(app) {
  const slider = find("precision");
  const panel = find("filters");
  let drawn = "";
  let own = false; // whether a field of the panel is what changes the state: then it shows it already

  const columns = () => app.store?.columns ?? [];
  const of = (column, how) => app.state.filters.find((one) => one[0] === column && one[1] === how)?.slice(2) ?? [];
  function changed(patch, options) {
    own = true;
    app.change(patch, options);
    own = false;
  }

  const set = (column, how, values, options) =>
    changed(
      {
        filters: [
          ...app.state.filters.filter((one) => one[0] !== column || one[1] !== how),
          ...(values.length && values[0] !== "" ? [[column, how, ...values]] : []),
        ],
      },
      options,
    );

  function choice(column) {
    const chosen = of(column.name, "in");
    const values = column.values.slice(0, SHOWN);
    values.push(...chosen.filter((value) => !values.includes(value)));
    return h(
      "div",
      { class: "choices" },
      values.map((value) =>
        h(
          "label",
          { class: "choice" },
          h("input", { type: "checkbox", "data-field": `${column.name} in ${value}`, is: { checked: chosen.includes(value) }, on: { change: ({ target }) => {
            const now = of(column.name, "in").filter((one) => one !== value);
            set(column.name, "in", target.checked ? [...now, value] : now);
          } } }),
          h("span", {}, value),
        ),
      ),
    );
  }

  function containing(column) {
    return h("input", {
      type: "text",
      class: "field",
      "data-field": `${column.name} contains`,
      "aria-label": `${column.name} contains`,
      placeholder: "contains …",
      is: { value: of(column.name, "contains")[0] ?? "" },
      on: { input: ({ target }) => set(column.name, "contains", [target.value], { typing: true }) },
    });
  }

  function range(column) {
    const date = column.kind === "date";
    const limit = (value) => (value == null ? "" : date ? String(value).slice(0, 10) : String(value));
    const end = (how, word, proposed) =>
      h("input", {
        type: date ? "date" : "number",
        class: "field short",
        step: date ? null : "any",
        min: date ? limit(column.least) : null,
        max: date ? limit(column.most) : null,
        "data-field": `${column.name} ${how}`,
        "aria-label": `${column.name} ${word}`,
        placeholder: date ? null : proposed,
        is: { value: of(column.name, how)[0] ?? "" },
        on: { input: ({ target }) => set(column.name, how, [target.value], { typing: true }) },
      });
    return h("div", { class: "range" }, end("from", "from", limit(column.least)), h("span", { "aria-hidden": "true" }, "to"),
      end("to", "up to", limit(column.most)));
  }

  function filter(column) {
    const few = column.values?.length > 0;
    const many = column.values?.length > SHOWN;
    const ranged = column.kind === "number" || column.kind === "date";
    return h(
      "fieldset",
      {},
      h("legend", {}, column.name),
      ranged ? range(column) : [few && choice(column), (!few || many) && containing(column)],
    );
  }

  function expression() {
    return h(
      "fieldset",
      { class: "wide" },
      h("legend", {}, h("label", { for: "where" }, "Or as an expression")),
      h("input", {
        id: "where",
        "data-field": "where",
        type: "text",
        class: "field code",
        spellcheck: "false",
        placeholder: "width >= 1024 and not (label in ('cat', 'dog'))",
        is: { value: app.state.where },
        on: { input: ({ target }) => changed({ where: target.value }, { typing: true }) },
      }),
    );
  }

  function draw() {
    // Which fields there are follows from the store; each shows what the state says.
    const clear = h("button", { type: "button", class: "tool", on: { click: () => app.change({ filters: [], where: "" }) } },
      icon("close"), "No filters");
    const at = panel.contains(document.activeElement) ? document.activeElement.dataset.field : null;
    fill(panel, h("div", { class: "fields" }, columns().filter(shown).map(filter), expression()), clear);
    if (at) [...panel.querySelectorAll("[data-field]")].find((one) => one.dataset.field === at)?.focus();
  }

  /** One value alone sorts nothing out. */
  const shown = ({ kind, least, most, values }) =>
    kind !== "empty" && (kind !== "number" || least !== most) && values?.length !== 1;

  function order() {
    const select = find("order");
    const sorted = columns().filter((column) => shown(column) && column.kind !== "texts");
    const both = sorted.flatMap(({ name, kind }) => {
      const [up, down] = kind === "date" ? ["oldest first", "newest first"]
        : kind === "number" ? ["smallest first", "largest first"] : ["A to Z", "Z to A"];
      return [[name, `${name}, ${up}`], [`${name} desc`, `${name}, ${down}`]];
    });
    const { order: now } = app.state;
    if (now && !both.some(([value]) => value === now)) both.push([now, now]);
    fill(select, [["", "best match"], ...both].map(([value, words]) =>
      h("option", { value, is: { selected: value === now } }, words)));
  }

  function sure() {
    const { calibrated } = app;
    const least = app.precision;
    let stop = STOPS.findIndex((one) => one >= least);
    if (stop < 0) stop = STOPS.length - 1;
    find("sure").hidden = !calibrated;
    find("uncalibrated").hidden = calibrated || !app.model;
    slider.value = stop;
    const words = least ? `≥ ${percent(least)}` : "anything";
    slider.setAttribute("aria-valuetext", words);
    find("precision-words").textContent = words;
  }

  slider.addEventListener("input", () => app.change({ precision: STOPS[slider.value] }, { typing: true }));
  slider.addEventListener("change", () => app.change({}));
  find("order").addEventListener("change", ({ target }) => app.change({ order: target.value }));
  find("distinct").addEventListener("change", ({ target }) => app.change({ distinct: target.checked }));
  find("filters-open").addEventListener("click", ({ currentTarget }) => {
    panel.hidden = !panel.hidden;
    currentTarget.setAttribute("aria-expanded", String(!panel.hidden));
  });
  panel.addEventListener("change", (event) => event.target.type !== "checkbox" && app.change({}));

  return {
    render(typing = false) {
      const { state } = app;
      sure();
      const set = state.filters.length + (state.where.trim() ? 1 : 0);
      const badge = find("filters-count");
      badge.hidden = set === 0;
      badge.textContent = set;
      badge.setAttribute("aria-label", `${set} set`);
      const now = JSON.stringify([columns(), state.filters, state.where]);
      if (now !== drawn && !own) draw();
      drawn = now;
      if (typing) return;
      find("distinct").checked = state.distinct;
      order();
    },
  };
}
