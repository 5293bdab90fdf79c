// The live demo: a picture, prompts that are typed freely, and how probable each is.

import * as api from "./api.js";
import { fill, find, h, icon, later, percent, UNDONE } from "./dom.js";
import { addressOf, base64 } from "./pictures.js";
import { named, PIXELS } from "./results.js";

const MOST = 40;
const PROPOSED = ["a cat", "a dog", "a house", "a drawing"];
const TEMPLATES = [["", "as it is typed"], ["a photo of a {}", "a photo of a …"], ["a drawing of a {}", "a drawing of a …"],
  ["a picture of {}", "a picture of …"]];

export function startDemo(app) {
  const list = find("prompts");
  const subject = find("subject");
  let asking = null;
  let begun = null; // the first picture, where nobody has given one
  let shown = "";
  let wanted = "";
  let hasty = false; // somebody types: what is refused may be half a word

  function proposed() {
    const label = app.store?.columns.find((column) => column.kind === "text" && column.values?.length > 1);
    const values = label?.values ?? PROPOSED;
    const every = Math.max(1, Math.floor(values.length / 5));
    return values.filter((_, i) => i % every === 0).slice(0, 5);
  }

  function row(text, i) {
    const input = h("input", {
      type: "text",
      "aria-label": `What it might show, ${i + 1}`,
      maxlength: 500,
      spellcheck: "false",
      placeholder: "anything",
      is: { value: text },
    });
    input.addEventListener("input", () => {
      app.change({ prompts: app.state.prompts.map((one, at) => (at === i ? input.value : one)) }, { typing: true });
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") add();
      else if (event.key === "Backspace" && input.value === "" && app.state.prompts.length > 1) remove(i);
      else return;
      event.preventDefault();
    });
    return h(
      "li",
      { class: "prompt" },
      input,
      h("output", { class: "share" }),
      h("span", { class: "bar", "aria-hidden": "true" }, h("span", { class: "full" })),
      h("button", { type: "button", class: "quiet round small", "aria-label": `Remove ${text || "this one"}`,
        on: { click: () => remove(i) } }, icon("close")),
    );
  }

  function add() {
    if (app.state.prompts.length >= MOST) return;
    app.change({ prompts: [...app.state.prompts, ""] });
    list.lastElementChild.querySelector("input").focus();
  }

  function remove(i) {
    app.change({ prompts: app.state.prompts.filter((_, at) => at !== i) });
    list.children[Math.max(0, i - 1)]?.querySelector("input").focus();
  }

  const labels = () => [...new Set(app.state.prompts.map((one) => one.trim()).filter(Boolean))];

  function question() {
    const { picture, template } = app.state;
    const of = picture.key != null ? { key: picture.key, store: app.store?.name } : { image: base64(picture.picture) };
    // With one thing to say softmax is always sure of it; a calibrated model can still say that it is not that.
    return { ...of, language: app.state.language || undefined, labels: labels(), templates: [template || "{}"],
      minPrecision: app.calibrated ? 0.5 : undefined };
  }

  async function ask(key, query) {
    asking?.abort();
    const mine = (asking = new AbortController());
    try {
      const answer = await api.classify(query, mine.signal);
      if (wanted === key) show(answer);
    } catch (problem) {
      if (problem.name === "AbortError" || wanted !== key) return;
      if (hasty && problem.isOfTheQuestion) settled(problem);
      else refuse(problem);
    }
  }

  function refuse(problem) {
    find("demo-trouble").textContent = problem.message;
    find("demo-trouble").hidden = false;
    wanted = ""; // the same may be asked again
  }

  function show(answer) {
    find("demo-trouble").hidden = true;
    const of = new Map(answer.labels.map((one) => [one.label, one.probability]));
    const best = answer.noneOfThese ? null : answer.labels[0]?.label;
    [...list.children].forEach((item, i) => {
      const text = app.state.prompts[i].trim();
      const share = of.get(text);
      item.classList.toggle("best", text !== "" && text === best);
      item.querySelector(".full").style.setProperty("--share", share ?? 0);
      item.querySelector(".share").textContent = share == null ? "" : percent(share);
    });
    verdict.now(answer);
  }

  const verdict = later(500, ({ labels: [first], noneOfThese, expectedPrecision, unseenWords, unreadLabels }) => {
    const parts = [];
    if (noneOfThese && unseenWords?.length)
      parts.push(`Nearest is “${first.label}”, but the model was tuned on no caption with ${unseenWords.join(", ")}.`);
    else if (noneOfThese) parts.push(`Probably none of these; nearest is “${first.label}”.`);
    else if (first) parts.push(`“${first.label}”, ${percent(first.probability)} among these.`);
    if (!noneOfThese && unseenWords?.length)
      parts.push(`The model was tuned on no caption with ${unseenWords.join(", ")}, so that is a guess.`);
    if (!noneOfThese && expectedPrecision != null)
      parts.push(`That it shows one of them at all: ${percent(expectedPrecision)}.`);
    if (unreadLabels?.length) parts.push(`The vocabulary knows nothing of ${unreadLabels.join(", ")}.`);
    find("verdict").textContent = parts.join(" ");
  });

  function showSubject() {
    const { picture } = app.state;
    const now = JSON.stringify([picture, app.store?.name]);
    if (now === shown) return;
    shown = now;
    subject.hidden = !picture;
    find("frame-words").hidden = Boolean(picture);
    if (!picture) return;
    subject.alt = picture.key ?? "the picture that you gave";
    subject.onload = () =>
      subject.classList.toggle("pixels", Math.max(subject.naturalWidth, subject.naturalHeight) <= PIXELS);
    if (picture.key == null) subject.src = addressOf(picture.picture);
    else {
      subject.onerror = () => {
        subject.onerror = null;
        subject.src = api.thumbnail(picture.key, app.store.name);
      };
      subject.src = api.original(picture.key, app.store?.name);
    }
  }

  async function any(show) {
    const { results } = await api.samples(app.store.name, 12, Math.floor(Math.random() * 2 ** 31));
    const others = results.filter((one) => one.key !== app.state.picture?.key);
    const one = others[Math.floor(Math.random() * others.length)];
    if (one) show({ picture: { key: one.key } });
    subject.alt = one ? named(one) : "";
  }

  const soon = later(70, ask);
  const settled = later(UNDONE, refuse);

  find("prompt-add").addEventListener("click", add);
  find("demo-any").addEventListener("click", () => any((patch) => app.change(patch)).catch(refuse));
  find("template").addEventListener("change", ({ target }) => app.change({ template: target.value }));
  find("demo-copy").addEventListener("click", () => app.copyLink());

  return {
    render(typing = false) {
      const { state } = app;
      hasty = typing;
      if (state.pane !== "demo" || !app.store) return;
      if (state.prompts.length === 0) state.prompts = [...proposed(), ""];
      if (!typing) {
        if (list.children.length !== state.prompts.length) fill(list, state.prompts.map(row));
        [...list.querySelectorAll("input")].forEach((input, i) => {
          if (input.value !== state.prompts[i]) input.value = state.prompts[i];
        });
        const choices = TEMPLATES.some(([value]) => value === state.template)
          ? TEMPLATES : [...TEMPLATES, [state.template, state.template]];
        fill(find("template"), choices.map(([value, words]) =>
          h("option", { value, is: { selected: value === state.template } }, words)));
      }
      showSubject();
      if (!state.picture) {
        begun ??= any((patch) => app.replace(patch)).catch(() => {});
        return;
      }
      if (labels().length === 0) {
        settled.stop();
        return;
      }
      const query = question();
      const key = JSON.stringify(query);
      if (key === wanted) {
        if (!typing) settled.hurry();
        return;
      }
      settled.stop();
      wanted = key;
      typing ? soon(key, query) : soon.now(key, query);
    },
  };
}
