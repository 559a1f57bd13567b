/** Looking into the answers of the API. */
import { isObject, own } from '../../src/json.ts';
import type { Answer } from './api.ts';

/** The member at a path such as `fields.token` or `data.0.id`. */
export function at(value: unknown, path: string): unknown {
  return path.split('.').reduce((inner: unknown, key) => own(inner, key), value);
}

/** The text at a path; anything else fails the test. */
export function textAt(answer: Answer, path: string): string {
  const found = at(answer.body, path);
  if (typeof found !== 'string') throw new Error(`${path} is no text in ${answer.text}`);
  return found;
}

/** The rows of a page. */
export function rowsOf(answer: Answer): readonly Record<string, unknown>[] {
  const rows = at(answer.body, 'data');
  if (!Array.isArray(rows)) throw new Error(`no page: ${answer.text}`);
  return rows.filter(isObject);
}

/** The pointers of a problem answer. */
export function pointersOf(answer: Answer): unknown[] {
  const problems = at(answer.body, 'problems');
  return Array.isArray(problems) ? problems.map((problem) => own(problem, 'pointer')) : [];
}
