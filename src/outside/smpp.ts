/** The code module `smpp`: sends the texts of the built-in channel SMS and takes their delivery receipts in. */

import type smpp from 'smpp';
import { encodeSms, type SmsText } from '../content/sms-text.ts';
import { Failure } from '../errors.ts';
import type { EmittedEvent, ModuleAnswer, ModuleRequest } from '../pipes/contract.ts';
import type { AddressGuard } from './address-guard.ts';
import { numberOf, textOf } from './module-values.ts';
import { readReceipt } from './smpp-receipt.ts';
import { bindSmpp, type SmppSession, type SmppTimes } from './smpp-session.ts';
import { destinationFields, receiptId, type SmppTarget, smppTarget, sourceFields } from './smpp-target.ts';
import { STATUS, smppVerdict } from './smpp-verdict.ts';

/** Whose bind something came over. */
export interface SenderPlace {
  readonly accountId: string;
  readonly senderId: string;
}

export interface SmppOptions {
  readonly guard: AddressGuard;
  /** Keeps the event of a receipt, before the SMS centre is told that it was taken. `dedupeKey` names a repeat. */
  readonly receipt: (place: SenderPlace, event: EmittedEvent, dedupeKey: string) => Promise<void>;
  readonly log: (fields: Readonly<Record<string, unknown>>, text: string) => void;
  readonly times?: Partial<SmppTimes>;
  /** PEM certificates to trust instead of the system's. */
  readonly trustedCertificates?: readonly string[];
}

export interface Smpp {
  /**
   * Sends one text, in as many parts as it takes. Throws GATEWAY_REFUSED, GATEWAY_UNREACHABLE, GATEWAY_TIMEOUT
   * (`ambiguous` where a part was sent), AUTH_FAILED, ADDRESS_FORBIDDEN, SHUTDOWN.
   */
  readonly send: (request: ModuleRequest, place: SenderPlace) => Promise<ModuleAnswer>;
  /** Keeps a sender bound, so that its receipts come in although nothing is sent. Throws as `send`. */
  readonly hold: (sender: Readonly<Record<string, unknown>>, place: SenderPlace) => Promise<void>;
  /** Unbinds everywhere. */
  readonly close: () => Promise<void>;
}

interface Bound {
  readonly key: string;
  readonly session: Promise<SmppSession>;
}

const ESM_JOINED = 0x40;

/** No connection is opened before the first text or `hold`. */
export function createSmpp(options: SmppOptions): Smpp {
  const { guard, trustedCertificates, log } = options;
  const times = { connectMs: 10_000, answerMs: 30_000, enquireMs: 30_000, ...options.times };
  const bound = new Map<string, Bound>();
  let closed = false;

  const deliver = async (target: SmppTarget, place: SenderPlace, pdu: smpp.Pdu): Promise<number> => {
    const receipt = readReceipt(pdu);
    if (receipt === undefined) {
      log(
        { sender: place.senderId },
        'a text of a person came over SMPP and was refused: the channel SMS takes only receipts in',
      );
      return STATUS.notTaken;
    }
    try {
      if (receipt.event !== undefined)
        await options.receipt(place, receipt.event, `${receipt.id}/${receipt.state}`);
      return STATUS.ok;
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      log(
        { sender: place.senderId, host: target.host },
        `a receipt could not be kept and is asked for again: ${reason}`,
      );
      return STATUS.tryAgain;
    }
  };

  const sessionFor = async (target: SmppTarget, place: SenderPlace): Promise<SmppSession> => {
    if (closed) throw stopping(target.host);
    const key = JSON.stringify(target);
    const found = bound.get(place.senderId);
    if (found?.key === key) {
      const session = await found.session;
      if (session.alive()) return session;
      if (bound.get(place.senderId) !== found) return sessionFor(target, place);
    } else found?.session.then((session) => session.close()).catch(() => {});
    const session = bindSmpp({
      target,
      guard,
      times,
      trustedCertificates,
      deliver: (pdu) => deliver(target, place, pdu),
    });
    const made = { key, session };
    bound.set(place.senderId, made);
    session.catch(() => {
      if (bound.get(place.senderId) === made) bound.delete(place.senderId);
    });
    return session;
  };

  return Object.freeze<Smpp>({
    send: async (request, place) => {
      const target = smppTarget(request.sender);
      const session = await sessionFor(target, place);
      const { fields, text } = requestFields(request);
      const shown = {
        host: `${target.host}:${target.port}`,
        ...fields,
        data_coding: text.coding,
        parts: text.parts.length,
        text: textOf(request.template, 'text'),
      };
      const ids: string[] = [];
      for (const [index, part] of text.parts.entries()) {
        try {
          const answer = await session.ask('submit_sm', {
            ...fields,
            data_coding: text.coding,
            esm_class: text.parts.length > 1 ? ESM_JOINED : 0,
            short_message: part,
          });
          if (answer.command_status !== STATUS.ok) {
            const event = smppVerdict(answer.command_status, target.host);
            if (index > 0) throw new Failure('GATEWAY_REFUSED', event.message ?? '');
            return { events: [event], request: shown, response: { status: answer.command_status } };
          }
          ids.push(String(answer.message_id ?? ''));
        } catch (thrown) {
          throw index === 0 ? thrown : inParts(thrown, index, text.parts.length, target.host);
        }
      }
      // The last part decides: a telephone shows a text when it has all of them.
      const externalId = receiptId(target, ids.at(-1) ?? '');
      return { events: [{ sid: 'sent', externalId }], request: shown, response: { message_ids: ids } };
    },
    hold: async (sender, place) => {
      await sessionFor(smppTarget(sender), place);
    },
    close: async () => {
      closed = true;
      await Promise.all(
        [...bound.values()].map(({ session }) => session.then((each) => each.close()).catch(() => {})),
      );
      bound.clear();
    },
  });
}

function requestFields(request: ModuleRequest): { fields: Readonly<Record<string, unknown>>; text: SmsText } {
  const { messageId, sender, resource, subscription, template } = request;
  const minutes = numberOf(template, 'validity', 0);
  const reference = Number.parseInt(messageId.slice(-2), 16);
  return {
    fields: {
      ...sourceFields(textOf(resource, 'source', textOf(sender, 'source'))),
      ...destinationFields(textOf(subscription, 'phone')),
      registered_delivery: 1,
      ...(minutes > 0 && { validity_period: relativeTime(minutes) }),
    },
    text: encodeSms(textOf(template, 'text'), reference),
  };
}

/** A span as SMPP writes it: YYMMDDhhmmss000R (SMPP 3.4, 7.1.1.2). */
function relativeTime(minutes: number): string {
  const two = (number: number) => String(Math.floor(number)).padStart(2, '0');
  return `0000${two(minutes / 1_440)}${two((minutes / 60) % 24)}${two(minutes % 60)}00000R`;
}

/** A text of which only the beginning was taken is neither sent nor unsent, and must not be begun again unasked. */
function inParts(thrown: unknown, taken: number, parts: number, host: string): Failure {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new Failure(
    'GATEWAY_REFUSED',
    `The SMS centre ${host} took ${taken} of ${parts} parts of the text and not the rest: ${why}`,
    { kind: 'temporary', statusCode: 0, ambiguous: true, cause: thrown },
  );
}

function stopping(host: string): Failure {
  return new Failure('SHUTDOWN', `The text was not given to ${host}, because the engine is stopping.`);
}
