/** Channels of stored rows, which name them by id. */
import type { Directory } from '../flows/directory/directory.ts';
import type { KnownChannel } from '../flows/directory/known-channel.ts';
import type { Runtime } from '../flows/runtime.ts';
import { takenChannels } from '../storage/channels.ts';

export interface NamedChannel {
  /** Undefined only for an id that never was. */
  readonly sid: string | undefined;
  /** The current version; undefined for a deleted channel. */
  readonly channel: KnownChannel | undefined;
}

export interface ChannelNames {
  readonly of: (id: number) => Promise<NamedChannel>;
  /** The id that a filter names: -1 where there is no such channel, undefined where none is named. */
  readonly idOf: (sid: unknown) => Promise<number | undefined>;
}

export function channelNames(runtime: Runtime, directory: Directory): ChannelNames {
  return Object.freeze<ChannelNames>({
    of: async (id) => {
      const row = [...(await directory.channels()).values()].find((each) => each.id === id);
      if (row !== undefined) return { sid: row.sid, channel: await directory.version(row.version_id) };
      const taken = (await takenChannels(runtime.database)).find((each) => each.id === id);
      return { sid: taken?.sid, channel: undefined };
    },
    idOf: async (sid) =>
      typeof sid === 'string' ? ((await directory.channels()).get(sid)?.id ?? -1) : undefined,
  });
}
