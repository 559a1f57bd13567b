/** What a settlement writes, list by list: each row names the waiting row it comes from. */

export interface SettledWait {
  /** The waiting row this comes from. */
  readonly source: string;
  readonly id: string;
  readonly accountId: string | null;
  readonly laneId: number;
  readonly dueMs: number;
  readonly pipeline: number;
  readonly pipe: number | null;
  readonly tries: number;
  readonly messageId: string | null;
  readonly channelVersionId: number;
  readonly payload: string | null;
}

export interface SettledMessage {
  readonly source: string;
  readonly id: string;
  /** The launch that it counts for. */
  readonly launchId: string | null;
  readonly attempt: number;
  readonly state: number;
  readonly reason: string | null;
  readonly externalId: string | null;
  /** Set: the external id counts only if the message has none. */
  readonly fills?: true;
  /** It goes on with another sender, in that one's lane, unless it was reported as sent in the meantime. */
  readonly next?: { readonly senderId: string; readonly laneId: number };
}

export interface SettledEvent {
  readonly source: string;
  readonly id: string;
  readonly accountId: string;
  readonly messageId: string;
  readonly channelId: number;
  readonly launchId: string | null;
  readonly eventId: number | null;
  readonly type: string;
  readonly attempt: number;
  readonly timeMs: number;
  readonly externalId: string | null;
  readonly code: string | null;
  readonly text: string | null;
  /** JSON text. */
  readonly value: string | null;
  /** Names the event among repeats: a second one with the same key is left out. */
  readonly dedupeKey: string | null;
}

export interface SettledAttempt {
  readonly source: string;
  readonly id: string;
  readonly accountId: string;
  readonly messageId: string;
  readonly number: number;
  readonly senderId?: string | null;
  readonly outcome: string;
  /** JSON text. */
  readonly trail: string;
}

export interface SettledExternalId {
  readonly source: string;
  readonly channelId: number;
  readonly externalId: string;
  readonly messageId: string;
  readonly attempt: number;
}

export interface ParkedEvent {
  readonly source: string;
  readonly id: string;
  readonly channelId: number;
  readonly accountId: string | null;
  readonly senderId: string | null;
  readonly externalId: string | null;
  readonly messageId: string | null;
  /** JSON text. */
  readonly event: string;
}

export interface SettledSubscription {
  readonly source: string;
  readonly messageId: string;
  readonly status: 'hard_bounced' | 'unsubscribed';
  readonly reason: string;
}

export interface SettledSuppression {
  readonly source: string;
  readonly id: string;
  readonly accountId: string;
  readonly key: string;
  readonly address: string | null;
  readonly channelId: number;
  /** Null: scope `global`. */
  readonly resourceId: string | null;
  readonly reason: string;
  readonly messageId: string;
  readonly expiresMs: number | null;
}

/** A message that is given up, or of which nobody knows. Told together with others of its kind. */
export interface SettledExhausted {
  readonly source: string;
  readonly messageId: string;
  readonly state: string;
  readonly reason: string;
}

/** A provider's request whose run failed. */
export interface SettledFailedRequest {
  readonly source: string;
  /** Its waiting row, when its run failed first. */
  readonly id: string;
  readonly accountId: string | null;
  readonly channelVersionId: number;
  readonly laneId: number;
  readonly pipeline: number;
  readonly pipe: number | null;
  readonly reason: string;
  /** A sentence; secrets are masked. */
  readonly message: string;
  readonly payload: string;
  /** JSON text: a list. */
  readonly registered: string;
  readonly receivedMs: number;
}

/** A request that failed before, was run again, and did well. */
export interface SettledDoneRequest {
  readonly source: string;
  readonly id: string;
}

export interface Settlement {
  readonly node: number;
  readonly nowMs: number;
  /** Waiting rows that are finished. */
  readonly done: readonly string[];
  /**
   * Waiting rows that wait again; `id` is the row itself, which stays in its lane unless its message has a `next`. Their
   * due time must be another than it was.
   */
  readonly again: readonly SettledWait[];
  readonly waits: readonly SettledWait[];
  readonly messages: readonly SettledMessage[];
  readonly events: readonly SettledEvent[];
  readonly attempts: readonly SettledAttempt[];
  readonly externalIds: readonly SettledExternalId[];
  readonly parked: readonly ParkedEvent[];
  readonly subscriptions: readonly SettledSubscription[];
  readonly suppressions: readonly SettledSuppression[];
  readonly exhausted: readonly SettledExhausted[];
  readonly failedRequests: readonly SettledFailedRequest[];
  readonly doneRequests: readonly SettledDoneRequest[];
}
