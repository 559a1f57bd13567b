/** Attachments of an email, fetched from their addresses through the guarded client when it is sent. */
import { Failure } from '../errors.ts';
import { isObject } from '../json.ts';
import type { HttpAnswer, HttpRequest } from '../pipes/contract.ts';
import { textOf } from './module-values.ts';
import type { Attachment } from './smtp-message.ts';

const MAX_BYTES = 10 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/** Fetches the files of a `file` value. Throws what the client throws, never as if the email itself had been sent. */
export async function fetchAttachments(
  value: unknown,
  fetch: (request: HttpRequest) => Promise<HttpAnswer>,
): Promise<readonly Attachment[]> {
  const files = Array.isArray(value) ? value.filter(isObject) : [];
  const attachments: Attachment[] = [];
  let left = MAX_BYTES;
  for (const file of files) {
    const filename = textOf(file, 'name', 'attachment');
    const { body } = await fetchOne(textOf(file, 'url'), filename, left, fetch);
    left -= body.byteLength;
    attachments.push({ filename, contentType: textOf(file, 'type') || undefined, content: body });
  }
  return attachments;
}

async function fetchOne(
  url: string,
  filename: string,
  maxResponseBytes: number,
  fetch: (request: HttpRequest) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  let answer: HttpAnswer;
  try {
    answer = await fetch({
      method: 'GET',
      url,
      headers: {},
      timeoutMs: TIMEOUT_MS,
      maxResponseBytes,
      redirects: 3,
    });
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const message = `The attachment "${filename}" could not be fetched: ${thrown.message}`;
    throw new Failure(thrown.code, message, { ...thrown.details, ambiguous: false });
  }
  const { status } = answer;
  if (status >= 200 && status < 300) return answer;
  throw new Failure(
    'HTTP_STATUS',
    `The attachment "${filename}" could not be fetched: its address answers with status ${status}.`,
    { statusCode: status, kind: status >= 500 || status === 429 ? 'temporary' : 'client' },
  );
}
