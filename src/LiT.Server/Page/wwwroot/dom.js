// Elements from data. Text is always text: nothing here, or anywhere on the page, reads a string as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes ("on" holds listeners, "is" properties) and children; null, false and "" are left out. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") for (const [event, does] of Object.entries(value)) element.addEventListener(event, does);
    else if (key === "is") Object.assign(element, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false && child !== ""));
  return element;
}

/** One of the drawn signs that index.html defines. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export const find = (id) => document.getElementById(id);

export const fill = (element, ...children) =>
  element.replaceChildren(...children.flat(Infinity).filter((child) => child != null && child !== false && child !== ""));

/** Milliseconds without a key after which what is typed is no longer taken for half a word. */
export const UNDONE = 1500;

/**
 * A function that waits until nobody has called it for so many milliseconds; now() does not wait, and hurry() lets what
 * waits wait no longer.
 */
export function later(milliseconds, does) {
  let timer = null;
  let waiting = null;
  const soon = (...given) => {
    clearTimeout(timer);
    waiting = given;
    timer = setTimeout(() => soon.now(...given), milliseconds);
  };
  soon.now = (...given) => {
    soon.stop();
    does(...given);
  };
  soon.hurry = () => timer !== null && soon.now(...waiting);
  soon.stop = () => {
    clearTimeout(timer);
    timer = null;
  };
  Object.defineProperty(soon, "waits", { get: () => timer !== null });
  return soon;
}

/** Words for a short while at the foot of the page, read out by screen readers. */
export function tell(words) {
  const toast = find("toast");
  toast.textContent = words;
  toast.classList.add("shown");
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => toast.classList.remove("shown"), 3500);
}

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

/** 0.974 as "97%"; 100% only for what is whole. */
export function percent(share) {
  if (share >= 1) return "100%";
  if (share >= 0.995) return `${Math.floor(share * 1000) / 10}%`;
  return share > 0 && share < 0.005 ? "< 1%" : `${Math.round(share * 100)}%`;
}

export function duration(seconds) {
  if (seconds < 0.001) return "under 1 ms";
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}
