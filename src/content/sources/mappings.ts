/** Mappings: which path of an entry becomes which path of an item. Checked when the source is saved. */
import type { Problem } from '../../errors.ts';
import { isObject, own, pointerTo } from '../../json.ts';
import { nearName } from '../../near.ts';
import { CONTENT_TYPES } from '../types/catalog.ts';
import type { ChannelType } from '../types/contract.ts';

/** CMS path → item path, or several. */
export type Mappings = Readonly<Record<string, string | readonly string[]>>;

const PATH = /^[A-Za-z0-9_$~-]+(?:\.[A-Za-z0-9_$~-]+){0,15}$/;
/** Members of an item beside its content. */
const MEMBERS = ['name', 'description', 'tags', 'blocks'];
/** If nothing is mapped to these, the name stands there too. */
const NAMED_ALIKE: ReadonlySet<string> = new Set(['subject', 'title']);

/** One way of a value. */
export interface Mapping {
  readonly from: string;
  readonly to: string;
  /** `to` in steps; the first is a member of the item. */
  readonly place: readonly string[];
  /** Without a value there is no item. */
  readonly required: boolean;
  /** The JSON type that the place takes; undefined: any. */
  readonly type: string | undefined;
}

/** The ways of all values, those first that no item can be without. */
export function readMappings(channelType: ChannelType, mappings: Mappings): readonly Mapping[] {
  const pairs = pairsOf(mappings);
  const taken = new Set(pairs.map(([, to]) => to));
  const name = pairs.find(([, to]) => to === 'name')?.[0];
  const alike = requiredKeys(channelType)
    .filter((key) => NAMED_ALIKE.has(key) && !taken.has(`content.${key}`))
    .map((key) => [name ?? '', `content.${key}`] as const);
  return [...pairs, ...alike].map(([from, to]) => {
    const place = to.split('.');
    const required =
      to === 'name' || (place.length === 2 && requiredKeys(channelType).includes(place[1] ?? ''));
    return { from, to, place, required, type: typeAt(channelType, place) };
  });
}

/** What is wrong with mappings, with pointers into the request. */
export function checkMappings(channelType: ChannelType, mappings: Mappings): readonly Problem[] {
  const pairs = pairsOf(mappings);
  const problems = pairs.flatMap(([from, to]): Problem[] => {
    const pointer = pointerTo('/mappings', from);
    if (!PATH.test(from)) {
      return [{ pointer, message: `"${from}" is no path of an entry; write it as title or title.rendered.` }];
    }
    const message = wrongTarget(channelType, to);
    return message === undefined ? [] : [{ pointer, message }];
  });
  const targets = pairs.map(([, to]) => to);
  const twice = pairs.filter(([, to], index) => targets.indexOf(to) !== index);
  for (const [from, to] of twice) {
    problems.push({
      pointer: pointerTo('/mappings', from),
      message: `"${to}" has a value already from another path.`,
    });
  }
  const covered = (key: string) =>
    targets.some((to) => to === `content.${key}` || to.startsWith(`content.${key}.`));
  const missing = requiredKeys(channelType).filter((key) => !covered(key) && !NAMED_ALIKE.has(key));
  const needed = [...(targets.includes('name') ? [] : ['name']), ...missing.map((key) => `content.${key}`)];
  for (const to of needed) {
    const message = `No path is mapped to "${to}", and no ${channelType} can be without it.`;
    problems.push({ pointer: '/mappings', message });
  }
  return problems;
}

function pairsOf(mappings: Mappings): (readonly [string, string])[] {
  return Object.entries(mappings).flatMap(([from, to]) =>
    (typeof to === 'string' ? [to] : to).map((each) => [from, each] as const),
  );
}

function wrongTarget(channelType: ChannelType, to: string): string | undefined {
  const [first = '', key, ...deeper] = to.split('.');
  if (!PATH.test(to)) return `"${to}" is no path of an item; write it as name or content.body.`;
  if (MEMBERS.includes(first) && key === undefined) return undefined;
  const keys = Object.keys(propertiesOf(channelType));
  const known = [...MEMBERS, ...keys.map((each) => `content.${each}`)];
  if (first !== 'content' || key === undefined || !keys.includes(key)) {
    const near = nearName(to, known);
    const advice = near === undefined ? `Known are: ${known.join(', ')}.` : `Did you mean "${near}"?`;
    return `A ${channelType} has no "${to}". ${advice}`;
  }
  if (deeper.length > 0 && typeAt(channelType, [first, key]) !== 'object') {
    return `"content.${key}" of a ${channelType} is a single value; map to it and not to a place inside.`;
  }
  return undefined;
}

function propertiesOf(channelType: ChannelType): Readonly<Record<string, unknown>> {
  const properties = own(CONTENT_TYPES[channelType].schema, 'properties');
  return isObject(properties) ? properties : {};
}

function requiredKeys(channelType: ChannelType): readonly string[] {
  const required = own(CONTENT_TYPES[channelType].schema, 'required');
  return Array.isArray(required) ? required.map(String) : [];
}

function typeAt(channelType: ChannelType, place: readonly string[]): string | undefined {
  const [first, key] = place;
  if (first === 'tags' || first === 'blocks') return 'array';
  if (first !== 'content') return 'string';
  if (place.length > 2) return undefined;
  const type = own(own(propertiesOf(channelType), key ?? ''), 'type');
  return typeof type === 'string' ? type : undefined;
}
