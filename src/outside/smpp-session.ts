/** One bind to an SMS centre as a transceiver: requests go out in a window, receipts come in, links are asked after. */
import smpp from 'smpp';
import type { AddressGuard } from './address-guard.ts';
import { openSmppSocket } from './smpp-socket.ts';
import type { SmppTarget } from './smpp-target.ts';
import { bindFailure, STATUS, smppSilence } from './smpp-verdict.ts';

export interface SmppTimes {
  readonly connectMs: number;
  readonly answerMs: number;
  /** How often a quiet link is asked after. */
  readonly enquireMs: number;
}

export interface SmppSession {
  readonly alive: () => boolean;
  /** One request and its answer. Throws GATEWAY_TIMEOUT and GATEWAY_UNREACHABLE, `ambiguous` where the request had left. */
  readonly ask: (command: string, fields: Readonly<Record<string, unknown>>) => Promise<smpp.Pdu>;
  /** Unbinds; what waits for an answer fails. Never throws. */
  readonly close: () => Promise<void>;
}

export interface BindOptions {
  readonly target: SmppTarget;
  readonly guard: AddressGuard;
  readonly times: SmppTimes;
  readonly trustedCertificates: readonly string[] | undefined;
  /** Takes what the SMS centre delivers and gives the status of the answer. Never throws. */
  readonly deliver: (pdu: smpp.Pdu) => Promise<number>;
}

interface Waiting {
  readonly done: (answer: smpp.Pdu) => void;
  readonly gone: () => void;
}

const SMPP_3_4 = 0x34;

/** Connects and binds. Throws ADDRESS_FORBIDDEN, AUTH_FAILED, GATEWAY_REFUSED, GATEWAY_UNREACHABLE, GATEWAY_TIMEOUT. */
export async function bindSmpp(options: BindOptions): Promise<SmppSession> {
  const { target, guard, times, deliver } = options;
  const { host, window } = target;
  const socket = await openSmppSocket(target, guard, times.connectMs, options.trustedCertificates);
  const session = new smpp.Session({ socket });
  const waiting = new Map<number, Waiting>();
  const queue: (() => void)[] = [];
  let open = true;
  let under = 0;

  const end = (): void => {
    open = false;
    clearInterval(heart);
    socket.destroy();
    for (const each of waiting.values()) each.gone();
    waiting.clear();
    for (const next of queue.splice(0)) next();
  };

  /** `carries`: the request carries a text, so that silence leaves a doubt. */
  const exchange = (pdu: smpp.Pdu, carries: boolean): Promise<smpp.Pdu> =>
    new Promise((resolve, reject) => {
      if (!open || !session.send(pdu)) {
        reject(smppSilence(host, 'closed', false));
        return;
      }
      const number = pdu.sequence_number;
      const leave = () => {
        clearTimeout(timer);
        waiting.delete(number);
      };
      const timer = setTimeout(() => {
        leave();
        reject(smppSilence(host, 'late', carries));
      }, times.answerMs);
      waiting.set(number, {
        done: (answer) => {
          leave();
          resolve(answer);
        },
        gone: () => {
          leave();
          reject(smppSilence(host, 'closed', carries));
        },
      });
    });

  const ask = async (command: string, fields: Readonly<Record<string, unknown>>): Promise<smpp.Pdu> => {
    const pdu = new smpp.PDU(command, fields);
    while (open && under >= window) await new Promise<void>((resolve) => queue.push(resolve));
    under += 1;
    try {
      return await exchange(pdu, true);
    } finally {
      under -= 1;
      queue.shift()?.();
    }
  };

  const answerRequest = async (pdu: smpp.Pdu): Promise<void> => {
    const { command } = pdu;
    if (command === 'alert_notification') return;
    const status = command === 'deliver_sm' ? await deliver(pdu) : STATUS.ok;
    if (!open) return;
    if (command === 'deliver_sm' || command === 'enquire_link' || command === 'unbind')
      session.send(pdu.response({ command_status: status }));
    else {
      const { sequence_number } = pdu;
      session.send(new smpp.PDU('generic_nack', { command_status: STATUS.unknownCommand, sequence_number }));
    }
    if (command === 'unbind') end();
  };

  session.on('pdu', (pdu: smpp.Pdu) => {
    if (pdu.isResponse()) waiting.get(pdu.sequence_number)?.done(pdu);
    else answerRequest(pdu).catch(end);
  });
  // A PDU that cannot be read leaves the stream in pieces, so the link ends with it.
  session.on('error', end);
  session.on('close', end);
  const heart = setInterval(() => {
    exchange(new smpp.PDU('enquire_link'), false).catch(end);
  }, times.enquireMs);

  const close = async (): Promise<void> => {
    if (open) await exchange(new smpp.PDU('unbind'), false).catch(() => {});
    end();
  };

  try {
    const answer = await exchange(
      new smpp.PDU('bind_transceiver', {
        system_id: target.systemId,
        password: target.password,
        system_type: target.systemType,
        interface_version: SMPP_3_4,
      }),
      false,
    );
    if (answer.command_status !== STATUS.ok) throw bindFailure(answer.command_status, host);
  } catch (thrown) {
    end();
    throw thrown;
  }
  return Object.freeze<SmppSession>({ alive: () => open, ask, close });
}
