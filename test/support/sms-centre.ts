/**
 * An SMS centre in a process of its own. What happens to a text is said by the end of its number. Prints its SMPP port and the port of its log: `GET /log` tells what it saw,
 * `GET /receipt?id=…&stat=…` delivers a receipt and answers with the status that came back, `GET /text` a text of a
 * person, `GET /garbage` sends what is no PDU.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import smpp from 'smpp';

interface Taken {
  readonly to: string;
  readonly from: string;
  readonly coding: number;
  readonly esm: number;
  readonly ton: readonly [source: number, destination: number];
  readonly validity: string;
  readonly text: string;
  readonly id: string;
}

const taken: Taken[] = [];
const tries = new Map<string, number>();
const binds: string[] = [];
const sessions = new Set<smpp.ServerSession>();
let enquiries = 0;
let underWay = 0;
let mostUnderWay = 0;
let lastId = 0x1a;

const server = smpp.createServer((session) => {
  session.on('error', () => session.socket.destroy());
  session.on('close', () => sessions.delete(session));
  session.on('enquire_link', (pdu: smpp.Pdu) => {
    enquiries += 1;
    session.send(pdu.response());
  });
  session.on('unbind', (pdu: smpp.Pdu) => {
    session.send(pdu.response());
    session.socket.end();
  });
  session.on('bind_transceiver', (pdu: smpp.Pdu) => {
    binds.push(String(pdu.system_id));
    if (pdu.password === 'right') sessions.add(session);
    const status = pdu.password === 'right' ? 0 : pdu.password === 'busy' ? 0x05 : 0x0e;
    session.send(pdu.response(status === 0 ? { system_id: 'centre' } : { command_status: status }));
  });
  session.on('submit_sm', (pdu: smpp.Pdu) => void submit(session, pdu));
});

function submit(session: smpp.ServerSession, pdu: smpp.Pdu): unknown {
  const to = String(pdu.destination_addr);
  const count = (tries.get(to) ?? 0) + 1;
  tries.set(to, count);
  if (to.endsWith('111')) return undefined;
  if (to.endsWith('000')) {
    session.socket.destroy();
    return undefined;
  }
  underWay += 1;
  mostUnderWay = Math.max(mostUnderWay, underWay);
  const answer = (fields: Readonly<Record<string, unknown>>) =>
    setImmediate(() => {
      underWay -= 1;
      session.send(pdu.response(fields));
    });
  if (to.endsWith('88') && count <= 2) return answer({ command_status: 0x58 });
  if (to.endsWith('404')) return answer({ command_status: 0x0b });
  if (to.endsWith('403')) return answer({ command_status: 0x45 });
  if (to.endsWith('2002') && count === 2) return answer({ command_status: 0x58 });
  lastId += 1;
  const id = lastId.toString(16);
  taken.push({
    to,
    from: String(pdu.source_addr),
    coding: Number(pdu.data_coding),
    esm: Number(pdu.esm_class),
    ton: [Number(pdu.source_addr_ton), Number(pdu.dest_addr_ton)],
    validity: validityOf(pdu),
    text: rawText(pdu),
    id,
  });
  return answer({ message_id: id });
}

/** The library reads a span as a date from now on; how far that is, in minutes. */
function validityOf({ validity_period }: smpp.Pdu): string {
  if (!(validity_period instanceof Date)) return '';
  return String(Math.round((validity_period.getTime() - Date.now()) / 60_000));
}

/** Each part as it was read: the header for joining, then the text. */
function rawText({ short_message }: smpp.Pdu): string {
  const { udh, message } = short_message as { udh?: readonly Buffer[]; message: string };
  const header = (udh ?? []).map((each) => each.toString('hex')).join('');
  return `${header}|${message}`;
}

/** Delivers over some bind and gives the status of the answer; null if nobody is bound. */
function deliver(fields: Readonly<Record<string, unknown>>): Promise<number | null> {
  const [session] = sessions;
  if (session === undefined) return Promise.resolve(null);
  const pdu = new smpp.PDU('deliver_sm', fields);
  session.send(pdu);
  return new Promise((resolve) => {
    session.once('close', () => resolve(null));
    session.on('deliver_sm_resp', (answer: smpp.Pdu) => {
      if (answer.sequence_number === pdu.sequence_number) resolve(answer.command_status);
    });
  });
}

function receiptFields(query: URLSearchParams): Readonly<Record<string, unknown>> {
  const id = query.get('id') ?? '';
  const state = query.get('state');
  if (state !== null)
    return { esm_class: 4, receipted_message_id: id, message_state: Number(state), short_message: '' };
  const text = `id:${id} sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:${query.get('stat')} err:${query.get('err') ?? '000'} text:Hi`;
  return { esm_class: 4, short_message: text };
}

const log = createServer(async (request, response) => {
  const url = new URL(request.url ?? '', 'http://localhost');
  const answer = async (): Promise<unknown> => {
    switch (url.pathname) {
      case '/receipt':
        return deliver(receiptFields(url.searchParams));
      case '/text':
        return deliver({ source_addr: '4915100000001', short_message: 'Hello there' });
      case '/garbage':
        for (const session of sessions) session.socket.write(Buffer.alloc(64, 0xff));
        return null;
      case '/drop':
        for (const session of sessions) session.socket.destroy();
        return null;
      default:
        return { taken, binds, bound: sessions.size, enquiries, mostUnderWay };
    }
  };
  response.end(JSON.stringify(await answer()));
});

server.listen(0, '127.0.0.1', () => {
  log.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`${port} ${(log.address() as AddressInfo).port}\n`);
  });
});
process.on('disconnect', () => process.exit());
