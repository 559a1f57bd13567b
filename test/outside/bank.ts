/** What tests of authorization need: a cache, dependencies over a real client, a token endpoint with its interface. */
import { afterEach, beforeEach } from 'vitest';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import type { AuthorizeDeps, TokenCache } from '../../src/outside/authorize.ts';
import { createHttpClient, type HttpClient } from '../../src/outside/http-client.ts';
import type { HttpAuth } from '../../src/pipes/contract.ts';
import { answerJson, bodyOf, closeProviders, startHttp } from './provider.ts';

export const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

let http: HttpClient;

/** A client for each test of the file. */
export function useClient(): void {
  beforeEach(() => {
    http = createHttpClient({ guard: createAddressGuard(['127.0.0.1']), defaultConnections: 64 });
  });
  afterEach(async () => {
    await http.close();
    await closeProviders();
  });
}

export interface Kept extends TokenCache {
  readonly records: Map<string, { token: string; expiresAtMs: number }>;
}

export function keep(): Kept {
  const records = new Map<string, { token: string; expiresAtMs: number }>();
  return {
    records,
    get: async (key) => records.get(key),
    set: async (key, token, expiresAtMs) => void records.set(key, { token, expiresAtMs }),
  };
}

export function deps(tokens: TokenCache = keep(), clock = { nowMs: NOW_MS }): AuthorizeDeps {
  return { send: (sent) => http.send(sent, 'lane'), tokens, now: () => clock.nowMs, randomId: () => 'id-1' };
}

export interface Bank {
  readonly tokenUrl: string;
  readonly apiUrl: string;
  readonly asked: URLSearchParams[];
  readonly askedHeaders: Record<string, unknown>[];
  /** Tokens the interface answers 200 to; all, where undefined. */
  accepted: Set<string> | undefined;
  lifetime: unknown;
  calls: number;
}

/** A token endpoint that counts, and an interface that wants its tokens. */
export async function startBank(): Promise<Bank> {
  const bank: Bank = {
    tokenUrl: '',
    apiUrl: '',
    asked: [],
    askedHeaders: [],
    accepted: undefined,
    lifetime: 3600,
    calls: 0,
  };
  const { url } = await startHttp(async (message, response) => {
    const body = await bodyOf(message);
    if (message.url === '/token') {
      bank.asked.push(new URLSearchParams(body));
      bank.askedHeaders.push(message.headers);
      const refresh = new URLSearchParams(body).get('refresh_token');
      answerJson(response, {
        access_token: `t-${bank.asked.length}`,
        token_type: 'bearer',
        expires_in: bank.lifetime,
        ...(refresh !== null && { refresh_token: `${refresh}+` }),
      });
      return;
    }
    bank.calls += 1;
    const token = message.headers.authorization?.replace('Bearer ', '') ?? '';
    answerJson(
      response,
      { token, body },
      bank.accepted === undefined || bank.accepted.has(token) ? 200 : 401,
    );
  });
  return Object.assign(bank, { tokenUrl: `${url}/token`, apiUrl: `${url}/api` });
}

export const oauth2 = (tokenUrl: string, more: object = {}): HttpAuth => ({
  type: 'oauth2',
  tokenUrl,
  clientId: 'cl:ient',
  clientSecret: 'se cret',
  clientAuth: 'body',
  ...more,
});

export const tokenOf = (answer: { body: Buffer }) => JSON.parse(answer.body.toString()).token;
