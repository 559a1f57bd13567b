/** The code module `smtp`: sends the emails of the built-in channel Email, over a pool of connections for each sender. */
import { hash } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { HttpAnswer, HttpRequest, ModuleAnswer, ModuleRequest } from '../pipes/contract.ts';
import type { AddressGuard } from './address-guard.ts';
import { type ConnectionPool, createConnectionPool } from './connection-pool.ts';
import { quoted } from './module-values.ts';
import { fetchAttachments } from './smtp-attachments.ts';
import { openSmtp, type SmtpConnection, type SmtpTimes } from './smtp-connection.ts';
import { composeEmail } from './smtp-message.ts';
import { type SmtpTarget, smtpTarget } from './smtp-target.ts';
import { smtpVerdict } from './smtp-verdict.ts';

export interface SmtpOptions {
  readonly guard: AddressGuard;
  /** Fetches attachments. */
  readonly fetch: (request: HttpRequest) => Promise<HttpAnswer>;
  /** Milliseconds since 1970, for the Date header. */
  readonly now: () => number;
  readonly times?: Partial<SmtpTimes>;
  /** PEM certificates to trust instead of the system's. */
  readonly trustedCertificates?: readonly string[];
}

export interface Smtp {
  /**
   * Sends one email. Throws GATEWAY_REFUSED, GATEWAY_UNREACHABLE, GATEWAY_TIMEOUT (`ambiguous` where the whole message was
   * sent), AUTH_FAILED, ADDRESS_FORBIDDEN, SHUTDOWN, and what fetching an attachment throws.
   */
  readonly send: (request: ModuleRequest) => Promise<ModuleAnswer>;
  /** Ends all connections. */
  readonly close: () => Promise<void>;
}

const IDLE_MS = 30_000;
/** How long a message waits for a free connection. */
const WAIT_MS = 300_000;

/** No connection is opened before the first email. */
export function createSmtp(options: SmtpOptions): Smtp {
  const { guard, fetch, now, trustedCertificates } = options;
  const times = { connectMs: 10_000, silenceMs: 120_000, ...options.times };
  const pools = new Map<string, ConnectionPool<SmtpConnection>>();
  let closed = false;

  const poolFor = (target: SmtpTarget): ConnectionPool<SmtpConnection> => {
    const key = hash('sha256', JSON.stringify(target), 'hex');
    const found = pools.get(key);
    if (found !== undefined) return found;
    const pool = createConnectionPool<SmtpConnection>({
      open: async () => {
        try {
          return await openSmtp(target, guard, times, trustedCertificates);
        } catch (thrown) {
          throw asOpening(thrown, target.host);
        }
      },
      maxConnections: target.connections,
      idleMs: IDLE_MS,
      busy: (timeoutMs) => busy(target, timeoutMs),
      stopping: () => stopping(target.host),
      onEmpty: () => {
        if (pools.get(key) === pool) pools.delete(key);
      },
    });
    pools.set(key, pool);
    return pool;
  };

  return Object.freeze<Smtp>({
    send: async (request) => {
      const target = smtpTarget(request.sender);
      if (closed) throw stopping(target.host);
      const attachments = await fetchAttachments(request.template.attachments, fetch);
      const email = await composeEmail(request, attachments, new Date(now()));
      const shown = {
        host: `${target.host}:${target.port}`,
        ...email.envelope,
        message_id: email.messageId,
        bytes: email.bytes.byteLength,
      };
      const sent = await poolFor(target).lend(WAIT_MS, true, (connection) =>
        connection.send(email.envelope, email.bytes),
      );
      if ('error' in sent) {
        const event = smtpVerdict(sent.error, target.host, sent.written);
        return { events: [event], request: shown, response: { reply: event.message } };
      }
      // Some providers put an id of their own into the message; bounces and feedback name that one.
      const externalId = sent.serverMessageId ?? email.messageId;
      return {
        events: [{ sid: 'sent', externalId: externalId.slice(1, -1) }],
        request: shown,
        response: { reply: quoted(sent.reply) },
      };
    },
    close: async () => {
      closed = true;
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  });
}

/** While a connection is opened no message was sent, so that there is nothing to tell about one. */
function asOpening(thrown: unknown, host: string): unknown {
  try {
    const { message = '' } = smtpVerdict(thrown, host, false);
    return new Failure('GATEWAY_REFUSED', `The mail server ${host} refused the session: ${message}.`, {
      kind: 'refused',
    });
  } catch (failure) {
    return failure;
  }
}

function busy({ host, connections }: SmtpTarget, timeoutMs: number): Failure {
  return new Failure(
    'GATEWAY_TIMEOUT',
    `All ${connections} connections to the mail server ${host} were busy for ${timeoutMs / 1_000} s. Allow more in the sender's "connections", if the server does.`,
    { kind: 'timeout', statusCode: 0 },
  );
}

function stopping(host: string): Failure {
  return new Failure('SHUTDOWN', `The email was not given to ${host}, because the engine is stopping.`);
}
