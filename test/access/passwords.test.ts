import { describe, expect, it } from 'vitest';
import { createPasswords, refuseEasyPassword } from '../../src/access/passwords.ts';
import { failureOf } from '../support/failure-of.ts';

const cheap = createPasswords({ memoryKib: 64, passes: 1 });

describe('passwords', () => {
  it('are kept as argon2id hashes with their cost and a salt of their own', async () => {
    const [one, two] = await Promise.all([cheap.hash('a long password'), cheap.hash('a long password')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(one).not.toBe(two);
    expect(await cheap.check('a long password', one)).toBe(true);
    expect(await cheap.check('a long passwore', one)).toBe(false);
  });

  it('are found again at the cost they were kept with, after it was raised', async () => {
    const dear = createPasswords({ memoryKib: 128, passes: 2 });
    const kept = await cheap.hash('a long password');
    expect(await dear.check('a long password', kept)).toBe(true);
    expect(dear.isOld(kept)).toBe(true);
    expect(dear.isOld(await dear.hash('a long password'))).toBe(false);
  });

  it('cost by default what RFC 9106 recommends where memory is scarce', async () => {
    expect(await createPasswords().hash('a long password')).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$/);
  });

  it('are the same however a keyboard composes a letter', async () => {
    expect(await cheap.check('cafe\u0301 au lait', await cheap.hash('caf\u00e9 au lait'))).toBe(true);
  });

  it.each([null, '', 'plain text', '$argon2id$v=19$m=64,t=1,p=1$x'])(
    'are never right against %j',
    async (kept) => {
      expect(await cheap.check('plain text', kept)).toBe(false);
      expect(await cheap.check('', kept)).toBe(false);
    },
  );

  it('are checked a few at a time, and a crowd is sent away', async () => {
    const crowd = await Promise.allSettled(Array.from({ length: 80 }, () => cheap.hash('a long password')));
    const sentAway = crowd.filter((each) => each.status === 'rejected');
    expect(sentAway).toHaveLength(80 - 2 - 64);
    expect(sentAway[0]?.reason).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(await cheap.hash('and then again')).toContain('argon2id');
  });

  it('may not be the email', async () => {
    const failure = await failureOf(() =>
      refuseEasyPassword(' Ada.Lovelace@Example.com', 'ada.lovelace@example.com'),
    );
    expect(failure.code).toBe('REQUEST_INVALID');
    expect(() => refuseEasyPassword('ada.lovelace@example.com!', 'ada.lovelace@example.com')).not.toThrow();
  });
});
