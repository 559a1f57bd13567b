/** Gets tokens: signs them, or asks a token endpoint (RFC 6749 client credentials and refresh, RFC 7523 JWT bearer). */
import { importPKCS8, SignJWT } from 'jose';
import { Failure } from '../errors.ts';
import { own } from '../json.ts';
import type { HttpAnswer, HttpAuth, HttpRequest } from '../pipes/contract.ts';

export interface Token {
  readonly token: string;
  readonly expiresAtMs: number;
}

export interface Granted extends Token {
  /** The endpoint replaced the refresh token; the old one may be void. */
  readonly refreshToken?: string;
}

export type Send = (request: HttpRequest) => Promise<HttpAnswer>;

type JwtAuth = Extract<HttpAuth, { readonly type: 'jwt' }>;
type OAuth2Auth = Extract<HttpAuth, { readonly type: 'oauth2' }>;

/** Where the endpoint does not say how long a token lives (RFC 6749, 5.1: it should). */
const UNSAID_LIFETIME_SECONDS = 300;
const ANSWER_BYTES = 262_144;
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Signs a token with the given claims, `iat`, `exp` and, unless given, `jti` and (for an exchange) `aud`. Throws PIPE_PARAMS. */
export async function signToken(auth: JwtAuth, nowMs: number, id: string): Promise<Token> {
  const { algorithm, lifetimeSeconds } = auth;
  const issuedAt = Math.floor(nowMs / 1000);
  const audience = auth.tokenUrl === undefined ? {} : { aud: auth.tokenUrl };
  const claims = { jti: id, ...audience, ...auth.claims, iat: issuedAt, exp: issuedAt + lifetimeSeconds };
  try {
    const key = await importPKCS8(auth.privateKey, algorithm);
    const header = { alg: algorithm, typ: 'JWT', ...(auth.keyId !== undefined && { kid: auth.keyId }) };
    const token = await new SignJWT(claims).setProtectedHeader(header).sign(key);
    return { token, expiresAtMs: (issuedAt + lifetimeSeconds) * 1000 };
  } catch (thrown) {
    // The reason is kept for nobody: what a parser says about a key may quote the key.
    if (!(thrown instanceof Error)) throw thrown;
    const kind = algorithm === 'RS256' ? 'an RSA key of at least 2048 bits' : 'a key on the curve P-256';
    throw new Failure(
      'PIPE_PARAMS',
      `The token of auth_type jwt cannot be signed with ${algorithm}: auth_private_key must be ${kind} as PEM in PKCS#8 (-----BEGIN PRIVATE KEY-----), and the claims must be JSON.`,
    );
  }
}

/** Exchanges a signed token for an access token. Throws AUTH_FAILED and what `send` throws. */
export function exchangeToken(
  request: HttpRequest,
  auth: JwtAuth,
  tokenUrl: string,
  signed: string,
  send: Send,
  nowMs: () => number,
): Promise<Granted> {
  const form = new URLSearchParams({ grant_type: JWT_BEARER, assertion: signed });
  return ask(request, tokenUrl, form, {}, [signed, auth.privateKey], send, nowMs);
}

/** Client credentials, or the refresh grant where there is a refresh token. Throws AUTH_FAILED and what `send` throws. */
export function grantToken(
  request: HttpRequest,
  auth: OAuth2Auth,
  refreshToken: string | undefined,
  send: Send,
  nowMs: () => number,
): Promise<Granted> {
  const form = new URLSearchParams({ ...auth.extra });
  form.set('grant_type', refreshToken === undefined ? 'client_credentials' : 'refresh_token');
  if (refreshToken !== undefined) form.set('refresh_token', refreshToken);
  if (auth.scope !== undefined) form.set('scope', auth.scope);
  const headers: Record<string, string> = {};
  if (auth.clientAuth === 'basic') {
    // RFC 6749, 2.3.1: both are form-encoded first.
    const pair = `${formEncode(auth.clientId)}:${formEncode(auth.clientSecret)}`;
    headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  } else {
    form.set('client_id', auth.clientId);
    form.set('client_secret', auth.clientSecret);
  }
  const secrets = [
    auth.clientSecret,
    ...(refreshToken === undefined ? [] : [refreshToken]),
    ...Object.values(auth.extra ?? {}),
  ];
  return ask(request, auth.tokenUrl, form, headers, secrets, send, nowMs);
}

async function ask(
  request: HttpRequest,
  tokenUrl: string,
  form: URLSearchParams,
  headers: Readonly<Record<string, string>>,
  secrets: readonly string[],
  send: Send,
  nowMs: () => number,
): Promise<Granted> {
  const askedMs = nowMs();
  const answer = await send({
    method: 'POST',
    url: tokenUrl,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: Buffer.from(form.toString()),
    timeoutMs: request.timeoutMs,
    maxResponseBytes: ANSWER_BYTES,
    redirects: 0,
  });
  const said = parse(answer.body);
  const token = own(said, 'access_token');
  if (answer.status < 200 || answer.status > 299 || typeof token !== 'string' || token === '') {
    throw refused(tokenUrl, answer, said, secrets);
  }
  const lifetime = Number(own(said, 'expires_in') ?? UNSAID_LIFETIME_SECONDS);
  const seconds = Number.isFinite(lifetime) && lifetime > 0 ? lifetime : UNSAID_LIFETIME_SECONDS;
  const refreshToken = own(said, 'refresh_token');
  return {
    token,
    expiresAtMs: askedMs + seconds * 1000,
    ...(typeof refreshToken === 'string' && refreshToken !== '' && { refreshToken }),
  };
}

function refused(tokenUrl: string, answer: HttpAnswer, said: unknown, secrets: readonly string[]): Failure {
  const { status } = answer;
  const host = URL.canParse(tokenUrl) ? new URL(tokenUrl).hostname : 'the token endpoint';
  const details = ['error', 'error_description']
    .map((name) => own(said, name))
    .filter((text) => typeof text === 'string' && text !== '')
    .join(': ');
  const reason = details === '' ? '' : ` (${mask(details, secrets).slice(0, 300)})`;
  if (status >= 200 && status <= 299) {
    return new Failure(
      'AUTH_FAILED',
      `${host} answered the token request without an access_token${reason}.`,
      { kind: 'server', statusCode: status },
    );
  }
  const kind = status === 429 ? 'rate_limited' : status >= 400 && status < 500 ? 'client' : 'server';
  const advice = kind === 'client' ? ' Check the credentials, the scope and the token address.' : '';
  const wait = Number(answer.headers['retry-after']);
  return new Failure('AUTH_FAILED', `${host} refused to give a token: status ${status}${reason}.${advice}`, {
    kind,
    statusCode: status,
    ...(Number.isFinite(wait) && wait > 0 && { retryAfterMs: wait * 1000 }),
  });
}

function mask(text: string, secrets: readonly string[]): string {
  let masked = text;
  for (const secret of secrets) if (secret !== '') masked = masked.replaceAll(secret, '***');
  return masked;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function formEncode(text: string): string {
  return new URLSearchParams({ v: text }).toString().slice(2);
}
