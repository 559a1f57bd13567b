/** The pages that are one table each: errors, findings, settings. */
import { FINDING_CODES } from '../channel/rules/codes.ts';
import { SETTINGS, type Setting } from '../config.ts';
import { type Blame, FAILURES } from '../errors.ts';
import { code, page, table } from './markdown.ts';

const BLAMES: Readonly<Record<Blame, string>> = {
  author: 'anyone who wrote the document',
  caller: 'anyone who sent the request',
  operator: 'anyone who runs Sluiceway',
  provider: 'the provider refused',
  weather: 'nobody: no answer came',
  us: 'Sluiceway has a bug',
  shutdown: 'Sluiceway is stopping',
};

/** Every code of a problem answer, of an attempt and of `$error`. */
export function errorsPage(): string {
  const rows = Object.entries(FAILURES).map(([name, failure]) => [
    `<a id="${name.toLowerCase()}"></a>${code(name)}`,
    String(failure.status),
    failure.title,
    BLAMES[failure.blame],
  ]);
  return page('Errors', [
    'Problem answers (RFC 9457) carry one of these in `code`; a code never changes its meaning. ' +
      'In a pipeline the error exit is taken, and `$error.code` is the HTTP status where there was one.',
    table(['code', 'status', 'meaning', 'who must act'], rows),
  ]);
}

/** Every code of a finding. */
export function findingsPage(): string {
  const rows = Object.entries(FINDING_CODES).map(([name, { severity, meaning }]) => [
    code(name),
    severity,
    meaning,
  ]);
  return page('Findings', [
    'What `sluiceway check` and `POST /api/v1/channels` say about a channel. An error keeps the channel out; a warning does not.',
    table(['code', 'severity', 'meaning'], rows),
  ]);
}

/** Every setting. */
export function settingsPage(): string {
  const rows = (SETTINGS as readonly Setting[]).map((setting) => [
    code(setting.name),
    setting.default === undefined ? '' : code(setting.default),
    setting.description,
  ]);
  return page('Settings', [
    'Read from the environment when the program starts; every mistake is named at once, and unknown names with `SLUICEWAY_` are refused.',
    table(['name', 'default', 'meaning'], rows),
  ]);
}
