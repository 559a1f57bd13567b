/** `store_get`: reads a value of the store into `$in`. */
import { Failure } from '../errors.ts';
import { definePipe } from './contract.ts';
import { boolean, exit, string } from './params.ts';
import { storeKey } from './store-key.ts';

export const storeGet = definePipe({
  type: 'store_get',
  summary: 'Reads what `store_set` of the same channel and account wrote into `$in.<name>`.',
  params: {
    key: string('The key.', { required: true, templates: true }),
    name: string('The member of `$in` that gets the value. Default: the key.'),
    delete: boolean('Removes the record after reading it.', { default: false }),
    table: string('The table.', { default: 'default', templates: true }),
    not_found: exit('The pipe to go to where there is no record. Without it a missing record is an error.'),
  },
  needs: ['store'],
  adds: ({ name, key }) => {
    if (typeof name === 'string') return { [name]: 'any' };
    return typeof key === 'string' && !key.includes('$') ? { [key]: 'any' } : {};
  },
  errors: ['PIPE_PARAMS', 'STORE_KEY_MISSING'],
  examples: [
    {
      name: 'read a session into $in.session',
      params: { key: 'session' },
      store: { session: { id: 's-1' } },
      expect: { exit: 'success', add: { session: { id: 's-1' } } },
    },
    {
      name: 'under another name, read once',
      params: { key: 'code-$in.phone', name: 'code', delete: true },
      in: { phone: '+100' },
      store: { 'code-+100': 4711 },
      expect: { exit: 'success', add: { code: 4711 }, store: {} },
    },
    {
      name: 'no record, with a way for it',
      params: { key: 'session', not_found: 7 },
      expect: { exit: 7 },
    },
    {
      name: 'no record is an error otherwise',
      params: { key: 'session' },
      expect: { exit: 'error', code: 'STORE_KEY_MISSING' },
    },
  ],
  run: async ({ key, name = key, delete: remove, table, not_found }, context) => {
    const { store } = context.can;
    const value = await store.get(storeKey(key), table);
    if (value !== undefined) {
      if (remove) await store.delete(key, table);
      return { add: { [name]: value } };
    }
    if (not_found !== undefined) return { exit: not_found };
    throw new Failure(
      'STORE_KEY_MISSING',
      `The store has no record under this key in table "${table}", or it has expired; name a pipe in "not_found" if that may happen.`,
    );
  },
});
