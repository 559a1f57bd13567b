/**
 * Where a text stops being JSON. The engine's own message quotes the text, which may hold secrets, and often gives no
 * position; so the place is found here, after parsing has failed.
 */
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y;

/** `first`: the same, or the end of the array or object that was just opened. */
type Expected = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'next';

/** The offset of the first character that cannot stand there; the length of the text where it ends too early. */
export function jsonFaultAt(text: string): number {
  const open: ('{' | '[')[] = [];
  let expected = 'value' as Expected;
  let at = 0;
  for (;;) {
    at = afterSpace(text, at);
    const character = text[at];
    if (character === undefined) return text.length;
    if (expected === 'colon') {
      if (character !== ':') return at;
      expected = 'value';
      at += 1;
    } else if (isClosing(character, expected, open.at(-1))) {
      open.pop();
      expected = 'next';
      at += 1;
    } else if (expected === 'next') {
      if (character !== ',' || open.length === 0) return at;
      expected = open.at(-1) === '{' ? 'key' : 'value';
      at += 1;
    } else if (character === '"') {
      const end = stringEnd(text, at);
      if (end.fault !== undefined) return end.fault;
      at = end.after;
      expected = expected === 'key' || expected === 'first key' ? 'colon' : 'next';
    } else if (expected === 'key' || expected === 'first key') {
      return at;
    } else if (character === '{' || character === '[') {
      open.push(character);
      expected = character === '{' ? 'first key' : 'first value';
      at += 1;
    } else {
      LITERAL.lastIndex = at;
      const literal = LITERAL.exec(text)?.[0];
      if (literal === undefined) return at;
      at += literal.length;
      expected = 'next';
    }
  }
}

function afterSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text[at] as string)) at += 1;
  return at;
}

function isClosing(character: string, expected: Expected, open: '{' | '[' | undefined): boolean {
  if (character === '}') return open === '{' && (expected === 'first key' || expected === 'next');
  return character === ']' && open === '[' && (expected === 'first value' || expected === 'next');
}

function stringEnd(text: string, start: number): { after: number; fault?: number } {
  let at = start + 1;
  for (;;) {
    const character = text[at];
    if (character === undefined || character < ' ') return { after: at, fault: at };
    if (character === '"') return { after: at + 1 };
    if (character === '\\') {
      ESCAPE.lastIndex = at;
      const escaped = ESCAPE.exec(text)?.[0];
      if (escaped === undefined) return { after: at, fault: at };
      at += escaped.length;
    } else at += 1;
  }
}
