/** Channels as an account sees them: the shared ones and its own. */
import { Failure } from '../../errors.ts';
import { nearName } from '../../near.ts';
import type { Directory } from './directory.ts';
import type { KnownChannel } from './known-channel.ts';

/** The channel that a request names at `pointer`. Throws REQUEST_INVALID, with the name that was probably meant. */
export async function findChannel(
  directory: Directory,
  accountId: string,
  sid: string,
  pointer: string,
): Promise<KnownChannel> {
  const isSeen = (row: { account_id: string | null }) =>
    row.account_id === null || row.account_id === accountId;
  const known = await directory.channel(sid);
  if (known !== undefined && isSeen(known.row)) return known.channel;
  const sids = [...(await directory.channels()).values()].filter(isSeen).map((row) => row.sid);
  const near = nearName(sid, sids);
  throw refused(
    pointer,
    `There is no channel "${sid}".${near === undefined ? '' : ` Did you mean "${near}"?`}`,
  );
}

/** A request that names what is not there, or what does not go together, at one place. */
export function refused(pointer: string, message: string): Failure {
  return new Failure('REQUEST_INVALID', message, { problems: [{ pointer, message }] });
}
