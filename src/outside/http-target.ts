/** The parts of a URL that a request needs. */
import { Failure } from '../errors.ts';
import { createMemo } from '../memo.ts';

export interface Target {
  /** Scheme, host and port: what a pool of connections is for. */
  readonly origin: string;
  readonly hostname: string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
  readonly secure: boolean;
}

/** Takes a URL apart, all notations of a host made one by the URL standard. Throws HTTP_URL_INVALID. */
export const parseTarget: (text: string) => Target = createMemo(takeApart);

function takeApart(text: string): Target {
  if (!URL.canParse(text)) {
    throw invalid('is not a valid URL; write it in full, as in https://api.example.com/v1/messages');
  }
  const url = new URL(text);
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:') {
    throw invalid(`starts with "${url.protocol}"; only https: and http: can be requested`);
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid(`holds a user name or password for ${url.hostname}; give them as auth_type basic instead`);
  }
  return Object.freeze<Target>({
    origin: url.origin,
    hostname: url.hostname,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    secure,
  });
}

function invalid(what: string): Failure {
  return new Failure('HTTP_URL_INVALID', `The address of the request ${what}.`, { statusCode: 0 });
}
