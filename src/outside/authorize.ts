/** Shows the provider who sends (format, section 7, `auth_type`), then sends. */
import { hash } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { HttpAnswer, HttpAuth, HttpRequest } from '../pipes/contract.ts';
import { withApiKey, withBasic, withBearer, withHmac } from './auth-request.ts';
import { exchangeToken, grantToken, type Send, signToken, type Token } from './token-grant.ts';
import { createTokenSource, type TokenCache, type TokenSource } from './token-source.ts';

export type { TokenCache } from './token-source.ts';

export interface AuthorizeDeps {
  /** Sends the request itself and, with no `auth`, the requests to token endpoints. */
  readonly send: Send;
  /** Shared between processes. Give the same object each time: what is known in this process hangs on it. */
  readonly tokens: TokenCache;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomId: () => string;
}

type TokenAuth = Extract<HttpAuth, { readonly type: 'oauth2' | 'jwt' }>;

const REFRESH_TOKEN_KEPT_MS = 365 * 86_400_000;

/** Kept apart: a token that is only signed costs less to sign again than to share. */
interface Sources {
  readonly shared: TokenSource;
  readonly local: TokenSource;
}

const sourcesOf = new WeakMap<TokenCache, Sources>();

/**
 * Sends a request with its `auth` applied. Throws what `send` throws, PIPE_PARAMS for credentials that cannot be used, and
 * AUTH_FAILED if a token endpoint refuses (`kind` client, rate_limited or server). Whatever goes wrong before the request
 * itself is sent is never ambiguous. A 401 is answered once with a new token.
 */
export function authorize(request: HttpRequest, deps: AuthorizeDeps): Promise<HttpAnswer> {
  const { auth } = request;
  try {
    switch (auth?.type) {
      case undefined:
        return deps.send(request);
      case 'basic':
        return deps.send(withBasic(request, auth));
      case 'bearer':
        return deps.send(withBearer(request, auth.token));
      case 'api_key':
        return deps.send(withApiKey(request, auth));
      case 'hmac':
        return deps.send(withHmac(request, auth, deps.now()));
      case 'oauth2':
      case 'jwt':
        return withToken(request, auth, deps);
    }
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}

async function withToken(request: HttpRequest, auth: TokenAuth, deps: AuthorizeDeps): Promise<HttpAnswer> {
  const startMs = deps.now();
  const { shared, local } = sources(deps);
  const key = tokenKey(auth);
  const source = auth.type === 'jwt' && auth.tokenUrl === undefined ? local : shared;
  const obtain = () => obtainToken(request, auth, key, deps);
  const take = (refused?: string) => source.take(key, obtain, refused).catch(beforeSending);
  const sendWith = (token: string) => {
    const leftMs = request.timeoutMs - (deps.now() - startMs);
    if (leftMs <= 0) throw tooLate(request.timeoutMs);
    return deps.send({ ...withBearer(request, token), timeoutMs: leftMs });
  };
  const token = await take();
  const answer = await sendWith(token);
  return answer.status === 401 ? sendWith(await take(token)) : answer;
}

async function obtainToken(
  request: HttpRequest,
  auth: TokenAuth,
  key: string,
  deps: AuthorizeDeps,
): Promise<Token> {
  const { send, tokens, now } = deps;
  if (auth.type === 'jwt') {
    const signed = await signToken(auth, now(), deps.randomId());
    return auth.tokenUrl === undefined
      ? signed
      : exchangeToken(request, auth, auth.tokenUrl, signed.token, send, now);
  }
  if (auth.refreshToken === undefined) return grantToken(request, auth, undefined, send, now);
  const rotated = await tokens.get(`${key}:refresh`);
  const current = rotated?.token ?? auth.refreshToken;
  const granted = await grantToken(request, auth, current, send, now);
  if (granted.refreshToken !== undefined && granted.refreshToken !== current) {
    await tokens.set(`${key}:refresh`, granted.refreshToken, now() + REFRESH_TOKEN_KEPT_MS);
  }
  return granted;
}

function sources({ tokens, now }: AuthorizeDeps): Sources {
  const found = sourcesOf.get(tokens);
  if (found !== undefined) return found;
  const made = { shared: createTokenSource(tokens, now), local: createTokenSource(undefined, now) };
  sourcesOf.set(tokens, made);
  return made;
}

/** Names the credentials without holding them. */
function tokenKey(auth: TokenAuth): string {
  return `${auth.type}:${hash('sha256', JSON.stringify(auth), 'hex')}`;
}

/** The request itself was not sent yet, so its failure leaves no doubt; nor do answers of the token endpoint belong to it. */
function beforeSending(thrown: unknown): never {
  if (!(thrown instanceof Failure)) throw thrown;
  const { add: _add, ...details } = thrown.details;
  throw new Failure(thrown.code, thrown.message, { ...details, ambiguous: false });
}

function tooLate(timeoutMs: number): Failure {
  return new Failure(
    'HTTP_TIMEOUT',
    `The ${timeoutMs / 1000} s for the request were over before it was sent, because getting a token took so long.`,
    { kind: 'timeout', statusCode: 0, ambiguous: false },
  );
}
