/** Keeps the senders of a channel connected whose provider delivers receipts only over a connection of ours. */
import { asFailure } from '../../errors.ts';
import { sendersOfChannel } from '../../storage/entities.ts';
import type { Directory } from '../directory/directory.ts';
import type { Runtime } from '../runtime.ts';

export interface SmppBinds {
  readonly start: () => void;
  readonly stop: () => Promise<void>;
}

/** Connects one sender, unless it is. */
export type HoldBind = (
  values: Readonly<Record<string, unknown>>,
  place: { readonly accountId: string; readonly senderId: string },
) => Promise<void>;

/** New and changed senders are found so late at most; lost connections are opened again so late. */
const EVERY_MS = 30_000;

/** `channel` is its sid. A sender that cannot be connected is logged and tried again at the next round. */
export function createSmppBinds(
  runtime: Runtime,
  directory: Directory,
  channel: string,
  hold: HoldBind,
): SmppBinds {
  const { database, log } = runtime;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> | undefined;

  const holdOne = async (senderId: string, accountId: string) => {
    try {
      const sender = await directory.sender(senderId);
      if (sender !== undefined) await hold(sender.values, { accountId, senderId });
    } catch (thrown) {
      const { code, message } = asFailure(thrown);
      log.warn({ channel, sender: senderId, code }, `no receipts come in for a sender: ${message}`);
    }
  };

  const holdAll = async () => {
    try {
      const row = (await directory.channels()).get(channel);
      if (row === undefined) return;
      const senders = await sendersOfChannel(database, row.id);
      await Promise.all(senders.map((sender) => holdOne(sender.id, sender.account_id)));
    } catch (thrown) {
      const { code, message } = asFailure(thrown);
      log.error({ channel, code }, `the senders to keep connected could not be read: ${message}`);
    }
  };

  const next = () => {
    round ??= holdAll().finally(() => {
      round = undefined;
    });
  };

  return Object.freeze<SmppBinds>({
    start: () => {
      next();
      timer = setInterval(next, EVERY_MS);
    },
    stop: async () => {
      clearInterval(timer);
      await round;
    },
  });
}
