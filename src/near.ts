/** The near name that an author probably meant. */
import { distance } from 'fastest-levenshtein';

/** Longer names are not compared: the work grows with the square of the length. */
const MAX_LENGTH = 100;

/** The nearest of the known names, or undefined where none is near. */
export function nearName(name: string, known: Iterable<string>): string | undefined {
  if (name.length === 0 || name.length > MAX_LENGTH) return undefined;
  const allowed = Math.max(1, Math.floor(name.length / 3));
  const lower = name.toLowerCase();
  let best: { readonly name: string; readonly far: number } | undefined;
  for (const each of known) {
    const far = farFrom(lower, each.toLowerCase());
    if (far <= allowed && (best === undefined || far < best.far)) best = { name: each, far };
  }
  return best?.name;
}

/** The edit distance, in which two neighbours that changed places are one mistake. */
function farFrom(left: string, right: string): number {
  const far = distance(left, right);
  if (far !== 2 || left.length !== right.length) return far;
  const at = [...left].findIndex((character, index) => character !== right[index]);
  const swapped = left[at] === right[at + 1] && left[at + 1] === right[at];
  return swapped && left.slice(at + 2) === right.slice(at + 2) ? 1 : far;
}

/** ` Did you mean "text"?`, or nothing. */
export function didYouMean(suggestion: string | undefined): string {
  return suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
}

/** `"a", "b", "c"`, or `none`. */
export function listed(names: Iterable<string | number>): string {
  const all = [...names];
  const shown = all.slice(0, 40).map((name) => JSON.stringify(name));
  if (all.length > shown.length) shown.push('…');
  return shown.length === 0 ? 'none' : shown.join(', ');
}
