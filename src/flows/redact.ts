/** Takes secrets out of whatever is kept or shown: by value, in the plain and in the encoded forms they travel in. */

const MASK = '***';
/** Shorter texts would mask half of every word. */
const SHORTEST = 4;

export type Redact = (text: string) => string;

/** A function that masks every given secret in a text. */
export function createRedact(secrets: readonly string[]): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < SHORTEST) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(new URLSearchParams({ s: secret }).toString().slice(2));
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(Buffer.from(secret).toString('base64'));
  }
  // The longest first, so that a secret inside another leaves no rest.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  if (ordered.length === 0) return (text) => text;
  return (text) => {
    let shown = text;
    for (const form of ordered) if (shown.includes(form)) shown = shown.replaceAll(form, MASK);
    return shown;
  };
}
