// What is shown, as a file.

const cell = (value) => {
  const text = value == null ? "" : Array.isArray(value) ? value.join(" | ") : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Rows of what was found, a column for each that any picture has. */
export function toCsv(results) {
  const columns = [...new Set(results.flatMap((one) => Object.keys(one.columns ?? {})))];
  const head = ["key", "origin", "similarity", "expectedPrecision", ...columns];
  const rows = results.map((one) => [
    one.key,
    one.origin,
    one.similarity,
    one.expectedPrecision,
    ...columns.map((name) => one.columns?.[name]),
  ]);
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Hands a text to the browser as a file. */
export function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
