// The server's answers. Words go in bodies, never in addresses.

import { base64 } from "./pictures.js";

/** What the server refused, in its words. */
export class Refused extends Error {
  constructor(status, title, detail) {
    super(detail || title || `The server answers ${status}.`);
    this.status = status;
    this.title = title;
  }

  /** Whether other words would be answered. */
  get isOfTheQuestion() {
    return this.status === 400 || this.status === 422;
  }
}

async function reach(path, body, signal) {
  const options = body
    ? { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal }
    : { signal };
  try {
    return await fetch(path, options);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Refused(0, "", "The server does not answer. It may have been stopped; the page goes on when it is back.");
  }
}

async function refusal(answer) {
  const problem = await answer.json().catch(() => ({}));
  const wait = answer.headers.get("Retry-After");
  const detail = problem.detail ?? Object.values(problem.errors ?? {}).flat().join(" ");
  return new Refused(answer.status, problem.title, wait ? `${detail} Again in ${wait} s.` : detail);
}

async function json(path, body, signal) {
  const answer = await reach(path, body, signal);
  if (!answer.ok) throw await refusal(answer);
  return answer.json();
}

export const stores = (signal) => json("v1/stores", null, signal);
export const models = (signal) => json("v1/models", null, signal);
export const samples = (store, top, seed, signal) =>
  json(`v1/samples?store=${encodeURIComponent(store)}&top=${top}&seed=${seed}`, null, signal);
export const search = (query, signal) => json("v1/search", query, signal);
export const classify = (query, signal) => json("v1/classify", query, signal);

const side = devicePixelRatio > 1.25 ? 512 : 256;

function ofPicture(kind, key, store) {
  const asked = new URLSearchParams();
  if (store) asked.set("store", store);
  if (kind === "thumbnails") asked.set("size", side);
  return `v1/${kind}/${encodeURIComponent(key)}?${asked}`;
}

export const thumbnail = (key, store) => ofPicture("thumbnails", key, store);
export const original = (key, store) => ofPicture("pictures", key, store);

// "2:at night": a text that begins with a digit is told from its weight by a space.
function weighed({ what, weight }) {
  const text = what.trim();
  return weight === 1 ? text : `${weight}:${/^\d/.test(text) ? " " : ""}${text}`;
}

/** A question of the page as the server reads it. */
export function queryOf(state, settings) {
  const said = (list) => list.filter((one) => one.what.trim()).map(weighed);
  const query = {
    store: state.store || undefined,
    language: state.language || undefined,
    words: said(state.words),
    minus: said(state.minus),
    without: said(state.without),
    like: state.like.filter((one) => one.key != null).map(({ key, weight }) => (weight === 1 ? key : `${weight}:${key}`)),
    pictures: state.like
      .filter((one) => one.key == null)
      .map(({ picture, weight }) => ({ image: base64(picture), weight })),
    ...settings,
  };
  for (const [name, value] of Object.entries(query)) if (Array.isArray(value) && !value.length) delete query[name];
  return query;
}
