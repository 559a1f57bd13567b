/** What surrounds the rows of one sender in one lane: looked up once for many of them, and again twice a second. */
import { fieldsOf } from '../../channel/document.ts';
import type { Outside } from '../../engine/run-outcome.ts';
import type { RateLimit } from '../../pipes/contract.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import type { Directory } from '../directory/directory.ts';
import type { Guarded, Guards } from '../guards/guards.ts';
import { createRedact, type Redact } from '../redact.ts';
import type { Runtime } from '../runtime.ts';
import type { ScopeInput } from './run-scope.ts';

/** Where a run's outside calls belong: whose limits, whose connections, whose store. */
export interface RunPlace {
  readonly laneId: number;
  readonly accountId: string | null;
  readonly channelId: number;
  readonly senderId: string | null;
  readonly resourceId: string | null;
  /** The channel's own limit, for all its requests. */
  readonly limits: RateLimit | undefined;
}

/** Gives a run what acts at once. */
export type OpenOutside = (place: RunPlace) => Outside;

/** What surrounds a row, with what its run may use. */
export interface RunContext extends ScopeInput {
  readonly secrets: readonly string[];
  /** The channel has secret subscription fields, which are opened per message. */
  readonly sealedSubscriptions: boolean;
  readonly redact: Redact;
  readonly outside: Outside;
  /** The channel needs a sender, and none was chosen. */
  readonly unchosen: boolean;
  /** What guards the account's messages to people; undefined if nothing does. */
  readonly guarded: Guarded | undefined;
}

/** How long surroundings are used again before the directory is asked. */
const CONTEXT_FRESH_MS = 500;

/** Returns what surrounds a row; `senderId` is not always that of its message. A promise only where it must be looked up. */
export type RunContextOf = (row: ClaimedRow, senderId: string | null) => RunContext | Promise<RunContext>;

/** `open` gives the outside of a run. */
export function createRunContexts(
  runtime: Runtime,
  directory: Directory,
  open: OpenOutside,
  guards: Guards,
): RunContextOf {
  const { clock } = runtime;
  let context = new Map<string, RunContext>();
  let contextsSince = 0;

  const contextOf: RunContextOf = (row, senderId) => {
    const now = clock.now();
    if (Math.abs(now - contextsSince) > CONTEXT_FRESH_MS) {
      context = new Map();
      contextsSince = now;
    }
    const key = `${row.lane_id}/${row.channel_version_id}/${row.account_id}/${senderId}/${row.resource_id}/${row.launch_id}`;
    return context.get(key) ?? readContext(row, senderId, key, context);
  };

  const readContext = async (
    row: ClaimedRow,
    senderId: string | null,
    key: string,
    into: Map<string, RunContext>,
  ) => {
    const channel =
      directory.knownVersion(row.channel_version_id) ?? (await directory.version(row.channel_version_id));
    const { sid, id, limits, communication } = channel.document;
    const [sender, resource, account, launch, guarded] = await Promise.all([
      senderId === null ? undefined : directory.sender(senderId),
      row.resource_id === null ? undefined : directory.resource(row.resource_id, sid),
      row.account_id === null ? undefined : directory.account(row.account_id, id),
      row.launch_id === null ? undefined : directory.launch(row.launch_id),
      row.account_id === null || communication === 'indirect' ? undefined : guards.of(row.account_id),
    ]);
    const secrets = [sender, resource, account].flatMap((each) => each?.secrets ?? []);
    const made: RunContext = {
      channel,
      sender,
      resource,
      account,
      launch,
      secrets,
      sealedSubscriptions: fieldsOf(channel.document.fields.subscription).some(
        (field) => field.secret === true,
      ),
      redact: createRedact(secrets),
      outside: open({
        laneId: row.lane_id,
        accountId: row.account_id,
        channelId: id,
        senderId,
        resourceId: row.resource_id,
        limits,
      }),
      unchosen: senderId === null && (channel.document.fields.sender ?? []).length > 0,
      guarded,
    };
    into.set(key, made);
    return made;
  };

  return contextOf;
}
