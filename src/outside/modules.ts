/** The code modules of the built-in channels, by the names in their documents. */
import { Failure } from '../errors.ts';
import type { ModuleAnswer, ModuleName, ModuleRequest } from '../pipes/contract.ts';
import type { AddressGuard } from './address-guard.ts';
import type { HttpClient } from './http-client.ts';
import { createPush } from './push.ts';
import { createSmpp, type Smpp, type SmppOptions } from './smpp.ts';
import { createSmtp } from './smtp.ts';

export interface ModulesOptions {
  readonly guard: AddressGuard;
  readonly http: Pick<HttpClient, 'send'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly receipt: SmppOptions['receipt'];
  readonly log: SmppOptions['log'];
}

/** Where a message belongs. */
export interface ModulePlace {
  readonly laneId: number;
  readonly accountId: string | null;
  readonly senderId: string | null;
}

export interface Modules {
  readonly byName: Readonly<
    Record<ModuleName, (request: ModuleRequest, place: ModulePlace) => Promise<ModuleAnswer>>
  >;
  /** Keeps a sender of the channel SMS bound for its receipts. */
  readonly hold: Smpp['hold'];
  /** Ends all their connections. */
  readonly close: () => Promise<void>;
}

/** Attachments have a pool of their own, beside those of lanes, which are numbers. */
const ATTACHMENTS = 'attachments';

/** No connection is opened before the first message. */
export function createModules({ guard, http, now, receipt, log }: ModulesOptions): Modules {
  const smtp = createSmtp({ guard, now, fetch: (request) => http.send(request, ATTACHMENTS) });
  const smpp = createSmpp({ guard, receipt, log });
  const push = createPush({ send: http.send, now });
  return Object.freeze<Modules>({
    byName: Object.freeze({
      smtp: smtp.send,
      push: push.send,
      smpp: async (request: ModuleRequest, { accountId, senderId }: ModulePlace) => {
        if (accountId !== null && senderId !== null) return smpp.send(request, { accountId, senderId });
        throw new Failure('VALUES_INVALID', 'The message has no sender; name one that has an SMS centre.');
      },
    }),
    hold: smpp.hold,
    close: async () => {
      await Promise.all([smtp.close(), smpp.close()]);
    },
  });
}
