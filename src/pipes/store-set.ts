/** `store_set`: writes a value under a key, per channel and account. */
import { Failure } from '../errors.ts';
import { encodeValue } from '../json.ts';
import { definePipe } from './contract.ts';
import { any, number, string } from './params.ts';
import { storeKey } from './store-key.ts';

/** One stored value may be so large, in its stored form. */
export const MAX_STORED_BYTES = 256 * 1024;

export const storeSet = definePipe({
  type: 'store_set',
  summary: 'Writes a value under a key, where `store_get` of the same channel and account finds it.',
  params: {
    key: string('The key.', { required: true, templates: true }),
    value: any('What to keep, up to 256 KiB. One whole reference keeps the type of its value.', {
      required: true,
      templates: true,
      typed: true,
    }),
    ttl: number('How long to keep it, in seconds.', { required: true, templates: true, minimum: 1 }),
    table: string('The table: keys of different tables do not meet.', {
      default: 'default',
      templates: true,
    }),
  },
  needs: ['store'],
  adds: () => ({}),
  errors: ['PIPE_PARAMS', 'STORE_VALUE_TOO_LARGE'],
  examples: [
    {
      name: 'remember a session for ten minutes',
      params: { key: 'session', value: '$in.data.session', ttl: 600 },
      in: { data: { session: { id: 's-1', node: 4 } } },
      expect: { exit: 'success', store: { session: { id: 's-1', node: 4 } } },
    },
    {
      name: 'a key per phone number',
      params: { key: 'last-$in.phone', value: { at: '$now', text: '$in.text' }, ttl: 86400 },
      in: { phone: '+100', text: 'Hi' },
      scope: { now: '2026-01-01T00:00:00.000Z' },
      expect: { exit: 'success', store: { 'last-+100': { at: '2026-01-01T00:00:00.000Z', text: 'Hi' } } },
    },
    {
      name: 'a time to keep that is not positive',
      params: { key: 'session', value: 1, ttl: '$in.expires_in' },
      in: { expires_in: 0 },
      expect: { exit: 'error', code: 'PIPE_PARAMS' },
    },
  ],
  run: async ({ key, value, ttl, table }, context) => {
    if (!(ttl >= 1)) {
      throw new Failure('PIPE_PARAMS', `"ttl" is ${ttl}; a record is kept for at least 1 second.`);
    }
    const bytes = Buffer.byteLength(encodeValue(value));
    if (bytes > MAX_STORED_BYTES) {
      throw new Failure(
        'STORE_VALUE_TOO_LARGE',
        `The value has ${bytes} bytes, but the store keeps at most ${MAX_STORED_BYTES}; store only the members you read later.`,
      );
    }
    await context.can.store.set(storeKey(key), value ?? null, ttl, table);
    return undefined;
  },
});
