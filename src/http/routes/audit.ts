/** The audit: who changed what, with before and after. */
import type { Runtime } from '../../flows/runtime.ts';
import { type AuditRow, listAudit } from '../../storage/audit.ts';
import { pageOf, readPage } from '../page.ts';
import { type Route, route } from '../route.ts';
import { objectSchema, pageQuery, pageSchema, text, time, uuid } from '../schemas.ts';

const shownEntry = objectSchema({
  id: uuid,
  tokenId: { type: ['string', 'null'], description: 'The token that was used.' },
  userId: {
    type: ['string', 'null'],
    description: 'The user of that token; null for commands of an operator.',
  },
  action: text('For example `senders.update`.'),
  subject: text('What was changed, as its address below /api/v1.'),
  before: { description: 'As it was; secrets are masked.' },
  after: { description: 'As it is since; secrets are masked.' },
  at: time,
});

/** Routes of the audit. */
export function auditRoutes(runtime: Runtime): Route[] {
  return [
    route({
      method: 'GET',
      path: '/audit',
      action: 'audit.read',
      tag: 'audit',
      summary: 'Changes of this account, newest first.',
      query: pageQuery,
      answers: { 200: { description: 'A page of changes.', schema: pageSchema(shownEntry) } },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const { rows, total } = await listAudit(runtime.database, caller.accountId, page);
        return { status: 200, body: pageOf(rows, total, page.limit, shown) };
      },
    }),
  ];
}

function shown(row: AuditRow) {
  return {
    id: row.id,
    tokenId: row.token_id,
    userId: row.user_id,
    action: row.action,
    subject: row.subject,
    before: row.before,
    after: row.after,
    at: row.at,
  };
}
