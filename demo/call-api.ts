/** The engine's API for the demo: JSON in, JSON out, failures as sentences. */

// biome-ignore lint/suspicious/noExplicitAny: answers of another process, read by name
type Answer = any;

export interface Api {
  readonly get: (path: string) => Promise<Answer>;
  readonly post: (path: string, body?: unknown) => Promise<Answer>;
  readonly postText: (path: string, contentType: string, body: string) => Promise<Answer>;
}

/** Calls the API below `url`; throws an Error with the problem's sentence. */
export function callApi(url: string, token: string): Api {
  const call = async (method: string, path: string, contentType?: string, body?: string): Promise<Answer> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(contentType !== undefined && { 'content-type': contentType }),
      },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    const answer = text === '' ? undefined : JSON.parse(text);
    if (!response.ok) {
      throw new Error(
        `${method} ${path}: ${response.status} ${answer?.detail} ${JSON.stringify(answer?.problems)}`,
      );
    }
    return answer;
  };
  return {
    get: (path) => call('GET', path),
    post: (path, body) =>
      body === undefined ? call('POST', path) : call('POST', path, 'application/json', JSON.stringify(body)),
    postText: (path, contentType, body) => call('POST', path, contentType, body),
  };
}
