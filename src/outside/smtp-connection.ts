/** One connection to a mail server, logged in, on a guarded socket; it sends one message after the other. */
import { Readable } from 'node:stream';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { AddressGuard } from './address-guard.ts';
import type { Pooled } from './connection-pool.ts';
import { connectWithin } from './guarded-socket.ts';
import type { SmtpTarget } from './smtp-target.ts';

export interface SmtpTimes {
  readonly connectMs: number;
  /** Without a byte from the server. Servers may think long about a whole message (RFC 5321, 4.5.3.2). */
  readonly silenceMs: number;
}

export interface Envelope {
  readonly from: string;
  readonly to: string;
}

export type Sent =
  | { readonly reply: string; readonly serverMessageId: string | undefined }
  /** `written`: all of the message had left. */
  | { readonly error: unknown; readonly written: boolean };

export interface SmtpConnection extends Pooled {
  readonly send: (envelope: Envelope, message: Buffer) => Promise<Sent>;
}

/** Mail servers close connections that carry too many messages; we come first. */
const MOST_MESSAGES = 100;
const PIECE_BYTES = 65_536;

/** Connects, encrypts and logs in. Throws ADDRESS_FORBIDDEN and nodemailer's errors. */
export async function openSmtp(
  target: SmtpTarget,
  guard: AddressGuard,
  times: SmtpTimes,
  trustedCertificates: readonly string[] | undefined,
): Promise<SmtpConnection> {
  const { host, port, secure, user, password } = target;
  const socket = await connectWithin(host, port, guard, times.connectMs);
  const connection = new SMTPConnection({
    host,
    port,
    connection: socket,
    secure: secure === 'tls',
    requireTLS: secure === 'starttls',
    ignoreTLS: secure === 'none',
    connectionTimeout: times.connectMs,
    greetingTimeout: times.connectMs,
    socketTimeout: times.silenceMs,
    ...(trustedCertificates !== undefined && { tls: { ca: [...trustedCertificates] } }),
  });
  let alive = true;
  let sent = 0;
  connection.on('end', () => {
    alive = false;
  });
  const failed = new Promise<never>((_, reject) => {
    connection.on('error', (error: Error) => {
      alive = false;
      reject(error);
    });
  });
  failed.catch(() => {});
  const settled = <T>(start: (done: (error?: Error | null, result?: T) => void) => void): Promise<T> =>
    Promise.race([
      failed,
      new Promise<T>((resolve, reject) => {
        start((error, result) => (error ? reject(error) : resolve(result as T)));
      }),
    ]);
  try {
    await settled((done) => connection.connect(done));
    if (user !== '') await settled((done) => connection.login({ user, pass: password }, done));
  } catch (thrown) {
    connection.close();
    throw thrown;
  }

  const send = (envelope: Envelope, message: Buffer): Promise<Sent> => {
    sent += 1;
    return new Promise((resolve) => {
      let written = false;
      // In pieces, so that its end is read only when the socket has taken what comes before.
      const body = Readable.from(piecesOf(message), { highWaterMark: 1 });
      body.once('end', () => {
        written = true;
      });
      connection.send({ ...envelope, size: message.byteLength }, body, (error, result) => {
        if (error) resolve({ error, written });
        else resolve({ reply: result.response, serverMessageId: result.serverMessageId });
      });
    });
  };

  /** After a refusal the session is clean again, or it ends. */
  const reset = (): Promise<void> =>
    new Promise((resolve) => {
      const end = () => {
        alive = false;
        connection.close();
        resolve();
      };
      connection.once('end', resolve);
      connection.reset((error) => (error ? end() : resolve()));
    });

  return Object.freeze<SmtpConnection>({
    alive: () => alive && sent < MOST_MESSAGES,
    send: async (envelope, message) => {
      const outcome = await send(envelope, message);
      if ('error' in outcome && alive) await reset();
      return outcome;
    },
    close: async () => {
      if (alive) connection.quit();
      alive = false;
      connection.close();
    },
  });
}

function* piecesOf(message: Buffer): Generator<Buffer> {
  for (let at = 0; at < message.byteLength; at += PIECE_BYTES) yield message.subarray(at, at + PIECE_BYTES);
}
