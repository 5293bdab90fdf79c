// Filters that were clicked together, as the expression that the server reads.

const plain = /^[\p{L}_][\w.-]*$/u;
const words = new Set(["and", "or", "not", "in", "like", "contains", "is", "null"]);

const named = (column) => (plain.test(column) && !words.has(column.toLowerCase()) ? column : `"${column}"`);
const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

function nextDay(date) {
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}

function clause([column, how, ...values], kind) {
  const name = named(column);
  switch (how) {
    case "in":
      return values.length === 1 ? `${name} = ${quoted(values[0])}` : `${name} in (${values.map(quoted).join(", ")})`;
    case "contains":
      return `${name} contains ${quoted(values[0])}`;
    case "from":
      return `${name} >= ${values[0]}`;
    default: // the whole of the last day
      return kind === "date" ? `${name} < ${nextDay(values[0])}` : `${name} <= ${values[0]}`;
  }
}

const isNumber = (text) => text.trim() !== "" && Number.isFinite(Number(text));
const isDate = (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

/** Whether a filter says anything that its column can be asked. */
function complete([, how, ...values], kind) {
  if (how === "in" || how === "contains") return values.length > 0 && values[0] !== "";
  return kind === "date" ? isDate(values[0]) : isNumber(values[0]);
}

/** One expression of all filters and of what was typed; null for none. */
export function whereOf(state, columns) {
  const kinds = new Map(columns.map((column) => [column.name, column.kind]));
  const clauses = state.filters
    .filter((one) => complete(one, kinds.get(one[0])))
    .map((one) => clause(one, kinds.get(one[0])));
  const typed = state.where.trim();
  if (typed) clauses.push(clauses.length ? `(${typed})` : typed);
  return clauses.length ? clauses.join(" and ") : null;
}
