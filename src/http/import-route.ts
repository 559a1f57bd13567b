/** A route that takes a stream of rows, NDJSON or CSV, and answers with a tally. */
import type { Action } from '../access/permissions.ts';
import type { Caller } from '../access/tokens.ts';
import { Failure } from '../errors.ts';
import { importRows, newTally, type Tally, type Written } from '../flows/audience/import/import-rows.ts';
import { readLines } from '../flows/audience/import/read-lines.ts';
import { type ReadHeader, readCsv, readNdjson } from '../flows/audience/import/read-rows.ts';
import type { Runtime } from '../flows/runtime.ts';
import { writeAudit } from '../storage/audit.ts';
import type { Validator } from '../validate.ts';
import { type Route, route } from './route.ts';
import { objectSchema } from './schemas.ts';

const NDJSON = 'application/x-ndjson';
const CSV = 'text/csv';
const MOST_LINE_BYTES = 1_048_576;

/** What one kind of import needs. */
export interface Import<Request> {
  /** `profiles`, `subscriptions` or `suppressions`. */
  readonly tag: string;
  /** Who may; as profiles where it is left out. */
  readonly action?: Action;
  readonly summary: string;
  /** The check of one row. */
  readonly row: Validator;
  readonly readHeader: ReadHeader;
  readonly write: (
    caller: Caller,
    requests: readonly Request[],
    cells: boolean,
  ) => Promise<readonly Written[]>;
}

const tallySchema = objectSchema({
  created: { type: 'integer' },
  updated: { type: 'integer' },
  failed: { type: 'integer' },
  problems: {
    type: 'array',
    description: 'The first 1,000 rows that were refused, by the number of their line.',
    items: objectSchema({ line: { type: 'integer' }, message: { type: 'string' } }),
  },
});

/** `POST /<tag>/import`. What was read before a stream breaks off stays, and the audit says how much that was. */
export function importRoute<Request>(runtime: Runtime, kind: Import<Request>): Route {
  const { database, clock } = runtime;
  return route({
    method: 'POST',
    path: `/${kind.tag}/import`,
    action: kind.action ?? 'profiles.write',
    tag: kind.tag,
    summary: kind.summary,
    stream: [NDJSON, CSV],
    answers: { 200: { description: 'What became of the rows.', schema: tallySchema } },
    run: async ({ caller, raw, ids }) => {
      if (raw.body === null)
        throw new Failure('REQUEST_MALFORMED', 'Send the rows as the body of the request.');
      const isCsv = (raw.headers.get('content-type') ?? '').toLowerCase().startsWith(CSV);
      const lines = readLines(raw.body, MOST_LINE_BYTES);
      const tally: Tally = newTally();
      try {
        await importRows(
          isCsv ? readCsv(lines, kind.readHeader) : readNdjson(lines),
          (values) => writeChecked(kind, caller, values, isCsv),
          tally,
        );
      } finally {
        const { created, updated, failed } = tally;
        await writeAudit(database, {
          id: ids.next(),
          accountId: caller.accountId,
          tokenId: caller.tokenId,
          action: `${kind.tag}.import`,
          subject: kind.tag,
          after: { created, updated, failed },
          nowMs: clock.now(),
        });
      }
      return { status: 200, body: tally };
    },
  });
}

/** Writes the rows that have the right members, and says of each what became of it. */
async function writeChecked<Request>(
  kind: Import<Request>,
  caller: Caller,
  values: readonly unknown[],
  cells: boolean,
): Promise<Written[]> {
  const refusals = values.map((value) => {
    const problems = kind.row.check(value);
    return problems.length === 0
      ? undefined
      : new Failure('REQUEST_INVALID', 'The row is not right.', { problems });
  });
  const sound = values.filter((_, place) => refusals[place] === undefined);
  // The check has seen that each is one.
  const written = await kind.write(caller, sound as readonly Request[], cells);
  let next = 0;
  return refusals.map((refusal) => refusal ?? (written[next++] as Written));
}
