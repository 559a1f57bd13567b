/** Sets of HTTP statuses as documents write them: `204`, `"2xx"`, `"200-208"`. */
const RANGE = /^(\d{3})(?:-(\d{3}))?$/;
const HUNDRED = /^[1-5]xx$/i;

/** True for an entry that names at least one status. */
export function isStatusEntry(entry: unknown): boolean {
  const text = String(entry);
  const range = RANGE.exec(text);
  if (range === null) return HUNDRED.test(text);
  const [, from, to = from] = range;
  return Number(from) >= 100 && Number(to) <= 599 && Number(from) <= Number(to);
}

/** From the first to the last status of an entry. */
type Range = readonly [from: number, to: number];

/** Sets as they were read: those that no template makes are the same array for every request. */
const known = new WeakMap<readonly (string | number)[], readonly Range[]>();

/** True where one of the entries names the status. */
export function holdsStatus(entries: readonly (string | number)[], status: number): boolean {
  let ranges = known.get(entries);
  if (ranges === undefined) {
    ranges = entries.flatMap(rangeOf);
    if (Object.isFrozen(entries)) known.set(entries, ranges);
  }
  return ranges.some(([from, to]) => status >= from && status <= to);
}

function rangeOf(entry: string | number): Range[] {
  const text = String(entry);
  const range = RANGE.exec(text);
  if (range !== null) return [[Number(range[1]), Number(range[2] ?? range[1])]];
  const hundred = Number(text[0]) * 100;
  return HUNDRED.test(text) ? [[hundred, hundred + 99]] : [];
}
