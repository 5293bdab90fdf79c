#!/usr/bin/env bash
# How long a browser that has seen nothing yet takes until 200 thumbnails are there, scrolled to as they come, and the
# longest that the page does not answer meanwhile: tests/thumbnails.sh http://127.0.0.1:8080 'q=a+red+heart'
# A server that was just started has made none of them. Needs node, npm and a chromium.
set -euo pipefail
address=${1:?Give the address that 'lit serve' printed.} asked=${2:-q=a+red+heart}
export CHROME_PATH=${CHROME_PATH:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && npm install --silent --no-audit --no-fund puppeteer-core@24 >/dev/null)
cat >"$folder/look.mjs" <<'END'
import puppeteer from "puppeteer-core";
const [, , address, wanted] = process.argv;
const browser = await puppeteer.launch({
  executablePath: process.env.CHROME_PATH,
  args: ["--no-sandbox", "--disable-gpu"],
  defaultViewport: { width: 1280, height: 900 },
});
const page = await browser.newPage();
await page.evaluateOnNewDocument(() => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) window.longest = Math.max(window.longest, one.duration);
  }).observe({ type: "longtask", buffered: true });
  window.loaded = 0;
  document.addEventListener(
    "load",
    (event) => {
      if (!(event.target instanceof HTMLImageElement) || !event.target.src.includes("thumbnails")) return;
      window.loaded++;
      window.firstAt ??= performance.now();
      if (window.loaded === 200) window.allAt = performance.now();
    },
    true,
  );
});
await page.goto(address, { waitUntil: "domcontentloaded" });
const end = Date.now() + 60_000;
while (!(await page.evaluate(() => window.allAt)) && Date.now() < end)
  await page.evaluate(() => new Promise((go) => (scrollBy(0, innerHeight), setTimeout(go, 30))));
const said = await page.evaluate(() => ({
  interactive: performance.getEntriesByType("navigation")[0].domInteractive,
  ready: performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
  first: window.firstAt,
  all: window.allAt,
  loaded: window.loaded,
  longest: window.longest,
}));
await browser.close();
const ms = (value) => (value == null ? "never" : `${Math.round(value)} ms`);
console.log(
  `page ready after ${ms(said.ready)}, the first thumbnail after ${ms(said.first)}, 200 after ${ms(said.all)} ` +
    `(${said.loaded} in all); the longest task took ${ms(said.longest)}`,
);
process.exit(said.all == null ? 1 : 0);
END
node "$folder/look.mjs" "${address%/}/#$asked"
