/**
 * Takes in what a CMS says has changed. Only the id of the entry is believed, and only of a signed body; the entry itself
 * is fetched later, from a waiting row, so that a forged or stale body changes nothing.
 */
import { createHmac } from 'node:crypto';
import { Failure } from '../../errors.ts';
import { isUuid } from '../../ids.ts';
import { readSource } from '../../storage/content-sources.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { decodeBytes, sameBytes } from '../listener/bytes.ts';
import type { Runtime } from '../runtime.ts';
import { openSource } from './source-settings.ts';
import { writeTask } from './sync-row.ts';

/** A webhook as it came. */
export interface SourceWebhook {
  readonly sourceId: string;
  /** The header `X-Webhook-Signature`. */
  readonly signature: string | null;
  readonly body: Buffer;
}

const SIGNATURE = /^sha256=([0-9a-f]{64})$/i;

/**
 * Writes a waiting row for the entry. Throws REQUEST_MALFORMED for an id or a body that names nothing, NOT_FOUND, FORBIDDEN
 * where the source has no secret, SIGNATURE_INVALID.
 */
export async function acceptWebhook(
  runtime: Runtime,
  lanes: Lanes,
  wakeLanes: (laneIds: readonly number[]) => void,
  webhook: SourceWebhook,
): Promise<void> {
  const { database, clock, ids, vault } = runtime;
  const { sourceId, body } = webhook;
  if (!isUuid(sourceId)) {
    throw new Failure(
      'REQUEST_MALFORMED',
      'The address names no content source: its last part must be the id of one.',
    );
  }
  const row = await readSource(database, sourceId);
  if (row === undefined) throw new Failure('NOT_FOUND', 'There is no content source with this id.');
  const { adapter, config, webhookSecret } = openSource(vault, row);
  if (webhookSecret === undefined) {
    throw new Failure(
      'FORBIDDEN',
      'This content source has no webhookSecret, so nothing that is sent here can be trusted. An admin sets one.',
    );
  }
  if (!isSigned(webhook, webhookSecret)) {
    throw new Failure(
      'SIGNATURE_INVALID',
      'The header X-Webhook-Signature must be "sha256=" and the hex HMAC-SHA256 of the body with the webhookSecret of the source.',
    );
  }
  const externalId = adapter.externalIdOf(config, parse(body));
  if (externalId === undefined) {
    throw new Failure(
      'REQUEST_MALFORMED',
      `The body names no entry of ${adapter.title}: it must be JSON with its id in "id", "sys.id" or "_id".`,
    );
  }
  const lane = await lanes.sourceLane(row.account_id, row.id);
  const place = { accountId: row.account_id, sourceId: row.id, laneId: lane.id };
  await writeTask(database, place, ids.next(), { sourceId: row.id, kind: 'entry', externalId }, clock.now());
  wakeLanes([lane.id]);
}

function isSigned({ signature, body }: SourceWebhook, secret: string): boolean {
  const given = decodeBytes(SIGNATURE.exec(signature ?? '')?.[1] ?? '', 'hex');
  return given !== undefined && sameBytes(given, createHmac('sha256', secret).update(body).digest());
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
