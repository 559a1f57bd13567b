/** Values of fields as code modules read them. They were checked when they were saved; what is missing has its default. */

type Values = Readonly<Record<string, unknown>>;

/** The text of a field; an empty one where there is none. */
export function textOf(values: Values, field: string, otherwise = ''): string {
  const value = Object.hasOwn(values, field) ? values[field] : undefined;
  return typeof value === 'string' && value !== '' ? value : otherwise;
}

/** The number of a field. */
export function numberOf(values: Values, field: string, otherwise: number): number {
  const value = Object.hasOwn(values, field) ? values[field] : undefined;
  return typeof value === 'number' ? value : otherwise;
}

/** What a provider said, on one line and not too long. */
export function quoted(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 500);
}
