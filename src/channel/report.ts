/** Gathers the findings of a check, each at its place. */
import type { Finding } from './finding.ts';
import { type FindingCode, findingOf } from './rules/codes.ts';
import type { SourceText } from './source-text.ts';

/** More findings than this help nobody. */
const MAX_FINDINGS = 500;

/** A place in a source text. */
export interface Place {
  readonly source: SourceText;
  readonly pointer: string;
  /** Whether the member itself is meant or its name. */
  readonly of?: 'value' | 'key';
}

export interface Report {
  readonly add: (code: FindingCode, at: Place, message: string, suggestion?: string) => void;
  /** Takes over what a source text says about itself. */
  readonly take: (findings: readonly Finding[]) => void;
  readonly findings: () => readonly Finding[];
  /** True while no error was added. */
  readonly sound: () => boolean;
}

/** An empty report. */
export function createReport(): Report {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  let wrong = false;
  const push = (finding: Finding) => {
    if (finding.severity === 'error') wrong = true;
    const key = [finding.code, finding.file, finding.pointer, finding.message].join('\0');
    if (findings.length >= MAX_FINDINGS || seen.has(key)) return;
    seen.add(key);
    findings.push(finding);
  };
  return {
    add: (code, at, message, suggestion) => {
      if (findings.length >= MAX_FINDINGS) {
        // Only whether there was an error still matters.
        wrong ||= findingOf(code, NOWHERE).severity === 'error';
        return;
      }
      const { source, pointer, of } = at;
      push(
        findingOf(code, {
          file: source.file,
          ...source.locate(pointer, of),
          pointer,
          message,
          ...(suggestion !== undefined && { suggestion }),
        }),
      );
    },
    take: (more) => more.forEach(push),
    findings: () => [...findings].sort(byPlace),
    sound: () => !wrong,
  };
}

const NOWHERE = Object.freeze({ file: '', line: 1, column: 1, pointer: '', message: '' });

/** By file in the order of appearance is not kept: files by name, then from top to bottom. */
function byPlace(left: Finding, right: Finding): number {
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.line - right.line || left.column - right.column;
}
