/** The text of a value, by the rules of the channel format, section 5. */
export function toText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return numberText(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      if (value === null) return '';
      if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
      return JSON.stringify(value, bytesAsText);
    default:
      return '';
  }
}

function bytesAsText(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  return original instanceof Uint8Array ? Buffer.from(original).toString('utf8') : value;
}

/** Plain decimal, never an exponent. */
function numberText(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  if (Number.isInteger(value)) return BigInt(value).toString();
  return value.toFixed(100).replace(/0+$/, '').replace(/\.$/, '');
}
