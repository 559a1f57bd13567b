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

/** True where one of the entries names the status. */
export function holdsStatus(entries: readonly (string | number)[], status: number): boolean {
  return entries.some((entry) => {
    const text = String(entry);
    const range = RANGE.exec(text);
    if (range === null) return HUNDRED.test(text) && Math.floor(status / 100) === Number(text[0]);
    const [, from, to = from] = range;
    return status >= Number(from) && status <= Number(to);
  });
}
