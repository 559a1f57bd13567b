/**
 * Passwords: kept as argon2id hashes with the cost they were made with beside them, so that it can be raised. The work is
 * done off the main thread, a few at a time: the threads that do it also resolve names for requests that are being sent.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { Failure } from '../errors.ts';

/** What one hash costs: the more, the slower guessing is. */
export interface PasswordCost {
  readonly memoryKib: number;
  readonly passes: number;
}

export interface Passwords {
  /** The text to keep. Throws RATE_LIMITED where too many wait. */
  readonly hash: (password: string) => Promise<string>;
  /** Whether it is the password. With null it takes as long and says no. Throws RATE_LIMITED where too many wait. */
  readonly check: (password: string, kept: string | null) => Promise<boolean>;
  /** Whether the text was made at another cost than new ones are. */
  readonly isOld: (kept: string) => boolean;
}

/** RFC 9106's second recommendation, with one lane, since more than one hash is made at once anyway. */
const COST: PasswordCost = Object.freeze({ memoryKib: 65_536, passes: 3 });
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const AT_ONCE = 2;
const MOST_WAITING = 64;
const FORM = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$([\w+/]+)\$([\w+/]+)$/;

/** Passwords at a cost. */
export function createPasswords(cost: PasswordCost = COST): Passwords {
  const waiting: (() => void)[] = [];
  let running = 0;
  const header = `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=1$`;

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < AT_ONCE) running += 1;
    else if (waiting.length < MOST_WAITING) await new Promise<void>((resolve) => waiting.push(resolve));
    else {
      throw new Failure('RATE_LIMITED', 'Too many passwords are being checked just now. Try again shortly.', {
        retryAfterMs: 2_000,
      });
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };

  const hash = async (password: string) => {
    const salt = randomBytes(SALT_BYTES);
    const made = await inTurn(() => derive(password, salt, cost));
    return `${header}${plainBase64(salt)}$${plainBase64(made)}`;
  };

  return Object.freeze<Passwords>({
    hash,
    check: async (password, kept) => {
      const parts = kept === null ? null : FORM.exec(kept);
      if (parts === null) {
        await hash(password);
        return false;
      }
      const [, memory, passes, salt = '', expected = ''] = parts;
      const asKept = { memoryKib: Number(memory), passes: Number(passes) };
      const made = await inTurn(() => derive(password, Buffer.from(salt, 'base64'), asKept));
      const wanted = Buffer.from(expected, 'base64');
      return wanted.length === made.length && timingSafeEqual(wanted, made);
    },
    isOld: (kept) => !kept.startsWith(header),
  });
}

/** The same text typed on another keyboard is the same password, so it is brought to one form first. */
function derive(password: string, nonce: Buffer, { memoryKib, passes }: PasswordCost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      {
        message: password.normalize('NFKC'),
        nonce,
        parallelism: 1,
        tagLength: HASH_BYTES,
        memory: memoryKib,
        passes,
      },
      (error, key) => (error === null ? resolve(key) : reject(error)),
    );
  });
}

function plainBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

/** Throws REQUEST_INVALID if a password is too easy to guess; its length is checked with the request. */
export function refuseEasyPassword(password: string, email: string): void {
  const plain = (text: string) => text.normalize('NFKC').trim().toLowerCase();
  if (plain(password) !== plain(email)) return;
  const message = 'The password must not be the email. Choose another one.';
  throw new Failure('REQUEST_INVALID', message, { problems: [{ pointer: '/password', message }] });
}
