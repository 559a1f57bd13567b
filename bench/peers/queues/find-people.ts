/**
 * The people that messages go to, in tables beside the queue: a job names its person, and what is sent is what the
 * tables say when it is sent, as with our engine. Asked for many at once, as record-events.ts writes.
 */
import pg from 'pg';
import { createBatcher } from '../../../src/flows/batcher.ts';
import { type Message, messageOf, type Person } from '../message.ts';

const PAGE = 5_000;

export interface People {
  /** Rejects where there is no such person, or one that is not subscribed. */
  readonly find: (number: number) => Promise<Person>;
  readonly close: () => Promise<void>;
}

/** Makes the tables, fills them with the people of the first `count` messages and opens the connection that reads. */
export async function openPeople(databaseUrl: string, count: number): Promise<People> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, idleTimeoutMillis: 0 });
  await pool.query('create table bench_profile (id text primary key, fields jsonb not null)');
  await pool.query(
    `create table bench_subscription (profile_id text not null, channel_id int not null, status text not null,
     fields jsonb not null, primary key (profile_id, channel_id))`,
  );
  for (let from = 0; from < count; from += PAGE) {
    const page = Array.from({ length: Math.min(PAGE, count - from) }, (_, index) => messageOf(from + index));
    const ids = page.map((message) => profileId(message.number));
    await pool.query('insert into bench_profile select * from unnest($1::text[], $2::jsonb[])', [
      ids,
      page.map((message) => JSON.stringify(message.customer)),
    ]);
    await pool.query(
      `insert into bench_subscription select id, 1, 'subscribed', fields from unnest($1::text[], $2::jsonb[]) as r (id, fields)`,
      [ids, page.map(({ phone }) => JSON.stringify({ phone }))],
    );
  }
  await pool.query('analyze bench_profile, bench_subscription');
  return {
    find: createBatcher<number, Person>(async (numbers) => {
      const { rows } = await pool.query<{ customer: Message['customer']; fields: { phone: string } }>({
        name: 'find',
        text: `select p.fields as customer, s.fields from unnest($1::text[]) with ordinality as a (id, place)
               join bench_profile p on p.id = a.id
               join bench_subscription s on s.profile_id = p.id and s.channel_id = 1 and s.status = 'subscribed'
               order by a.place`,
        values: [numbers.map(profileId)],
      });
      if (rows.length < numbers.length) throw new Error('A person is not there.');
      return rows.map((row) => ({ customer: row.customer, phone: row.fields.phone }));
    }, PAGE).add,
    close: () => pool.end(),
  };
}

function profileId(number: number): string {
  return `p-${number}`;
}
