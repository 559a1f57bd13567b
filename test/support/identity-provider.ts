/** A small OpenID Connect provider on the loopback: discovery, keys, authorization, token, userinfo. It can be told to lie. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export const CLIENT_ID = 'sluiceway-tests';
export const CLIENT_SECRET = 'client:secret with/odd %characters';

/** Who is signed in there, and what it gets wrong. */
export interface Said {
  /** Claims of the ID token beside the required ones; they win. */
  claims: Record<string, unknown>;
  /** Claims that only the userinfo endpoint tells. */
  userinfo: Record<string, unknown>;
  /** Signs with a key that it does not publish. */
  wrongKey: boolean;
  /** Takes the secret of the client in the form, and says so; else in the header. */
  secretInForm: boolean;
}

export interface IdentityProvider {
  readonly issuer: string;
  readonly said: Said;
  /** Requests by path, in order. */
  readonly asked: string[];
  /** What the browser does there: answers the address to which it is sent back. */
  readonly visit: (url: string) => Promise<URL>;
  readonly close: () => Promise<void>;
}

interface Grant {
  readonly nonce: string;
  readonly challenge: string;
  readonly redirect: string;
}

/** Starts a provider on a free port. */
export async function startIdentityProvider(): Promise<IdentityProvider> {
  const [pair, other] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')]);
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  const said: Said = { claims: {}, userinfo: {}, wrongKey: false, secretInForm: false };
  const grants = new Map<string, Grant>();
  const asked: string[] = [];
  let issuer = '';

  const idToken = (nonce: string) => {
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const usual = {
      iss: issuer,
      aud: CLIENT_ID,
      sub: 'subject-1',
      iat: nowSeconds,
      exp: nowSeconds + 60,
      nonce,
    };
    return new SignJWT({ ...usual, ...said.claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(said.wrongKey ? other.privateKey : pair.privateKey);
  };
  const json = (response: ServerResponse, body: unknown, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const grant = async (request: IncomingMessage, response: ServerResponse) => {
    const form = new URLSearchParams(await text(request));
    const found = grants.get(form.get('code') ?? '');
    grants.delete(form.get('code') ?? '');
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const given = said.secretInForm
      ? [form.get('client_id'), form.get('client_secret')]
      : basicPair(request.headers.authorization);
    if (given[0] !== CLIENT_ID || given[1] !== CLIENT_SECRET) {
      return json(response, { error: 'invalid_client' }, 401);
    }
    if (found === undefined || verifier !== found.challenge || form.get('redirect_uri') !== found.redirect) {
      return json(response, { error: 'invalid_grant' }, 400);
    }
    return json(response, {
      access_token: 'access-1',
      token_type: 'Bearer',
      expires_in: 60,
      id_token: await idToken(found.nonce),
    });
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', issuer);
    asked.push(url.pathname);
    if (url.pathname === '/.well-known/openid-configuration') {
      json(response, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        userinfo_endpoint: `${issuer}/userinfo`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        ...(said.secretInForm && { token_endpoint_auth_methods_supported: ['client_secret_post'] }),
      });
    } else if (url.pathname === '/jwks') json(response, { keys: [jwk] });
    else if (url.pathname === '/token') void grant(request, response);
    else if (url.pathname === '/userinfo') {
      const isOurs = request.headers.authorization === 'Bearer access-1';
      json(
        response,
        isOurs ? { sub: 'subject-1', ...said.userinfo } : { error: 'invalid_token' },
        isOurs ? 200 : 401,
      );
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    issuer,
    said,
    asked,
    visit: async (url) => {
      const { searchParams: query, origin, pathname } = new URL(url);
      if (origin !== issuer || pathname !== '/authorize') throw new Error(`sent to the wrong place: ${url}`);
      if (query.get('client_id') !== CLIENT_ID || query.get('code_challenge_method') !== 'S256') {
        throw new Error(`not a request of ours: ${url}`);
      }
      const code = randomBytes(8).toString('hex');
      const redirect = query.get('redirect_uri') ?? '';
      grants.set(code, {
        redirect,
        nonce: query.get('nonce') ?? '',
        challenge: query.get('code_challenge') ?? '',
      });
      const back = new URL(redirect);
      // Providers add members of their own.
      const members = { code, state: query.get('state') ?? '', session_state: 'x' };
      for (const [name, value] of Object.entries(members)) back.searchParams.set(name, value);
      return back;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Both parts are form-encoded (RFC 6749, 2.3.1). */
function basicPair(header: string | undefined): readonly string[] {
  const pair = Buffer.from((header ?? '').replace(/^Basic /, ''), 'base64').toString('utf8');
  return pair.split(':').map((part) => new URLSearchParams(`v=${part}`).get('v') ?? '');
}
