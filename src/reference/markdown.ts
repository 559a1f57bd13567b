/** Pieces of Markdown. */

/** Said at the top of every page, so that nobody edits it. */
export const GENERATED = '<!-- Written by `npm run reference` from the source; do not edit by hand. -->';

/** A table; cells hold no line breaks. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => ' --- |').join('')}`, ...rows.map(line)].join('\n');
}

/** A value as code. */
export function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** A block of JSON. */
export function jsonBlock(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
}

/** A page of a title and blocks. */
export function page(title: string, blocks: readonly string[]): string {
  return `${[GENERATED, `# ${title}`, ...blocks].join('\n\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
