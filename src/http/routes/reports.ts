/** Reports: events over time with their names and colours, and messages by state; as JSON, or as CSV for spreadsheets. */
import { Failure } from '../../errors.ts';
import type { Directory } from '../../flows/directory/directory.ts';
import { makeReport, type Report, stepOf } from '../../flows/reports/report.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isUuid } from '../../ids.ts';
import type { JsonObject } from '../../json.ts';
import { launchesOfMailing } from '../../storage/launches.ts';
import { readMailing } from '../../storage/mailings.ts';
import type { Step } from '../../storage/reports.ts';
import { CSV_TYPE, type CsvRow, csvAnswer, wantsCsv } from '../csv.ts';
import { rangeQuery, readMoment } from '../range.ts';
import { type ApiAnswer, type Route, route } from '../route.ts';
import { objectSchema, text, time } from '../schemas.ts';
import { visibleChannel } from '../visible-channel.ts';

/** What a channel report looks at where no range is given. */
const USUAL_RANGE_MS = 7 * 86_400_000;
/** Providers' clocks may be behind ours: nothing that a mailing did is left out for it. */
const BEHIND_MS = 86_400_000;

const count = { type: 'integer', description: 'Messages: each once, at its first occurrence.' } as const;
const total = { type: 'integer', description: 'All occurrences.' } as const;

const shownReport = objectSchema({
  from: time,
  to: time,
  step: { enum: ['hour', 'day'] },
  messages: { type: 'object', additionalProperties: { type: 'integer' }, description: 'Messages by state.' },
  skipped: {
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'Suppressed messages by reason.',
  },
  events: {
    type: 'array',
    items: objectSchema({
      sid: text("The channel's own name of the event."),
      name: text('For people.'),
      type: text('The platform event type.'),
      color: { type: ['string', 'null'] },
      count,
      total,
      series: { type: 'array', items: objectSchema({ time, count, total }) },
    }),
  },
});

const query: JsonObject = {
  ...rangeQuery,
  step: {
    enum: ['hour', 'day'],
    description: 'Width of a step, in UTC. Default: hour up to three days, else day.',
  },
};
const answers = {
  200: {
    description: 'The report; with "Accept: text/csv" one line per event and step.',
    schema: shownReport,
    also: [CSV_TYPE],
  },
} as const;

/** Routes of reports. */
export function reportRoutes(runtime: Runtime, directory: Directory): Route[] {
  const { database, clock } = runtime;
  return [
    route({
      method: 'GET',
      path: '/reports/channels/{sid}',
      action: 'read',
      tag: 'reports',
      summary: 'What happened in a channel; the last seven days where no range is given.',
      query,
      answers,
      run: async ({ caller, params, query, accept }) => {
        const { row, channel } = await visibleChannel(directory, caller.accountId, params.sid ?? '');
        const toMs = readMoment(query, 'to') ?? clock.now() + 1;
        const fromMs = readMoment(query, 'from') ?? toMs - USUAL_RANGE_MS;
        const scope = { accountId: caller.accountId, channelId: row.id, fromMs, toMs };
        const step = (query.step as Step | undefined) ?? stepOf(fromMs, toMs);
        return answerOf(
          `report-${row.sid}`,
          accept,
          await makeReport(runtime, channel.document, scope, step),
        );
      },
    }),
    route({
      method: 'GET',
      path: '/reports/mailings/{id}',
      action: 'read',
      tag: 'reports',
      summary:
        'What happened in a mailing, over all its launches; from the first one on where no range is given.',
      query,
      answers,
      run: async ({ caller, params, query, accept }) => {
        const id = params.id ?? '';
        const mailing = isUuid(id) ? await readMailing(database, id, caller.accountId) : undefined;
        if (mailing === undefined) throw new Failure('NOT_FOUND', 'There is no mailing with this id.');
        // Tests and moderation are not what people received.
        const launches = (await launchesOfMailing(database, id)).filter((launch) => launch.kind === 'real');
        const [first] = launches;
        const toMs = readMoment(query, 'to') ?? clock.now() + 1;
        const given = readMoment(query, 'from');
        const fromMs = given ?? (first?.started_at ?? mailing.created_at).getTime();
        const launchIds = launches.map((launch) => launch.id);
        const step = (query.step as Step | undefined) ?? stepOf(fromMs, toMs);
        const { document } =
          first === undefined
            ? (await visibleChannel(directory, caller.accountId, mailing.channel)).channel
            : await directory.version(launches.at(-1)?.channel_version_id ?? first.channel_version_id);
        const sinceMs = given ?? fromMs - BEHIND_MS;
        const scope = { accountId: caller.accountId, launchIds, fromMs, toMs, sinceMs };
        return answerOf(`report-${id}`, accept, await makeReport(runtime, document, scope, step));
      },
    }),
  ];
}

const COLUMNS = ['event', 'name', 'type', 'color', 'time', 'count', 'total'];

function answerOf(name: string, accept: string, report: Report): ApiAnswer {
  return wantsCsv(accept) ? csvAnswer(name, COLUMNS, lines(report)) : { status: 200, body: report };
}

async function* lines({ events }: Report): AsyncGenerator<readonly CsvRow[], void> {
  for (const { sid, name, type, color, series } of events) {
    yield series.map((point) => ({ event: sid, name, type, color, ...point }));
  }
}
