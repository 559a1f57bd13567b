/**
 * A push service and a browser in a process of its own: it checks the VAPID signature and decrypts what it gets, both
 * with Node's own cryptography, after RFC 8291, 8188 and 8292. The last part of the path says what it answers.
 * Prints its port twice; `GET /log` tells what it saw and with which keys the browser subscribed.
 */
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, verify } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

const browser = createECDH('prime256v1');
const p256dh = browser.generateKeys();
const auth = Buffer.alloc(16, 7);

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly payload: unknown;
  /** The claims of the token, where its signature is good. */
  readonly claims: unknown;
}

const received: Received[] = [];
const tries = new Map<string, number>();

function decrypt(body: Buffer): unknown {
  const salt = body.subarray(0, 16);
  const keyLength = body.readUInt8(20);
  const senderKey = body.subarray(21, 21 + keyLength);
  const record = body.subarray(21 + keyLength);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), p256dh, senderKey]);
  const secret = Buffer.from(hkdfSync('sha256', browser.computeSecret(senderKey), auth, info, 32));
  const key = Buffer.from(hkdfSync('sha256', secret, salt, 'Content-Encoding: aes128gcm\0', 16));
  const nonce = Buffer.from(hkdfSync('sha256', secret, salt, 'Content-Encoding: nonce\0', 12));
  const decipher = createDecipheriv('aes-128-gcm', key, nonce);
  decipher.setAuthTag(record.subarray(-16));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  return JSON.parse(padded.subarray(0, padded.lastIndexOf(2)).toString('utf8'));
}

function claimsOf(authorization = ''): unknown {
  const { t = '', k = '' } = /^vapid t=(?<t>[^,]+), ?k=(?<k>.+)$/.exec(authorization)?.groups ?? {};
  const [head = '', claims = '', signature = ''] = t.split('.');
  const point = Buffer.from(k, 'base64url');
  const x = point.subarray(1, 33).toString('base64url');
  const y = point.subarray(33).toString('base64url');
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  const good = verify(
    'sha256',
    Buffer.from(`${head}.${claims}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  return good ? JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) : null;
}

const server = createServer(async (request, response) => {
  const path = request.url ?? '';
  if (path === '/log') {
    const keys = { p256dh: p256dh.toString('base64url'), auth: auth.toString('base64url') };
    response.end(JSON.stringify({ received, keys }));
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { headers } = request;
  received.push({
    path,
    headers,
    payload: decrypt(Buffer.concat(chunks)),
    claims: claimsOf(headers.authorization),
  });
  const count = (tries.get(path) ?? 0) + 1;
  tries.set(path, count);
  const name = path.split('/').at(-1) ?? '';
  if (name === 'silent') {
    request.socket.destroy();
    return;
  }
  if (name === 'busy' && count === 1) {
    response.writeHead(429, { 'retry-after': '1' }).end('slow down');
    return;
  }
  const status = Number(/^\d{3}$/.exec(name)?.[0] ?? 201);
  response.writeHead(status, status === 201 ? { location: `/m/${received.length}` } : {}).end('as you asked');
});

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${port} ${port}\n`);
});
process.on('disconnect', () => process.exit());
