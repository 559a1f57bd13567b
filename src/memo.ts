/** What was made once for a text, for as long as texts repeat: most of a busy process are the same few. */
const MOST_KNOWN = 1_000;

/** `make`, asked once for each text. It is forgotten all at once, so that foreign texts cost no memory; what throws is not kept. */
export function createMemo<Value>(make: (text: string) => Value): (text: string) => Value {
  const known = new Map<string, Value>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, made);
    return made;
  };
}
