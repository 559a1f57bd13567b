/**
 * Keeps requests away from addresses that are nobody's business outside: private, loopback, link-local, metadata and
 * other reserved ranges, in every notation, unless the operator's list allows them.
 *
 * Names are judged after resolution and in the same step that connects: `lookupFor` gives only addresses that were
 * checked, so what DNS says a moment later changes nothing.
 */
import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Failure } from '../errors.ts';
import { forbiddenRange, isMetadata, plainAddress } from './address-ranges.ts';
import { parseAllowList } from './allow-list.ts';

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export interface AddressGuard {
  /** Throws ADDRESS_FORBIDDEN if the host is an address literal in a forbidden range. Names pass: they are judged when resolved. */
  readonly check: (hostname: string, port: number) => void;
  /** The addresses of a host that may be reached. Throws ADDRESS_FORBIDDEN if there is none, and what the resolver throws. */
  readonly resolve: (hostname: string, port: number) => Promise<readonly LookupAddress[]>;
  /** The `lookup` for a connection to this port: the socket is pinned to a checked address. Never called for address literals. */
  readonly lookupFor: (port: number) => LookupFunction;
}

const resolveBySystem: Resolve = (hostname) => dns.lookup(hostname, { all: true });

/** A guard with the operator's allow list (see `parseAllowList`). Throws SETTINGS_INVALID. */
export function createAddressGuard(
  allow: readonly string[],
  resolveName: Resolve = resolveBySystem,
): AddressGuard {
  const list = parseAllowList(allow);
  const asked = new Map<string, Promise<readonly LookupAddress[]>>();

  /** Why this address may not be reached, or undefined. */
  const objection = (hostname: string, text: string, port: number): string | undefined => {
    const address = plainAddress(text);
    if (address === undefined) return 'not an address';
    if (list.namesAddress(address, port)) return undefined;
    // Only its own address opens a metadata service: a wide range or a name must not do so by accident.
    if (isMetadata(address)) return 'the metadata service of a cloud';
    if (list.hasRange(address) || list.namesHost(hostname, port)) return undefined;
    return forbiddenRange(address);
  };

  const check = (hostname: string, port: number): void => {
    const host = plainHost(hostname);
    if (isIP(host) === 0) return;
    const reason = objection(host, host, port);
    if (reason !== undefined) throw forbidden(host, port, `is ${reason}`);
  };

  /** One question at a time for a name: a dead name server must not take all threads of the resolver. */
  const ask = (hostname: string): Promise<readonly LookupAddress[]> => {
    const running = asked.get(hostname);
    if (running !== undefined) return running;
    const question = resolveName(hostname).finally(() => asked.delete(hostname));
    asked.set(hostname, question);
    return question;
  };

  const resolve = async (hostname: string, port: number): Promise<readonly LookupAddress[]> => {
    const host = plainHost(hostname);
    const family = isIP(host);
    if (family !== 0) {
      check(host, port);
      return [{ address: host, family }];
    }
    const found = await ask(host);
    const reasons = found.map(({ address }) => objection(host, address, port));
    const permitted = found.filter((_, index) => reasons[index] === undefined);
    if (permitted.length === 0 && found.length > 0) throw forbidden(host, port, `leads to ${reasons[0]}`);
    return permitted;
  };

  const lookupFor =
    (port: number): LookupFunction =>
    (hostname, options, callback) => {
      resolve(hostname, port).then(
        (addresses) => {
          const { family = 0 } = options;
          const wanted = typeof family === 'string' ? Number(family.slice(-1)) : family;
          const fitting = wanted === 0 ? addresses : addresses.filter((each) => each.family === wanted);
          const [first] = fitting;
          if (first === undefined) callback(notFound(hostname), '', 0);
          else if (options.all === true) callback(null, [...fitting]);
          else callback(null, first.address, first.family);
        },
        (thrown: unknown) => callback(thrown as Error, '', 0),
      );
    };

  return Object.freeze<AddressGuard>({ check, resolve, lookupFor });
}

/** The host as it is compared: no brackets, no final dot, lower case. */
function plainHost(hostname: string): string {
  const host = hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname;
  return (host.endsWith('.') ? host.slice(0, -1) : host).toLowerCase();
}

function forbidden(host: string, port: number, what: string): Failure {
  const entry = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  const means = what.endsWith('metadata service of a cloud')
    ? 'Only an operator can allow that, by naming the very address in SLUICEWAY_ALLOW_ADDRESSES.'
    : `If it is a service of your own, an operator can allow it by adding ${entry} to SLUICEWAY_ALLOW_ADDRESSES.`;
  return new Failure(
    'ADDRESS_FORBIDDEN',
    `"${host}" ${what}, which must not be reached from here. ${means}`,
    {
      kind: 'forbidden_address',
      statusCode: 0,
    },
  );
}

function notFound(hostname: string): Error {
  return Object.assign(new Error(`"${hostname}" has no address.`), { code: 'ENOTFOUND' });
}
