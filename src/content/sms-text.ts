/** A text as SMS: GSM-7 where all its characters are in it, UCS-2 otherwise, in parts that telephones join again. */

/** The default alphabet (3GPP TS 23.038, 6.2.1): the place of a character is its code; place 27 leads to the extension. */
const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const ESCAPE = 0x1b;
const EXTENSION: ReadonlyMap<string, number> = new Map([
  ['\f', 0x0a],
  ['^', 0x14],
  ['{', 0x28],
  ['}', 0x29],
  ['\\', 0x2f],
  ['[', 0x3c],
  ['~', 0x3d],
  [']', 0x3e],
  ['|', 0x40],
  ['€', 0x65],
]);
const BASIC_CODES: ReadonlyMap<string, number> = new Map(
  [...BASIC]
    .map((character, code): [string, number] => [character, code])
    .filter(([, code]) => code !== ESCAPE),
);

/** Bytes of user data: in one SMS, and in each of several, of which the header for joining takes six. */
const GSM7 = { coding: 0, alone: 160, joined: 153 };
const UCS2 = { coding: 8, alone: 140, joined: 134 };
const HEADER_BYTES = 6;

export interface SmsText {
  /** `data_coding` of SMPP: 0 the default alphabet, 8 UCS-2. */
  readonly coding: number;
  /** Each with its header for joining where there are several. */
  readonly parts: readonly Buffer[];
}

/** `reference` (0–255) tells the parts of one text from those of another to the same telephone. */
export function encodeSms(text: string, reference: number): SmsText {
  const characters = [...text];
  const gsm7 = characters.map(gsm7Bytes);
  const known = gsm7.every((bytes) => bytes !== undefined);
  const { coding, alone, joined } = known ? GSM7 : UCS2;
  const pieces = known ? (gsm7 as readonly Buffer[]) : characters.map(ucs2Bytes);
  const whole = Buffer.concat(pieces);
  if (whole.byteLength <= alone) return { coding, parts: [whole] };
  const bodies = splitInto(pieces, joined);
  const parts = bodies.map((body, index) =>
    Buffer.concat([Buffer.from([5, 0, 3, reference & 0xff, bodies.length, index + 1]), body]),
  );
  return { coding, parts };
}

/** How a text travels as SMS. Characters of the GSM-7 extension count two, as do those that UCS-2 writes as two halves. */
export interface SmsSize {
  readonly encoding: 'GSM-7' | 'UCS-2';
  readonly characters: number;
  /** How many SMS it takes, each of which is paid. */
  readonly segments: number;
  /** The first character that GSM-7 does not have. */
  readonly forcedBy?: string;
}

/** What a text costs as SMS, and which character made it dearer. */
export function measureSms(text: string): SmsSize {
  const { coding, parts } = encodeSms(text, 0);
  const header = parts.length > 1 ? HEADER_BYTES : 0;
  const bytes = parts.reduce((sum, part) => sum + part.byteLength - header, 0);
  if (coding === GSM7.coding) return { encoding: 'GSM-7', characters: bytes, segments: parts.length };
  const forcedBy = [...text].find((character) => gsm7Bytes(character) === undefined);
  return {
    encoding: 'UCS-2',
    characters: bytes / 2,
    segments: parts.length,
    ...(forcedBy !== undefined && { forcedBy }),
  };
}

function gsm7Bytes(character: string): Buffer | undefined {
  const basic = BASIC_CODES.get(character);
  if (basic !== undefined) return Buffer.from([basic]);
  const extended = EXTENSION.get(character);
  return extended === undefined ? undefined : Buffer.from([ESCAPE, extended]);
}

function ucs2Bytes(character: string): Buffer {
  return Buffer.from(character, 'utf16le').swap16();
}

/** No character is cut in two. */
function splitInto(pieces: readonly Buffer[], most: number): Buffer[] {
  const bodies: Buffer[] = [];
  let body: Buffer[] = [];
  let size = 0;
  for (const piece of pieces) {
    if (size + piece.byteLength > most) {
      bodies.push(Buffer.concat(body));
      body = [];
      size = 0;
    }
    body.push(piece);
    size += piece.byteLength;
  }
  bodies.push(Buffer.concat(body));
  return bodies;
}
