/** A request as a golden test shows it: its body in the form that its content type names. */
import { isObject, setOwn } from '../json.ts';
import type { HttpRequest } from '../pipes/contract.ts';
import { parseXml } from '../pipes/xml.ts';

export interface ShownRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly xml?: unknown;
  readonly form?: unknown;
  readonly text?: string;
}

/** Shows a sent request. */
export async function showRequest(request: HttpRequest): Promise<ShownRequest> {
  const type = request.headers['content-type'] ?? '';
  // The boundary of a multipart body is drawn again for each request.
  const headers = {
    ...request.headers,
    ...(type.startsWith('multipart/') && { 'content-type': 'multipart/form-data' }),
  };
  const shown = { method: request.method, url: request.url, headers };
  const { body } = request;
  return body === undefined || body.byteLength === 0 ? shown : { ...shown, ...(await showBody(type, body)) };
}

async function showBody(type: string, body: Uint8Array): Promise<Partial<ShownRequest>> {
  const text = Buffer.from(body).toString('utf8');
  try {
    if (/^application\/(.*\+)?json\b/.test(type)) return { json: JSON.parse(text) };
    if (/^(application|text)\/(.*\+)?xml\b/.test(type)) return { xml: parseXml(text) };
    if (type.startsWith('application/x-www-form-urlencoded')) {
      return { form: formObject([...new URLSearchParams(text)]) };
    }
    if (type.startsWith('multipart/form-data')) return { form: await multipartObject(type, body) };
  } catch {
    // What is not what its type says is shown as it is.
  }
  return { text };
}

async function multipartObject(type: string, body: Uint8Array): Promise<unknown> {
  const form = await new Response(Buffer.from(body), { headers: { 'content-type': type } }).formData();
  return formObject(
    [...form].map(([field, value]): [string, unknown] => [
      field,
      typeof value === 'string' ? value : { name: value.name, type: value.type, size: value.size },
    ]),
  );
}

/** Names that stand several times become arrays. */
function formObject(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [field, value] of entries) {
    const before = Object.hasOwn(result, field) ? result[field] : undefined;
    const both = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
    setOwn(result, field, both);
  }
  return result;
}

/** Any value of a run as JSON: bytes as text, what is not there left out. */
export function showValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map((each) => showValue(each) ?? null);
  if (!isObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const shown = showValue(member);
    if (shown !== undefined) setOwn(result, key, shown);
  }
  return result;
}
