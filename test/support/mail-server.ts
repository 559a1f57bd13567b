/**
 * A mail server in a process of its own. What happens to an email is said by the name before the @ of its recipient.
 * Prints its SMTP port and the port of its log: `GET /log` tells what it saw.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { TEST_CERTIFICATE, TEST_KEY } from '../outside/certificate.ts';

interface Taken {
  readonly to: string;
  readonly from: string;
  readonly secure: boolean;
  readonly user: string | null;
  readonly message: string;
}

const taken: Taken[] = [];
const tries = new Map<string, number>();
const recipients: string[] = [];
let connections = 0;

const refuse = (responseCode: number, text: string) => Object.assign(new Error(text), { responseCode });

const REFUSED_RECIPIENTS: Readonly<Record<string, Error>> = {
  nobody: refuse(550, '5.1.1 No such mailbox'),
  plain: refuse(550, 'Unknown user'),
  full: refuse(552, '5.2.2 The mailbox is full'),
  blocked: refuse(550, '5.7.1 Your network is on a list'),
};

const server = new SMTPServer({
  authOptional: true,
  allowInsecureAuth: true,
  hideENHANCEDSTATUSCODES: true,
  disableReverseLookup: true,
  closeTimeout: 100,
  cert: TEST_CERTIFICATE,
  key: TEST_KEY,
  ...(process.env.NO_STARTTLS !== undefined && { disabledCommands: ['STARTTLS' as const] }),
  onConnect: (_session, done) => {
    connections += 1;
    done();
  },
  onAuth: ({ username, password }, _session, done) => {
    if (password === 'busy') done(refuse(454, '4.7.0 Try again later'));
    else if (password === 'right') done(null, { user: username ?? '' });
    else done(refuse(535, '5.7.8 Wrong user or password'));
  },
  onMailFrom: ({ address }, _session, done) => {
    if (address.startsWith('stranger@')) done(refuse(553, '5.7.1 Not your address'));
    else done();
  },
  onRcptTo: ({ address }, _session, done) => {
    const name = address.split('@')[0] ?? '';
    const count = (tries.get(address) ?? 0) + 1;
    tries.set(address, count);
    recipients.push(address);
    if (name === 'later' && count <= 2) done(refuse(451, '4.7.1 Greylisted'));
    else done(Object.hasOwn(REFUSED_RECIPIENTS, name) ? REFUSED_RECIPIENTS[name] : null);
  },
  onData: (stream, session, done) => {
    const to = session.envelope.rcptTo[0]?.address ?? '';
    const name = to.split('@')[0];
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (name === 'cut') drop(session.id);
    });
    stream.on('end', () => {
      taken.push({
        to,
        from: session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address,
        secure: session.secure,
        user: session.user ?? null,
        message: Buffer.concat(chunks).toString('utf8'),
      });
      if (name === 'silent') drop(session.id);
      else if (name === 'spam') done(refuse(554, '5.7.1 This looks like spam'));
      else if (name === 'ghost') done(refuse(550, '5.1.1 Nobody here after all'));
      else done(null, 'queued as 42');
    });
  },
});

/** Cuts the connection without a word. */
function drop(session: string): void {
  for (const connection of server.connections) {
    if (connection.id === session) connection._socket.destroy();
  }
}

server.on('error', () => {});

const log = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ taken, recipients, connections }));
});

const listening = server.listen(0, '127.0.0.1', () => {
  log.listen(0, '127.0.0.1', () => {
    const { port } = listening.address() as AddressInfo;
    process.stdout.write(`${port} ${(log.address() as AddressInfo).port}\n`);
  });
});
process.on('disconnect', () => process.exit());
