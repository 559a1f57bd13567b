/** What a key of the store may be. */
import { Failure } from '../errors.ts';

/** A key has so many characters at most. */
export const MAX_KEY_LENGTH = 512;

/** The key itself. Throws PIPE_PARAMS if it is empty or too long. */
export function storeKey(key: string): string {
  if (key !== '' && key.length <= MAX_KEY_LENGTH) return key;
  throw new Failure(
    'PIPE_PARAMS',
    key === ''
      ? 'The key of the store is empty; is the value in its template empty?'
      : `The key of the store has ${key.length} characters; at most ${MAX_KEY_LENGTH} are kept.`,
  );
}
