/** Creates, changes and deletes webhooks, each write together with its audit. A secret is shown once, when it is set. */
import { newSigningSecret, signingKeyOf } from '../../access/signing-secret.ts';
import { maskFields, type Vault } from '../../access/vault.ts';
import { Failure } from '../../errors.ts';
import { hasAudit, writeAudit } from '../../storage/audit.ts';
import type { Sql } from '../../storage/database.ts';
import {
  deleteWebhook,
  dropDeliveries,
  insertWebhook,
  lockWebhook,
  updateWebhook,
  type WebhookChange,
  type WebhookRow,
} from '../../storage/webhooks.ts';
import { isoTime } from '../../time.ts';
import { refused } from '../directory/find-channel.ts';
import type { Runtime } from '../runtime.ts';
import type { Author } from '../setup/save-entity.ts';

/** After a change of the secret, events are signed with the one before as well for so long. */
const PREVIOUS_MS = 24 * 3_600_000;
const ROTATE = 'rotate-secret';
const BY_HAND = 'It was disabled by hand.';

export interface WebhookValues {
  readonly url?: string;
  readonly events?: readonly string[];
  readonly secret?: string;
  readonly status?: WebhookRow['status'];
}

export interface WebhookWriter {
  /** Throws REQUEST_INVALID. */
  readonly create: (
    by: Author,
    values: { readonly url: string; readonly events: readonly string[]; readonly secret?: string },
  ) => Promise<{ row: WebhookRow; secret: string }>;
  /** What is left out stays. Throws NOT_FOUND, REQUEST_INVALID. */
  readonly change: (by: Author, id: string, values: WebhookValues) => Promise<WebhookRow>;
  /** A new secret; throws NOT_FOUND. */
  readonly rotate: (by: Author, id: string) => Promise<{ row: WebhookRow; secret: string }>;
  /** Throws NOT_FOUND. */
  readonly remove: (by: Author, id: string) => Promise<void>;
}

/** A webhook as answers and the audit show it. */
export function showWebhook(row: WebhookRow) {
  const { current, previous } = maskFields(row.secrets);
  return {
    id: row.id,
    url: row.url,
    events: row.events,
    status: row.status,
    reason: row.status_reason,
    laneId: row.lane_id,
    secret: current,
    previousSecretUntil: previous === undefined ? null : row.previous_until,
    failingSince: row.failing_since,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export function createWebhookWriter(runtime: Runtime): WebhookWriter {
  const { database, clock, vault } = runtime;

  const audit = (tx: Sql, id: string, by: Author, verb: string, webhookId: string, change: object) =>
    writeAudit(tx, {
      id,
      accountId: by.caller.accountId,
      tokenId: by.caller.tokenId,
      action: `webhooks.${verb}`,
      subject: `webhooks/${webhookId}`,
      nowMs: clock.now(),
      ...change,
    });
  const held = async (tx: Sql, by: Author, id: string) => {
    const row = await lockWebhook(tx, by.caller.accountId, id);
    if (row === undefined) throw new Failure('NOT_FOUND', 'There is no webhook with this id.');
    return row;
  };
  const sealed = (secret: string) => vault.seal(secret, isoTime(clock.now()));

  const change = (by: Author, id: string, verb: string, values: WebhookValues) => {
    checkWebhook(values);
    const auditId = by.ids.next();
    return database.transaction(async (tx) => {
      const before = await held(tx, by, id);
      const nowMs = clock.now();
      const isRepeat = verb === ROTATE && (await hasAudit(tx, auditId));
      const row = isRepeat ? undoRotation(before) : before;
      const after = await updateWebhook(tx, id, changeOf(row, values, vault, sealed, nowMs), nowMs);
      if (after.status === 'disabled') await dropDeliveries(tx, after.lane_id);
      await audit(tx, auditId, by, verb, id, { before: showWebhook(before), after: showWebhook(after) });
      return after;
    });
  };

  return Object.freeze<WebhookWriter>({
    create: (by, values) => {
      checkWebhook(values);
      const [id, auditId] = [by.ids.next(), by.ids.next()];
      const secret = values.secret ?? newSigningSecret();
      return database.transaction(async (tx) => {
        const row = await insertWebhook(tx, {
          id,
          accountId: by.caller.accountId,
          url: values.url,
          events: values.events,
          secrets: JSON.stringify({ current: sealed(secret) }),
          nowMs: clock.now(),
        });
        await audit(tx, auditId, by, 'create', id, { after: showWebhook(row) });
        return { row, secret };
      });
    },
    change: (by, id, values) => change(by, id, 'update', values),
    rotate: async (by, id) => {
      const secret = newSigningSecret();
      return { row: await change(by, id, ROTATE, { secret }), secret };
    },
    remove: (by, id) => {
      const auditId = by.ids.next();
      return database.transaction(async (tx) => {
        const row = await held(tx, by, id);
        await deleteWebhook(tx, row);
        await audit(tx, auditId, by, 'delete', id, { before: showWebhook(row) });
      });
    },
  });
}

/** As it was before a rotation whose answer was lost: nobody has the secret that it made. */
function undoRotation(row: WebhookRow): WebhookRow {
  const { previous } = row.secrets;
  return previous === undefined ? row : { ...row, secrets: { current: previous } };
}

function changeOf(
  row: WebhookRow,
  values: WebhookValues,
  vault: Vault,
  sealed: (secret: string) => unknown,
  nowMs: number,
): WebhookChange {
  const { url = row.url, events = row.events, secret, status = row.status } = values;
  const reason = status === row.status ? row.status_reason : status === 'disabled' ? BY_HAND : null;
  // The secret that it has is no new one, and must not push the previous one out.
  const fresh = secret !== undefined && vault.open(row.secrets.current) !== secret;
  return {
    url,
    events,
    status,
    reason,
    secrets: JSON.stringify(fresh ? { current: sealed(secret), previous: row.secrets.current } : row.secrets),
    previousUntilMs: fresh ? nowMs + PREVIOUS_MS : (row.previous_until?.getTime() ?? null),
  };
}

/** Throws REQUEST_INVALID if an address or a secret cannot be used. */
export function checkWebhook({ url, secret }: WebhookValues): void {
  if (url !== undefined) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) {
      throw refused('/url', 'Give the address in full, with https: as in https://ops.example.com/sluiceway.');
    }
    if (parsed.username !== '' || parsed.password !== '') {
      throw refused(
        '/url',
        'The address holds a user name or password. Leave them out: events are signed, which says who sent them.',
      );
    }
  }
  if (secret !== undefined && signingKeyOf(secret) === undefined) {
    throw refused(
      '/secret',
      'A secret is "whsec_" and 24 to 64 random bytes in base64. Leave it out, and one is made.',
    );
  }
}
