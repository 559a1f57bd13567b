/** Callers who hang up, wherever they are in their request: it is theirs to do, and no error of the engine or its database. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeEmbedded } from '../support/embedded-image.ts';
import { type Engine, startEngine, TOKEN } from '../support/engine.ts';

let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-hang-up-'));
  await makeEmbedded(join(folder, 'database'));
  engine = await startEngine({ SLUICEWAY_DATA: folder, SLUICEWAY_LOG_LEVEL: 'warn' });
});

afterAll(async () => {
  await engine.end('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const head = (request: string, ...headers: string[]) =>
  [
    `${request} HTTP/1.1`,
    'Host: sluiceway',
    `Authorization: Bearer ${TOKEN}`,
    'Idempotency-Key: hung-up',
    ...headers,
    '\r\n',
  ].join('\r\n');
const JSON_TYPE = 'Content-Type: application/json';
const CHUNKED = 'Transfer-Encoding: chunked';

/** Sends these bytes and cuts the connection once the engine has them, or at once. */
async function sendAndHangUp(bytes: string, how: 'reset' | 'end' | 'at once'): Promise<void> {
  const { port, hostname } = new URL(engine.url);
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(bytes, async () => {
        // A later request is answered, so the engine has begun with this one.
        if (how !== 'at once') await engine.api.get('/me');
        if (how === 'end') socket.destroy();
        else socket.resetAndDestroy();
      });
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve());
  });
}

describe('a caller who hangs up', () => {
  it.each([
    ['in a body of a said length', `${head('POST /api/v1/messages', JSON_TYPE, 'Content-Length: 99')}{"a":`],
    ['in a body in chunks', `${head('POST /api/v1/messages', JSON_TYPE, CHUNKED)}5\r\n{"a":\r\n`],
    ['before a body', head('POST /api/v1/profiles', JSON_TYPE, 'Content-Length: 99')],
    ['in a report of a provider', `${head('POST /fbp/v1/example_sms/1', 'Content-Length: 99')}{"a":`],
    ['in a report in chunks', `${head('POST /fbp/v1/example_sms/1', CHUNKED)}5\r\n{"a":\r\n`],
    [
      'in an import',
      `${head('POST /api/v1/profiles/import', 'Content-Type: application/x-ndjson', CHUNKED)}5\r\n{"a":\r\n`,
    ],
    ['in a call that nothing answers', `${head('POST /nothing', 'Content-Length: 99')}{"a":`],
    ['in its head', 'POST /api/v1/messages HTTP/1.1\r\nHost: slu'],
    ['before the answer of a read', head('GET /api/v1/channels')],
    ['before the answer of a write', `${head('POST /api/v1/profiles', JSON_TYPE, 'Content-Length: 2')}{}`],
  ])('%s: nothing is logged but what was before', async (_, bytes) => {
    const logged = engine.printed() + engine.errors();
    for (const how of ['reset', 'end', 'at once'] as const) await sendAndHangUp(bytes, how);
    // By the time of these answers the engine has noticed each end.
    for (let calls = 0; calls < 3; calls += 1) await engine.api.get('/me');
    expect(engine.printed() + engine.errors()).toBe(logged);
  });
});
