/** The channel that a path or query names, as far as the caller may know of it. */
import { Failure } from '../errors.ts';
import type { Directory } from '../flows/directory/directory.ts';
import type { KnownChannel } from '../flows/directory/known-channel.ts';
import type { ChannelRow } from '../storage/channels.ts';

/** A shared channel, or one of the caller's own account. Throws NOT_FOUND for all others alike. */
export async function visibleChannel(
  directory: Directory,
  accountId: string,
  sid: string,
): Promise<{ readonly row: ChannelRow; readonly channel: KnownChannel }> {
  const known = await directory.channel(sid);
  if (known === undefined || (known.row.account_id !== null && known.row.account_id !== accountId)) {
    throw new Failure('NOT_FOUND', `There is no channel "${sid}". GET /api/v1/channels lists them all.`);
  }
  return known;
}
