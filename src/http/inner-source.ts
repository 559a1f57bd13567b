/** A document inside a request body, with the places it has there. */
import type { Finding } from '../channel/finding.ts';
import { parseSource, type SourceText } from '../channel/source-text.ts';
import { own } from '../json.ts';

/** The member of a body as a source text. */
export function innerSource(file: string, body: string, member: string): SourceText {
  const outer = parseSource(file, body);
  const { file: name, findings, locate } = outer;
  return {
    file: name,
    findings,
    value: own(outer.value, member),
    locate: (pointer, of) => locate(`/${member}${pointer}`, of),
  };
}

/** Findings in that document, with pointers into the body. */
export function outward<F extends { readonly pointer: string } & Pick<Partial<Finding>, 'file'>>(
  findings: readonly F[],
  file: string,
  member: string,
): readonly F[] {
  return findings.map((finding) =>
    (finding.file ?? file) === file ? { ...finding, pointer: `/${member}${finding.pointer}` } : finding,
  );
}
