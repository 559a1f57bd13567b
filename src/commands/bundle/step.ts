/** One member of a plan: what would become of it, and the call that does it. */
import type { ChannelDocument } from '../../channel/document.ts';
import type { Difference } from '../../testing/compare.ts';
import type { ServerApi } from '../server-api.ts';
import type { ServerState } from './server-state.ts';

export interface Step {
  readonly kind:
    | 'channel'
    | 'connector'
    | 'provider-config'
    | 'resource'
    | 'sender'
    | 'sender-rules'
    | 'sending-rules'
    | 'template'
    | 'webhook';
  readonly name: string;
  readonly change: 'create' | 'change' | 'keep';
  /** Of a change: `expected` is what the bundle says, `actual` what the server holds. Secrets are masked. */
  readonly differences: readonly Difference[];
  /** Makes it so. */
  readonly write: (api: ServerApi) => Promise<unknown>;
  /** The body of the check that the server makes before anything is changed. */
  readonly examine?: unknown;
}

/** What planning knows and gathers. */
export interface Planning {
  readonly state: ServerState;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Secrets that are set already are written again. */
  readonly secrets: boolean;
  /** The document of a channel as it will be, of the bundle or of the server. */
  readonly document: (sid: string) => Promise<ChannelDocument | undefined>;
  /** The sids of the senders that a channel will have. */
  readonly senders: (channel: string) => ReadonlySet<string>;
  /** Everything that is wrong, as sentences. */
  readonly problems: string[];
}

/** How a secret stands in a difference. */
export const SECRET = '(secret)';
