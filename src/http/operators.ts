/** What operators' tools ask, without a token: health, readiness, metrics. */
import type { Hono } from 'hono';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { STAGES, type Stages } from '../flows/stages.ts';
import type { Database } from '../storage/database.ts';
import { gauges } from '../storage/gauges.ts';

export interface OperatorDeps {
  readonly database: Database;
  readonly stages: Stages;
  readonly ready: () => boolean;
}

/** Adds `GET /health`, `GET /readiness` and `GET /metrics`. */
export function mountOperations(app: Hono, deps: OperatorDeps): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const waiting = new Gauge({
    name: 'sluiceway_waiting',
    help: 'Events that wait, by lane.',
    labelNames: ['lane'],
    registers: [registry],
  });
  const messages = new Gauge({
    name: 'sluiceway_parked_events',
    help: 'Events of providers whose message is not known, by channel.',
    labelNames: ['channel'],
    registers: [registry],
  });

  const requests = (kind: string, help: string) =>
    new Gauge({
      name: `sluiceway_${kind}_listener_requests`,
      help,
      labelNames: ['channel', 'reason'],
      registers: [registry],
    });
  const failed = requests('failed', 'Requests of providers whose run failed and that were not run again.');
  const refused = requests('refused', 'Requests of providers that were refused.');

  const stage = (name: string, help: string) =>
    new Gauge({ name: `sluiceway_stage_${name}`, help, labelNames: ['stage'], registers: [registry] });
  const times = stage('times_total', 'How often a stage of the corridor was passed.');
  const items = stage('items_total', 'How many items passed a stage.');
  const seconds = stage('seconds_total', 'How long a stage took in all, waiting included.');

  app.get('/health', (context) => context.json({ status: 'up' }));
  app.get('/readiness', async (context) => {
    const failed: string[] = [];
    try {
      await deps.database.query('select 1');
    } catch {
      failed.push('The database does not answer.');
    }
    if (!deps.ready()) failed.push('The worker has not started.');
    return context.json(
      failed.length === 0 ? { status: 'ready' } : { status: 'not ready', failed },
      failed.length === 0 ? 200 : 503,
    );
  });
  app.get('/metrics', async (context) => {
    const counts = await gauges(deps.database);
    waiting.reset();
    messages.reset();
    for (const { lane, count } of counts.waiting) waiting.set({ lane }, count);
    for (const { channel, count } of counts.parked) messages.set({ channel: String(channel) }, count);
    failed.reset();
    refused.reset();
    for (const { channel, reason, count } of counts.failedRequests) failed.set({ channel, reason }, count);
    for (const { channel, reason, count } of counts.refusedRequests) refused.set({ channel, reason }, count);
    const totals = deps.stages.totals();
    for (const name of STAGES) {
      times.set({ stage: name }, totals[name].times);
      items.set({ stage: name }, totals[name].items);
      seconds.set({ stage: name }, totals[name].ms / 1_000);
    }
    return context.body(await registry.metrics(), 200, { 'content-type': registry.contentType });
  });
}
