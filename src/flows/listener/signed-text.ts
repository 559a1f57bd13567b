/** The bytes a provider signed, put together by the `signed` template of a verification. */
import { Failure, type Problem } from '../../errors.ts';
import { type Address, addressText, cutAddress } from './address.ts';
import { bodyAt, headerAt } from './place.ts';
import type { RequestView } from './request-view.ts';

export interface Ingredients {
  readonly view: RequestView;
  readonly timestamp: string | undefined;
  readonly id: string | undefined;
  /** The address carries a hash of the body, and it is right. */
  readonly bodyHashed: boolean;
}

type Piece = (ingredients: Ingredients) => string | Buffer | undefined;

export interface SignedText {
  /** The signed bytes; undefined if the request lacks a part. Throws Failure where the flow gave no address. */
  readonly bytes: (ingredients: Ingredients) => Buffer | undefined;
  /** Names of the placeholders. */
  readonly names: ReadonlySet<string>;
}

const PLACEHOLDER = /\{([a-z_]+)(?::([^{}]*))?\}/g;

const PIECES: ReadonlyMap<string, Piece> = new Map<string, Piece>([
  ['body', ({ view }) => view.request.body],
  ['timestamp', ({ timestamp }) => timestamp],
  ['id', ({ id }) => id],
  ['method', ({ view }) => view.request.method],
  ['url', ({ view }) => addressText(addressOf(view))],
  ['url:with_port', ({ view }) => addressText(addressOf(view), 'with_port')],
  ['url:without_port', ({ view }) => addressText(addressOf(view), 'without_port')],
  ['path', ({ view }) => addressOf(view).path],
  ['query', ({ view }) => addressOf(view).search.slice(1)],
  ['params', ({ view, bodyHashed }) => (bodyHashed ? '' : joinedParams(view))],
]);

/** Compiles one `signed` template; collects what is wrong with it. */
export function compileSigned(text: string, pointer: string, problems: Problem[]): SignedText {
  const pieces: Piece[] = [];
  const names = new Set<string>();
  let end = 0;
  const literal = (part: string) => {
    if (part !== '') pieces.push(() => part);
  };
  for (const match of text.matchAll(PLACEHOLDER)) {
    literal(text.slice(end, match.index));
    end = match.index + match[0].length;
    const [whole, name = '', argument] = match;
    const piece = compilePiece(name, argument, pointer, problems);
    if (piece === undefined) {
      problems.push({
        pointer,
        message: `${whole} is not known; "signed" takes ${[...PIECES.keys()].map((key) => `{${key}}`).join(', ')}, {header:name} and {body:path}.`,
      });
      continue;
    }
    names.add(argument === undefined ? name : `${name}:${argument.toLowerCase()}`);
    pieces.push(piece);
  }
  literal(text.slice(end));
  return {
    names,
    bytes: (ingredients) => {
      const parts: Buffer[] = [];
      for (const piece of pieces) {
        const part = piece(ingredients);
        if (part === undefined) return undefined;
        parts.push(typeof part === 'string' ? Buffer.from(part, 'utf8') : part);
      }
      return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    },
  };
}

function compilePiece(
  name: string,
  argument: string | undefined,
  pointer: string,
  problems: Problem[],
): Piece | undefined {
  if (argument === undefined || argument === '') return argument === '' ? undefined : PIECES.get(name);
  if (name === 'header') {
    const read = headerAt(argument);
    return ({ view }) => read(view);
  }
  if (name === 'body') {
    const read = bodyAt(argument, pointer, problems);
    return ({ view }) => read?.(view);
  }
  return PIECES.get(`${name}:${argument}`);
}

/** The address of the request. Throws SIGNATURE_INVALID if it is not known. */
export function addressOf(view: RequestView): Address {
  const { url } = view.request;
  const address = url === undefined ? undefined : cutAddress(url);
  if (address === undefined) {
    throw new Failure(
      'SIGNATURE_INVALID',
      'The provider signs the address it calls, but the public address of this request is not known; set SLUICEWAY_PUBLIC_URL, or give the request a "url" in a golden test.',
    );
  }
  return address;
}

/**
 * Names and values of the form fields of the body, sorted by name, each value once (Twilio's and Mandrill's rule).
 * A body that is no form would go unsigned, so it gives undefined.
 */
function joinedParams(view: RequestView): string | undefined {
  const fields = view.fields();
  if (fields === undefined) return view.request.body.length === 0 ? '' : undefined;
  let text = '';
  for (const name of Object.keys(fields).sort()) {
    const value = fields[name] ?? '';
    const values = typeof value === 'string' ? [value] : [...new Set(value)].sort();
    for (const each of values) text += name + each;
  }
  return text;
}
