/** The values of file fields: arrays of `{ "name", "url", "type", "size" }`. */
import { isObject, pointerTo } from '../json.ts';
import { didYouMean, nearName } from '../near.ts';
import type { Field } from './document.ts';
import { unstorable, type Wrong } from './unstorable.ts';

const MEMBERS = ['name', 'url', 'type', 'size'] as const;

/** What is wrong with the value of a file field. */
export function fileProblem(value: unknown, field: Field): Wrong | undefined {
  if (!Array.isArray(value)) {
    return { message: 'must be an array of files: [ { "name": …, "url": …, "type": …, "size": … } ]' };
  }
  if (field.multiple === false && value.length > 1) {
    return { message: `takes one file, but ${value.length} are given`, pointer: '/1' };
  }
  for (const [index, file] of value.entries()) {
    const message = oneProblem(file, field);
    if (message !== undefined)
      return { message: `${message} (file ${index + 1})`, pointer: pointerTo('', index) };
  }
  return unstorable(value);
}

function oneProblem(file: unknown, { accept, max_size: most }: Field): string | undefined {
  if (!isObject(file)) return 'must hold objects with "name" and "url"';
  for (const key of Object.keys(file)) {
    if (MEMBERS.some((member) => member === key)) continue;
    return `has a member "${key}" that is not known.${didYouMean(nearName(key, MEMBERS)) || ' A file has name, url, type and size.'}`;
  }
  const { name, url, type, size } = file;
  if (typeof name !== 'string' || name === '') return 'lacks the "name" of a file';
  if (typeof url !== 'string' || !/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    return 'lacks the "url" of a file, an address that starts with https:// or http://';
  }
  if (type !== undefined && typeof type !== 'string')
    return 'has a "type" that is no text such as "image/png"';
  if (size !== undefined && (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)) {
    return 'has a "size" that is not a number of bytes';
  }
  if (most !== undefined && typeof size === 'number' && size > most) {
    return `has ${size} bytes, but takes at most ${most}`;
  }
  return accept === undefined || isAccepted(accept, name, type) ? undefined : `accepts only ${accept}`;
}

/** As in HTML: extensions with a dot, media types, and groups of them as image/*. */
function isAccepted(accept: string, name: string, type: string | undefined): boolean {
  const media = type?.toLowerCase().split(';')[0]?.trim();
  return accept
    .split(',')
    .map((each) => each.trim().toLowerCase())
    .filter((each) => each !== '')
    .some((each) => {
      if (each.startsWith('.')) return name.toLowerCase().endsWith(each);
      if (media === undefined) return false;
      return each === '*/*' || each === media || (each.endsWith('/*') && media.startsWith(each.slice(0, -1)));
    });
}
