/** Names of headers, in lower case, whose values prove who somebody is: hidden in trails, and no text for a document. */
export const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'api-key',
  'apikey',
  'x-api-key',
  'x-api-token',
  'x-access-token',
  'x-auth-token',
]);
