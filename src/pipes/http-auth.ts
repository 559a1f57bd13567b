/** How a request shows who sends it: the `auth_*` params, and the credentials for the transport. */
import { Failure } from '../errors.ts';
import type { HttpAuth } from './contract.ts';
import { fieldsOf } from './http-fields.ts';
import { headerName, headerValue } from './http-headers.ts';
import { absoluteUrl } from './http-url.ts';
import { any, integer, map, oneOf, type ParamsOf, string } from './params.ts';

const secret = { templates: true, secret: true } as const;

/** The params of `http_request` that say who sends. */
export const AUTH_PARAMS = Object.freeze({
  auth_type: oneOf('How the request shows who sends it. Without it `auth_username` stands for basic.', [
    'basic',
    'bearer',
    'api_key',
    'oauth2',
    'jwt',
    'hmac',
  ]),
  auth_username: string('basic: the user name.', { templates: true }),
  auth_password: string('basic: the password; may be empty.', secret),
  auth_token: string('bearer: the token.', secret),
  auth_name: string('api_key: the name of the header or query parameter.', { templates: true }),
  auth_value: string('api_key: the key.', secret),
  auth_place: oneOf('api_key: where the key stands.', ['header', 'query'], { default: 'header' }),
  auth_token_url: string(
    'oauth2: where tokens are given. jwt: where the signed token is exchanged for an access token; without it the signed token itself is sent.',
    { templates: true },
  ),
  auth_client_id: string('oauth2: the client.', { templates: true }),
  auth_client_secret: string("oauth2: the client's secret.", secret),
  auth_client_auth: oneOf('oauth2: where the client shows its secret.', ['basic', 'body'], {
    default: 'basic',
  }),
  auth_scope: string('oauth2: the scopes, separated by spaces.', { templates: true }),
  auth_refresh_token: string('oauth2: uses the refresh grant instead of client credentials.', secret),
  auth_extra: map('oauth2: further members of the token request.', any('Its value.', { templates: true }), {
    templates: true,
  }),
  auth_algorithm: oneOf('jwt: RS256 (default) or ES256. hmac: sha256 (default), sha1 or sha512.', [
    'RS256',
    'ES256',
    'sha1',
    'sha256',
    'sha512',
  ]),
  auth_private_key: string('jwt: the private key, PEM in PKCS#8.', secret),
  auth_key_id: string('jwt: the id of the key.', { templates: true }),
  auth_claims: map('jwt: the claims; `iat` and `exp` are added.', any('A claim.', { templates: true }), {
    templates: true,
  }),
  auth_lifetime: integer('jwt: seconds until the token expires.', {
    default: 600,
    minimum: 1,
    maximum: 86_400,
  }),
  auth_secret: string('hmac: the secret.', secret),
  auth_header: string('hmac: the header of the signature.', { default: 'x-signature', templates: true }),
  auth_prefix: string('hmac: what stands before the signature.', { default: '', templates: true }),
  auth_encoding: oneOf('hmac: how the signature is written.', ['hex', 'base64'], { default: 'hex' }),
  auth_signed: string('hmac: what is signed, with `{method}`, `{path}`, `{timestamp}`, `{body}`.', {
    default: '{body}',
  }),
  auth_timestamp_header: string('hmac: the header that carries the time, in seconds.', { templates: true }),
});

type AuthParams = ParamsOf<typeof AUTH_PARAMS>;
type AuthType = NonNullable<AuthParams['auth_type']>;

const REQUIRED: Readonly<Record<AuthType, readonly (keyof AuthParams)[]>> = Object.freeze({
  basic: ['auth_username', 'auth_password'],
  bearer: ['auth_token'],
  api_key: ['auth_name', 'auth_value'],
  oauth2: ['auth_token_url', 'auth_client_id', 'auth_client_secret'],
  jwt: ['auth_private_key'],
  hmac: ['auth_secret'],
});

/** What the auth params as written lack. */
export function authProblems(
  params: Readonly<Record<string, unknown>>,
): readonly { pointer: string; message: string }[] {
  const type = String(params.auth_type ?? (Object.hasOwn(params, 'auth_username') ? 'basic' : undefined));
  const required = Object.hasOwn(REQUIRED, type) ? REQUIRED[type as AuthType] : undefined;
  if (required === undefined) {
    const given = Object.keys(AUTH_PARAMS).find(
      (name) => name !== 'auth_type' && Object.hasOwn(params, name),
    );
    return given === undefined || Object.hasOwn(params, 'auth_type')
      ? []
      : [
          {
            pointer: `/${given}`,
            message: `"${given}" does nothing without "auth_type"; say which kind of authorization it belongs to.`,
          },
        ];
  }
  const missing = required
    .filter((name) => !Object.hasOwn(params, name))
    .map((name) => ({ pointer: '/auth_type', message: `Authorization of type "${type}" needs "${name}".` }));
  return algorithmFits(type, params.auth_algorithm)
    ? missing
    : [
        ...missing,
        {
          pointer: '/auth_algorithm',
          message: `Authorization of type "${type}" cannot use this algorithm; ${type === 'jwt' ? 'it is RS256 or ES256' : 'it is sha1, sha256 or sha512'}.`,
        },
      ];
}

function algorithmFits(type: string, algorithm: unknown): boolean {
  if (algorithm === undefined || (type !== 'jwt' && type !== 'hmac')) return true;
  return (algorithm === 'RS256' || algorithm === 'ES256') === (type === 'jwt');
}

/**
 * The credentials of a request. Without `auth_type` a user name stands for `basic`, as in Altcraft's dialect, and
 * everything else for none. Throws PIPE_PARAMS if one is missing or empty.
 */
export function buildAuth(params: AuthParams): HttpAuth | undefined {
  const need = (name: keyof AuthParams): string => {
    const value = params[name];
    if (typeof value === 'string' && (value !== '' || name === 'auth_password')) return value;
    throw new Failure(
      'PIPE_PARAMS',
      `Authorization of type "${params.auth_type ?? 'basic'}" needs "${name}", but it is ${value === '' ? 'empty' : 'missing'}.`,
    );
  };
  switch (params.auth_type ?? (params.auth_username === undefined ? undefined : 'basic')) {
    case undefined:
      return undefined;
    case 'basic':
      return { type: 'basic', username: need('auth_username'), password: need('auth_password') };
    case 'bearer':
      return { type: 'bearer', token: headerValue('authorization', need('auth_token')) };
    case 'api_key':
      return apiKey(need('auth_name'), need('auth_value'), params.auth_place);
    case 'oauth2':
      return {
        type: 'oauth2',
        tokenUrl: absoluteUrl(need('auth_token_url'), 'auth_token_url').href,
        clientId: need('auth_client_id'),
        clientSecret: need('auth_client_secret'),
        clientAuth: params.auth_client_auth,
        ...(params.auth_scope && { scope: params.auth_scope }),
        ...(params.auth_refresh_token && { refreshToken: params.auth_refresh_token }),
        ...(params.auth_extra !== undefined && { extra: textMembers(params.auth_extra) }),
      };
    case 'jwt':
      return {
        type: 'jwt',
        algorithm: params.auth_algorithm === 'ES256' ? 'ES256' : 'RS256',
        privateKey: need('auth_private_key'),
        claims: params.auth_claims ?? {},
        lifetimeSeconds: params.auth_lifetime,
        ...(params.auth_key_id && { keyId: params.auth_key_id }),
        ...(params.auth_token_url && { tokenUrl: absoluteUrl(params.auth_token_url, 'auth_token_url').href }),
      };
    case 'hmac':
      return hmac(need('auth_secret'), params);
  }
}

function apiKey(name: string, value: string, place: 'header' | 'query'): HttpAuth {
  if (place === 'query') return { type: 'api_key', name, value, place };
  return { type: 'api_key', name: headerName(name), value: headerValue(name, value), place };
}

function hmac(secretText: string, params: AuthParams): HttpAuth {
  const { auth_algorithm: algorithm } = params;
  return {
    type: 'hmac',
    algorithm: algorithm === 'sha1' || algorithm === 'sha512' ? algorithm : 'sha256',
    secret: secretText,
    header: headerName(params.auth_header),
    prefix: headerValue(params.auth_header, params.auth_prefix),
    encoding: params.auth_encoding,
    signed: params.auth_signed,
    ...(params.auth_timestamp_header && { timestampHeader: headerName(params.auth_timestamp_header) }),
  };
}

function textMembers(values: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(fieldsOf(values));
}
