/** Characters, names and references of XML 1.0 (fifth edition). */
import { Failure } from '../errors.ts';

/** What XML 1.0 cannot carry, not even as a reference: most control characters, lone surrogates, U+FFFE, U+FFFF. */
const ILLEGAL = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

const START =
  ':A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}' +
  '\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}';
const NAME = new RegExp(`^[${START}][${START}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}]*$`, 'u');

const ESCAPES: Readonly<Record<string, string>> = Object.freeze({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
});

/** True for what may name an element or attribute. */
export function isXmlName(name: string): boolean {
  return NAME.test(name);
}

/** Text as element content. Characters XML cannot carry are left out, so that no text can spoil a body. */
export function escapeText(text: string): string {
  return text.replace(ILLEGAL, '').replace(/[&<>\r]/g, (each) => ESCAPES[each] ?? each);
}

/** Text as the value of an attribute in double quotes; line breaks and tabs survive as references. */
export function escapeAttribute(text: string): string {
  return text.replace(ILLEGAL, '').replace(/[&<>"\t\n\r]/g, (each) => ESCAPES[each] ?? each);
}

const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** Resolves the five predefined entities and numeric references. Throws PARSE_FAILED for any other. */
export function decodeReferences(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&]{0,16};)?/g, (_whole, reference: string | undefined) => {
    const name = reference?.slice(0, -1) ?? '';
    const decoded = PREDEFINED.get(name) ?? numericReference(name);
    if (decoded === undefined) {
      throw new Failure(
        'PARSE_FAILED',
        'The body is not acceptable XML: it holds a reference other than the five predefined entities and the numbers of legal characters.',
      );
    }
    return decoded;
  });
}

function numericReference(name: string): string | undefined {
  const digits = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name);
  if (digits === null) return undefined;
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  if (code > 0x10ffff) return undefined;
  const character = String.fromCodePoint(code);
  return character.search(ILLEGAL) < 0 ? character : undefined;
}
