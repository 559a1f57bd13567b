/** Suppressions: addresses that are not sent to, with scope, reason, source and expiry. */
import { Failure } from '../../errors.ts';
import { suppressionHeader } from '../../flows/audience/import/headers.ts';
import type { Directory } from '../../flows/directory/directory.ts';
import {
  createWriteSuppressions,
  type SuppressionRequest,
  type WriteSuppressions,
} from '../../flows/guards/write-suppressions.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { readAddressKeys } from '../../flows/settlement/address-keys.ts';
import { isUuid } from '../../ids.ts';
import { writeAudit } from '../../storage/audit.ts';
import {
  countSuppressions,
  deleteSuppression,
  readSuppressions,
  SUPPRESSION_SCOPES,
  SUPPRESSION_SOURCES,
  type SuppressionFilter,
  type SuppressionRow,
} from '../../storage/suppressions.ts';
import { compileSchema } from '../../validate.ts';
import { channelNames } from '../channel-names.ts';
import { checkRequest } from '../check-request.ts';
import { CSV_TYPE, type CsvRow, csvAnswer, wantsCsv } from '../csv.ts';
import { importRoute } from '../import-route.ts';
import { pageOf, readPage } from '../page.ts';
import { problemOf } from '../problem.ts';
import { type ApiRequest, type Route, route } from '../route.ts';
import { anyObject, ifHas, objectSchema, pageQuery, pageSchema, sid, text, time, uuid } from '../schemas.ts';

const MOST_AT_ONCE = 1_000;
const EXPORT_ROWS = 1_000;
const scope = {
  enum: [...SUPPRESSION_SCOPES],
  description: 'global: whatever is sent. list: what the resource sends, unless it is transactional.',
};
const members = {
  address: text('Email address, phone number, token: what the address field of channels holds.', {
    minLength: 1,
    maxLength: 4_096,
  }),
  channel: { ...sid, description: 'The sid of a direct channel. Default: every channel.' },
  resource: { ...sid, description: 'The sid of the resource, for scope "list".' },
  scope: { ...scope, description: `${scope.description} Default: list with a resource, global without.` },
  reason: text('Why, in a word that reports can count. Default: the source.', {
    minLength: 1,
    maxLength: 255,
  }),
  expiresAt: { ...time, description: 'Until then. Default: for good.' },
};
const suppressionRequest = objectSchema(members, ['address']);
const nullable = { type: ['string', 'null'] };
const shownSuppression = objectSchema({
  id: uuid,
  address: { ...nullable, description: 'null where the address field is secret.' },
  channel: nullable,
  resource: nullable,
  scope,
  reason: text('Why.'),
  source: { enum: [...SUPPRESSION_SOURCES] },
  message: { ...nullable, description: 'The message whose event it came from.' },
  createdAt: time,
  expiresAt: nullable,
});
const filterQuery = {
  address: text('Only this address, however it is written.'),
  channel: text('Only those of this channel.'),
  scope,
  reason: text('Only those with exactly this reason.'),
  source: { enum: [...SUPPRESSION_SOURCES] },
};

/** Routes of suppressions. The audit never names an address. */
export function suppressionRoutes(runtime: Runtime, directory: Directory): Route[] {
  const { database, clock } = runtime;
  const names = channelNames(runtime, directory);
  const { write } = createWriteSuppressions(runtime, directory);

  const filterOf = async (query: Readonly<Record<string, unknown>>): Promise<SuppressionFilter> => {
    const { address, channel, ...rest } = query as SuppressionFilter & Record<string, string | undefined>;
    const found = address === undefined ? undefined : (await readAddressKeys(runtime)).of(address);
    return {
      keys: address === undefined ? undefined : [found?.plain ?? '', found?.hash ?? ''],
      channelId: await names.idOf(channel),
      scope: rest.scope,
      reason: rest.reason,
      source: rest.source,
    };
  };
  const audited =
    (
      request: Pick<ApiRequest, 'caller' | 'ids'>,
      action: string,
    ): Parameters<WriteSuppressions['write']>[4] =>
    (run) => {
      const id = request.ids.next();
      return database.transaction(async (tx) => {
        await run(tx);
        const { accountId, tokenId } = request.caller;
        const named = { action: `suppressions.${action}`, subject: 'suppressions', nowMs: clock.now() };
        await writeAudit(tx, { id, accountId, tokenId, ...named });
      });
    };
  const find = async (accountId: string, id: string) => {
    const [row] = await readSuppressions(database, accountId, { id }, { limit: 1, before: undefined });
    if (row === undefined) throw new Failure('BUG', 'A written suppression is not there.');
    return shown(row);
  };

  return [
    route<SuppressionRequest | { suppressions: readonly unknown[] }>({
      method: 'POST',
      path: '/suppressions',
      action: 'suppressions.write',
      tag: 'suppressions',
      summary: 'Suppress one address, or up to 1,000 in one call; one that is there is changed.',
      body: {
        description: 'A suppression, or `suppressions`.',
        ...ifHas(
          'suppressions',
          objectSchema({
            suppressions: { type: 'array', items: anyObject, minItems: 1, maxItems: MOST_AT_ONCE },
          }),
          suppressionRequest,
        ),
      },
      answers: {
        200: {
          description: 'The changed suppression; of several { "id" } or { "problem" } each, in order.',
          schema: anyObject,
        },
        201: { description: 'The new suppression.', schema: shownSuppression },
      },
      run: async (request) => {
        const { caller, body, ids } = request;
        const within = audited(request, 'create');
        if (!('suppressions' in body)) {
          const [written] = await write(caller.accountId, 'api', [body], ids, within);
          if (written instanceof Failure || written === undefined)
            throw written ?? new Failure('BUG', 'A suppression was not written.');
          return {
            status: written.created ? 201 : 200,
            body: await find(caller.accountId, written.id),
          };
        }
        const checked = body.suppressions.map(checkOne);
        const sound = checked.filter((each) => !(each instanceof Failure)) as SuppressionRequest[];
        const written = await write(caller.accountId, 'api', sound, ids, within);
        let next = 0;
        const results = checked
          .map((each) => (each instanceof Failure ? each : written[next++]))
          .map((each) => (each instanceof Failure ? { problem: problemOf(each) } : { id: each?.id }));
        return { status: 200, body: { results } };
      },
    }),
    importRoute<SuppressionRequest>(runtime, {
      tag: 'suppressions',
      action: 'suppressions.write',
      summary:
        'Import suppressions: NDJSON with a suppression on each line, or CSV with the column address and, if wanted, channel, resource, scope, reason and expiresAt.',
      row: compileSchema(suppressionRequest),
      readHeader: suppressionHeader,
      write: async ({ accountId }, requests) => {
        const written = await write(accountId, 'import', requests, runtime.ids);
        return written.map((each) => (each instanceof Failure ? each : each.created ? 'created' : 'updated'));
      },
    }),
    route({
      method: 'GET',
      path: '/suppressions',
      action: 'suppressions.read',
      tag: 'suppressions',
      summary: 'Suppressed addresses, newest first.',
      query: { ...pageQuery, ...filterQuery },
      answers: {
        200: {
          description: 'A page of suppressions; with "Accept: text/csv" all of them, one line each.',
          schema: pageSchema(shownSuppression),
          also: [CSV_TYPE],
        },
      },
      run: async ({ caller, query, accept }) => {
        const page = readPage(query);
        const filter = await filterOf(query);
        if (wantsCsv(accept)) {
          const rows = exportSuppressions(runtime, caller.accountId, filter, page.before);
          return csvAnswer('suppressions', CSV_COLUMNS, rows);
        }
        const [rows, total] = await Promise.all([
          readSuppressions(database, caller.accountId, filter, { ...page, limit: page.limit + 1 }),
          countSuppressions(database, caller.accountId, filter),
        ]);
        return { status: 200, body: pageOf(rows, total, page.limit, shown) };
      },
    }),
    route({
      method: 'DELETE',
      path: '/suppressions/{id}',
      action: 'suppressions.write',
      tag: 'suppressions',
      summary: 'Send to an address again.',
      answers: { 204: { description: 'It is gone.' } },
      run: async ({ caller, params, ids }) => {
        const id = params.id ?? '';
        const auditId = ids.next();
        const { accountId, tokenId } = caller;
        await database.transaction(async (tx) => {
          const row = isUuid(id) ? await deleteSuppression(tx, accountId, id) : undefined;
          if (row === undefined) throw new Failure('NOT_FOUND', 'There is no suppression with this id.');
          const { address: _address, ...before } = shown(row);
          const named = { action: 'suppressions.delete', subject: `suppressions/${id}`, nowMs: clock.now() };
          await writeAudit(tx, { id: auditId, accountId, tokenId, before, ...named });
        });
        return { status: 204 };
      },
    }),
  ];
}

const oneSuppression = compileSchema(suppressionRequest);

/** The request, or why it is none. */
function checkOne(value: unknown): SuppressionRequest | Failure {
  try {
    checkRequest(oneSuppression, value);
    return value as SuppressionRequest;
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
}

const CSV_COLUMNS = Object.keys(shownSuppression.properties ?? {});

async function* exportSuppressions(
  { database }: Runtime,
  accountId: string,
  filter: SuppressionFilter,
  from: string | undefined,
): AsyncGenerator<readonly CsvRow[], void> {
  let before = from;
  for (;;) {
    const rows = await readSuppressions(database, accountId, filter, { limit: EXPORT_ROWS, before });
    if (rows.length > 0) yield rows.map(shown);
    if (rows.length < EXPORT_ROWS) return;
    before = rows.at(-1)?.id;
  }
}

function shown(row: SuppressionRow) {
  return {
    id: row.id,
    address: row.address,
    channel: row.channel,
    resource: row.resource,
    scope: row.resource === null ? ('global' as const) : ('list' as const),
    reason: row.reason,
    source: row.source,
    message: row.message_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
