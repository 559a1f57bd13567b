/** Paths as templates write them: `a.b.%0.'x-id'`. */

export type Step = string | number;

/** Reads a path with own properties only; undefined if any step is missing. */
export function readPath(root: unknown, path: readonly Step[]): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
    if (typeof step === 'number') {
      if (!Array.isArray(value)) return undefined;
      value = step < 0 ? value[value.length + step] : value[step];
    } else {
      value = Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined;
    }
    if (value === undefined) return undefined;
  }
  return value;
}

const NAME = /[\p{L}\p{N}_]/u;

/**
 * Reads a path from `text` at `start` up to the first character that cannot belong to it.
 * `quoted` allows `'any key'`, as inside braces. Returns the steps and the position after them;
 * a trailing dot stays text. An empty result has no steps.
 */
export function scanPath(text: string, start: number, quoted: boolean): { path: Step[]; end: number } {
  const path: Step[] = [];
  let position = start;
  let end = start;
  for (;;) {
    const step = scanStep(text, position, quoted);
    if (step === undefined) break;
    path.push(step.step);
    end = step.end;
    position = end;
    if (text[position] === '.') position += 1;
    else if (text[position] !== '%') break;
  }
  return { path, end };
}

function scanStep(text: string, start: number, quoted: boolean): { step: Step; end: number } | undefined {
  const first = text[start];
  if (first === undefined) return undefined;
  if (first === '%') {
    const digits = /^%(-?\d{1,9})/.exec(text.slice(start, start + 12));
    return digits?.[1] === undefined ? undefined : { step: Number(digits[1]), end: start + digits[0].length };
  }
  if (first === "'" && quoted) {
    const close = text.indexOf("'", start + 1);
    return close < 0 ? undefined : { step: text.slice(start + 1, close), end: close + 1 };
  }
  let end = start;
  while (end < text.length) {
    const character = String.fromCodePoint(text.codePointAt(end) ?? 0);
    if (!NAME.test(character)) break;
    end += character.length;
  }
  return end === start ? undefined : { step: text.slice(start, end), end };
}
