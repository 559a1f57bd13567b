import type { Listener, Verification } from '../../../src/channel/document.ts';
import { compileListener } from '../../../src/flows/listener/compile-listener.ts';
import { type RawRequest, readRequest } from '../../../src/flows/listener/read-request.ts';
import type { RequestIn } from '../../../src/flows/listener/request-in.ts';

export const NOW_SECONDS = 1_700_000_000;
export const NOW_MS = NOW_SECONDS * 1000;

/** What a provider sends, with everything left out that a test does not care about. */
export interface Sent {
  readonly method?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly url?: string;
}

export function request(sent: Sent): RequestIn {
  const raw: RawRequest = {
    method: sent.method ?? 'POST',
    path: '',
    query: sent.query ?? '',
    headers: Object.entries(sent.headers ?? {}),
    body: Buffer.from(sent.body ?? ''),
    ...(sent.url === undefined ? {} : { url: sent.url }),
  };
  return readRequest(raw);
}

/** Verifies one request; the secret is `$sender.secret` unless the verification says otherwise. */
export function verify(
  verification: Verification,
  sent: Sent,
  sender: Readonly<Record<string, unknown>> | undefined,
  nowMs: number = NOW_MS,
) {
  const listener: Listener = { verify: { secrets: ['$sender.secret'], ...verification } };
  return compileListener(listener).verify(request(sent), sender === undefined ? {} : { sender }, nowMs);
}
