/**
 * Tokens kept until shortly before they expire: in this process, and in a cache that all processes share. However many
 * ask at once, a token is obtained once.
 */
import type { Token } from './token-grant.ts';

/** The shared cache; keys are hashes. What it stores are secrets. */
export interface TokenCache {
  readonly get: (key: string) => Promise<Token | undefined>;
  readonly set: (key: string, token: string, expiresAtMs: number) => Promise<void>;
}

export interface TokenSource {
  /**
   * The token under the key. `refused` is a token the provider just answered 401 to: it is not given again.
   * Throws what `obtain` throws, to all who wait.
   */
  readonly take: (key: string, obtain: () => Promise<Token>, refused?: string) => Promise<string>;
}

/** A token is renewed so long before it expires, that it does not expire on its way. */
export const RENEW_BEFORE_MS = 30_000;

/** Tokens remembered in the process; beyond it the oldest is asked for again. */
const MOST_TOKENS = 1_000;

/** Tokens by the clock `now` (milliseconds); without `shared` only this process keeps them. */
export function createTokenSource(shared: TokenCache | undefined, now: () => number): TokenSource {
  const known = new Map<string, Token>();
  const flights = new Map<string, Promise<Token>>();

  const usable = (token: Token | undefined, refused: string | undefined): token is Token =>
    token !== undefined && token.token !== refused && token.expiresAtMs - RENEW_BEFORE_MS > now();

  const remember = (key: string, token: Token): void => {
    known.delete(key);
    known.set(key, token);
    const [oldest] = known.keys();
    if (known.size > MOST_TOKENS && oldest !== undefined) known.delete(oldest);
  };

  const fetch = async (
    key: string,
    obtain: () => Promise<Token>,
    refused: string | undefined,
  ): Promise<Token> => {
    const stored = await shared?.get(key);
    if (usable(stored, refused)) return stored;
    try {
      const token = await obtain();
      await shared?.set(key, token.token, token.expiresAtMs);
      return token;
    } catch (thrown) {
      // Another process may have renewed it in between, and with it used up what this one asked with.
      const renewed = await shared?.get(key);
      if (usable(renewed, refused)) return renewed;
      throw thrown;
    }
  };

  return Object.freeze<TokenSource>({
    take: async (key, obtain, refused) => {
      const remembered = known.get(key);
      if (usable(remembered, refused)) return remembered.token;
      // A flight that began before the refusal may bring the refused token; the one after it will not.
      for (let flight = flights.get(key); flight !== undefined; flight = flights.get(key)) {
        const { token } = await flight;
        if (token !== refused) return token;
      }
      const flight = fetch(key, obtain, refused).finally(() => flights.delete(key));
      flights.set(key, flight);
      const token = await flight;
      remember(key, token);
      return token.token;
    },
  });
}
