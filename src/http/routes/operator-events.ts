/** The operator events of an account and of the whole platform. */
import { Failure } from '../../errors.ts';
import { OPERATOR_EVENTS } from '../../flows/operator-event-types.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isUuid } from '../../ids.ts';
import { listOperatorEvents, type OperatorEventRow } from '../../storage/operator-events.ts';
import { pageOf, readPage } from '../page.ts';
import { type Route, route } from '../route.ts';
import { anyObject, objectSchema, pageQuery, pageSchema, text, time, uuid } from '../schemas.ts';

const type = { enum: Object.keys(OPERATOR_EVENTS) };
const shownEvent = objectSchema({
  id: uuid,
  type,
  scope: { enum: ['account', 'platform'], description: 'Whom it is about.' },
  data: { ...anyObject, description: 'By type, as in docs/reference/operator-events.md.' },
  at: time,
});

/** Routes of operator events. */
export function operatorEventRoutes(runtime: Runtime): Route[] {
  return [
    route({
      method: 'GET',
      path: '/operator-events',
      action: 'read',
      tag: 'operator-events',
      summary: 'What operators were told, newest first.',
      query: {
        ...pageQuery,
        type: { ...type, description: 'Only events of this type.' },
        after: text('Only events after the one with this id.'),
      },
      answers: { 200: { description: 'A page of events.', schema: pageSchema(shownEvent) } },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const only = { type: query.type as string | undefined, after: readAfter(query.after) };
        const { rows, total } = await listOperatorEvents(runtime.database, caller.accountId, page, only);
        return { status: 200, body: pageOf(rows, total, page.limit, shown) };
      },
    }),
  ];
}

function readAfter(after: unknown): string | undefined {
  if (after === undefined || isUuid(after)) return after;
  const message = 'Use the id of an operator event.';
  throw new Failure('REQUEST_INVALID', `"after" is not an id. ${message}`, {
    problems: [{ pointer: '/query/after', message }],
  });
}

function shown(row: OperatorEventRow) {
  return {
    id: row.id,
    type: row.type,
    scope: row.account_id === null ? 'platform' : 'account',
    data: row.data,
    at: row.at,
  };
}
