/** Words for searching, the same for what is kept and for what is asked, whatever the language of the database is. */

/** Of one item; more is not searched. */
const MOST_WORDS = 4_000;
const MOST_ASKED = 16;
const MOST_LETTERS = 40;

/** Scripts without spaces between words are taken letter by letter. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[[\p{L}\p{M}\p{N}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]]+/gv;

/** The different words of some texts: letters and digits only, lower case, without accents. */
export function wordsOf(texts: Iterable<string>, most = MOST_WORDS): readonly string[] {
  const words = new Set<string>();
  for (const text of texts) {
    for (const [word] of folded(text).matchAll(WORD)) {
      if (words.size >= most) return [...words];
      words.add([...word].slice(0, MOST_LETTERS).join(''));
    }
  }
  return [...words];
}

/** The words of a question, each of which must begin a word of what is found. */
export function askedWords(question: string): readonly string[] {
  return wordsOf([question], MOST_ASKED);
}

function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ß', 'ss');
}

/** Every text in a value, markup left out. */
export function* searchableTexts(value: unknown): Generator<string> {
  if (typeof value === 'string') yield withoutMarkup(value);
  else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) yield* searchableTexts(member);
  }
}

/** A text with its HTML elements, styles and scripts taken out. */
export function withoutMarkup(text: string): string {
  if (!text.includes('<')) return text;
  return withoutElement(withoutElement(text, 'style'), 'script').replaceAll(/<[^<>]*>/g, ' ');
}

/** Walks instead of matching: a pattern from one tag to the other would take quadratic time on hostile texts. */
function withoutElement(text: string, name: string): string {
  const lower = text.toLowerCase();
  // Lower case can be longer in some languages; then places would not agree.
  if (lower.length !== text.length) return text;
  let kept = '';
  let from = 0;
  while (true) {
    const start = lower.indexOf(`<${name}`, from);
    if (start < 0) return kept + text.slice(from);
    const end = lower.indexOf(`</${name}`, start);
    kept += `${text.slice(from, start)} `;
    if (end < 0) return kept;
    from = end;
  }
}
