/** An identity provider over OpenID Connect: code flow with PKCE, state and nonce; its requests leave like all others. */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  type CustomFetch,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { Failure } from '../errors.ts';
import { own } from '../json.ts';
import type { HttpAnswer, HttpRequest } from '../pipes/contract.ts';

export interface OidcOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Where the provider sends the browser back to. */
  readonly redirect: string;
  readonly send: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly now: () => number;
}

/** What must come back unchanged, and what only we know. */
export interface OidcAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Who the provider says it is. */
export interface OidcIdentity {
  readonly email: string | undefined;
  readonly emailVerified: boolean;
  readonly name: string | undefined;
}

export interface Oidc {
  /** An attempt to sign in, and where to send the browser. Throws AUTH_FAILED and what requests throw. */
  readonly begin: () => Promise<OidcAttempt & { readonly url: string }>;
  /** Exchanges the code in the query that the browser brought. Throws SIGN_IN_REFUSED, AUTH_FAILED and what requests throw. */
  readonly finish: (search: string, attempt: OidcAttempt) => Promise<OidcIdentity>;
}

const SCOPE = 'openid email profile';
const TIMEOUT_MS = 10_000;
const ANSWER_BYTES = 1_048_576;
/** What the provider says about itself is asked again after so long. */
const FRESH_MS = 3_600_000;

/** One provider; nothing is asked before the first sign-in. */
export function createOidc(options: OidcOptions): Oidc {
  const { issuer, clientId, clientSecret, redirect, now } = options;
  let known: { readonly atMs: number; readonly configuration: Promise<Configuration> } | undefined;

  const configured = (): Promise<Configuration> => {
    if (known !== undefined && now() - known.atMs < FRESH_MS) return known.configuration;
    const authentication = clientSecret === undefined ? None() : withSecret(clientSecret);
    const insecure = issuer.startsWith('http:') ? [allowInsecureRequests] : [];
    const configuration = discovery(new URL(issuer), clientId, undefined, authentication, {
      execute: [...insecure, enableNonRepudiationChecks],
      [customFetch]: fetchBy(options.send),
      timeout: TIMEOUT_MS / 1_000,
    });
    const asked = { atMs: now(), configuration };
    known = asked;
    configuration.catch(() => {
      if (known === asked) known = undefined;
    });
    return configuration;
  };

  return Object.freeze<Oidc>({
    begin: async () => {
      try {
        const configuration = await configured();
        const attempt = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
        const url = buildAuthorizationUrl(configuration, {
          redirect_uri: redirect,
          scope: SCOPE,
          state: attempt.state,
          nonce: attempt.nonce,
          code_challenge: await calculatePKCECodeChallenge(attempt.verifier),
          code_challenge_method: 'S256',
        });
        return { ...attempt, url: url.href };
      } catch (thrown) {
        throw unreadable(thrown);
      }
    },
    finish: async (search, attempt) => {
      const configuration = await configured().catch((thrown: unknown) => {
        throw unreadable(thrown);
      });
      try {
        const granted = await authorizationCodeGrant(configuration, new URL(search, redirect), {
          expectedState: attempt.state,
          expectedNonce: attempt.nonce,
          pkceCodeVerifier: attempt.verifier,
          idTokenExpected: true,
        });
        const claims = granted.claims();
        // Some providers say more than the subject only when they are asked for it.
        const said =
          claims !== undefined && own(claims, 'email') === undefined
            ? await fetchUserInfo(configuration, granted.access_token, claims.sub)
            : claims;
        return {
          email: textIn(said, 'email'),
          emailVerified: own(said, 'email_verified') === true,
          name: textIn(said, 'name'),
        };
      } catch (thrown) {
        throw refused(thrown);
      }
    },
  });
}

/** In the form where the provider takes it there, since not all decode what the header encodes; else in the header. */
function withSecret(secret: string): ClientAuth {
  const [inForm, inHeader] = [ClientSecretPost(secret), ClientSecretBasic(secret)];
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? [];
    const chosen = methods.includes('client_secret_post') ? inForm : inHeader;
    return chosen(server, client, body, headers);
  };
}

/** The library's `fetch`, over the guarded client. */
function fetchBy(send: OidcOptions['send']): CustomFetch {
  return async (url, { method, headers, body }) => {
    const bytes = body === undefined || body === null ? undefined : Buffer.from(String(body));
    const answer = await send({
      method,
      url,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      ...(bytes !== undefined && { body: bytes }),
      timeoutMs: TIMEOUT_MS,
      maxResponseBytes: ANSWER_BYTES,
      redirects: 0,
    });
    const isEmpty = answer.status === 204 || answer.status === 304;
    // It was unpacked on the way.
    const { 'content-encoding': _, 'content-length': __, ...rest } = answer.headers;
    return new Response(isEmpty ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: rest,
    });
  };
}

function textIn(value: unknown, name: string): string | undefined {
  const text = own(value, name);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** A failure of ours that the library wrapped, if there is one. */
function ours(thrown: unknown): Failure | undefined {
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Failure) return cause;
  }
  return undefined;
}

function unreadable(thrown: unknown): Failure {
  return (
    ours(thrown) ??
    new Failure(
      'AUTH_FAILED',
      `The identity provider does not describe itself as it should (${reasonOf(thrown)}). Compare SLUICEWAY_OIDC_ISSUER with the issuer in its /.well-known/openid-configuration.`,
      { cause: thrown },
    )
  );
}

function refused(thrown: unknown): Failure {
  return (
    ours(thrown) ??
    new Failure(
      'SIGN_IN_REFUSED',
      `The identity provider did not confirm this sign-in (${reasonOf(thrown)}). Begin again at /api/v1/sessions/oidc.`,
      { cause: thrown },
    )
  );
}

/** The library's own words and a standard error code; what else came from outside is left out. */
function reasonOf(thrown: unknown): string {
  const code = own(thrown, 'error');
  const text = thrown instanceof Error ? thrown.message : 'no reason given';
  return typeof code === 'string' && /^[\w.-]{1,64}$/.test(code) ? `${text}: ${code}` : text;
}
