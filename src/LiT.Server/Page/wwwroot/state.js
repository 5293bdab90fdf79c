// What the page shows is one object, and the part of the address behind the # says all of it: a link to it is a link to
// what somebody sees. That part of an address never leaves the browser, so no log of a server holds anybody's words.

export const empty = () => ({
  pane: "search",
  store: "",
  language: "", // "": the model's own
  words: [{ what: "", weight: 1 }], // the first is the box's
  minus: [],
  without: [],
  like: [], // { key } or { picture }, and weight
  filters: [],
  where: "",
  precision: null, // null: what the page proposes
  order: "",
  distinct: false,
  open: "",
  picture: null, // the demo's: { key } or { picture }
  prompts: [],
  template: "",
});

/** Whether there is something to look for. */
export const asks = (state) => state.like.length > 0 || state.words.some((one) => one.what.trim());

const weighed = /^(\d+(?:\.\d+)?)\*/;

function write(what, weight = 1) {
  return weight !== 1 || weighed.test(what) ? `${weight}*${what}` : what;
}

function read(text) {
  const match = weighed.exec(text);
  const weight = match ? Number(match[1]) : 1;
  return weight > 0 && Number.isFinite(weight)
    ? { what: match ? text.slice(match[0].length) : text, weight }
    : { what: text, weight: 1 };
}

const ofPicture = (one) => (one.key != null ? ["like", one.key] : ["picture", `${one.picture.type}.${one.picture.data}`]);

function toPicture(text) {
  const dot = text.indexOf(".");
  const [type, data] = [text.slice(0, dot), text.slice(dot + 1)];
  return dot > 0 && /^image\/[a-z+.-]+$/.test(type) && /^[\w-]+$/.test(data) ? { type, data } : null;
}

/** The state as it stands behind the # of an address; "" for the page as one comes to it. */
export function toHash(state) {
  const all = new URLSearchParams();
  const add = (name, value) => value && all.append(name, value);
  add("store", state.store);
  add("lang", state.language);
  if (state.pane === "demo") {
    all.set("demo", "1");
    if (state.picture?.key != null) add("of", state.picture.key);
    else if (state.picture) add("own", ofPicture(state.picture)[1]);
    for (const prompt of state.prompts) all.append("prompt", prompt);
    add("as", state.template);
    return `#${all}`;
  }
  if (state.words.some((one) => one.what)) for (const one of state.words) all.append("q", write(one.what, one.weight));
  for (const one of state.minus) add("minus", write(one.what, one.weight));
  for (const one of state.without) add("without", one.what);
  for (const one of state.like) {
    const [name, value] = ofPicture(one);
    add(name, write(value, one.weight));
  }
  for (const filter of state.filters) all.append("filter", JSON.stringify(filter));
  add("where", state.where);
  if (state.precision !== null) all.set("min", String(state.precision));
  add("order", state.order);
  if (state.distinct) all.set("distinct", "1");
  add("open", state.open);
  const text = all.toString();
  return text ? `#${text}` : "";
}

/** The state that an address tells. What cannot be read is left out. */
export function fromHash(hash) {
  const all = new URLSearchParams(hash.replace(/^#/, ""));
  const state = empty();
  state.store = all.get("store") ?? "";
  state.language = all.get("lang") ?? "";
  if (all.has("demo")) {
    state.pane = "demo";
    if (all.has("of")) state.picture = { key: all.get("of") };
    else if (all.has("own")) {
      const picture = toPicture(all.get("own"));
      state.picture = picture && { picture };
    }
    state.prompts = all.getAll("prompt");
    state.template = all.get("as") ?? "";
    return state;
  }
  if (all.has("q")) state.words = all.getAll("q").map(read);
  state.minus = all.getAll("minus").map(read);
  state.without = all.getAll("without").map((what) => ({ what, weight: 1 }));
  for (const [name, value] of all) {
    const { what, weight } = read(value);
    if (name === "like") state.like.push({ key: what, weight });
    const picture = name === "picture" ? toPicture(what) : null;
    if (picture) state.like.push({ picture, weight });
  }
  state.filters = all.getAll("filter").map(filter).filter(Boolean);
  state.where = all.get("where") ?? "";
  const least = Number(all.get("min"));
  state.precision = all.has("min") && least >= 0 && least < 1 ? least : null;
  state.order = all.get("order") ?? "";
  state.distinct = all.has("distinct");
  state.open = all.get("open") ?? "";
  return state;
}

function filter(text) {
  try {
    const [column, how, ...values] = JSON.parse(text);
    const plain = [column, how, ...values].every((one) => typeof one === "string");
    return plain && ["in", "contains", "from", "to"].includes(how) ? [column, how, ...values] : null;
  } catch {
    return null;
  }
}
