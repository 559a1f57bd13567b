/** A dry run in lines for people. */
import { isObject, type JsonObject } from '../json.ts';

/** What a run came to: its end, what it did, and its trace; secrets are masked. */
export interface ShownRun {
  /** Undefined where a listener answered without a run. */
  readonly status: string | undefined;
  readonly happened: Readonly<Record<string, unknown>>;
  readonly trace: readonly JsonObject[];
  readonly notes: readonly string[];
}

/** Writes the trace pipe by pipe, then what the run did, then how it ended. */
export function dryRunText(run: ShownRun & { readonly channel: string; readonly pipeline: string }): string {
  const width = Math.max(4, ...run.trace.map((step) => String(step.type).length));
  const { happened } = run;
  return [
    `${run.channel} · ${run.pipeline}`,
    ...run.trace.flatMap((step) => [
      `${String(step.pipe).padStart(3)} ${String(step.type).padEnd(width)}  ${exitOf(step)}`,
      ...detailsOf(step).map((line) => `      ${line}`),
    ]),
    ...listOf('event', happened.events),
    ...listOf('scheduled', happened.later),
    ...listOf('waits', happened.branches),
    ...single('result', happened.result),
    ...single('waits', happened.wait),
    ...single('error', run.status === 'done' ? undefined : happened.error),
    ...single('answered', happened.response),
    ...run.notes.map((note) => `note: ${note}`),
    run.status === undefined ? 'ended without a run' : `ended: ${run.status}`,
    '',
  ].join('\n');
}

function exitOf({ exit }: JsonObject): string {
  if (exit === 'stopped' || exit === 'wait') return String(exit);
  return `→ ${String(exit)}`;
}

function detailsOf({ request, response, error, rule, log, stopped }: JsonObject): string[] {
  return [
    ...(isObject(request) ? requestLines(request) : []),
    ...(isObject(response) ? responseLines(response) : []),
    ...(isObject(error) ? [`${String(error.code)}: ${String(error.message)}`] : []),
    ...(typeof rule === 'string' ? [`rule: ${rule}`] : []),
    ...(Array.isArray(log) ? log.filter(isObject).map(logLine) : []),
    ...(typeof stopped === 'string' ? [stopped] : []),
  ];
}

function requestLines(request: Readonly<Record<string, unknown>>): string[] {
  // A code module shows what it does in words of its own.
  if (typeof request.method !== 'string') return [`> ${JSON.stringify(request)}`];
  return [
    `> ${request.method} ${String(request.url)}`,
    ...headerLines('>', request.headers),
    ...(typeof request.auth === 'string' ? [`> (shows who sends by ${request.auth})`] : []),
    ...bodyLines('>', request.body),
  ];
}

function responseLines(response: Readonly<Record<string, unknown>>): string[] {
  if (typeof response.status !== 'number') return [`< ${JSON.stringify(response)}`];
  return [`< ${response.status}`, ...headerLines('<', response.headers), ...bodyLines('<', response.body)];
}

function headerLines(mark: string, headers: unknown): string[] {
  return isObject(headers)
    ? Object.entries(headers).map(([name, value]) => `${mark} ${name}: ${String(value)}`)
    : [];
}

function bodyLines(mark: string, body: unknown): string[] {
  return typeof body === 'string' && body !== '' ? body.split('\n').map((line) => `${mark}   ${line}`) : [];
}

function logLine({ level, message }: Readonly<Record<string, unknown>>): string {
  return `log ${String(level)}: ${String(message)}`;
}

function listOf(name: string, values: unknown): string[] {
  return Array.isArray(values) ? values.map((value) => `${name}: ${JSON.stringify(value)}`) : [];
}

function single(name: string, value: unknown): string[] {
  return value === undefined ? [] : [`${name}: ${JSON.stringify(value)}`];
}
