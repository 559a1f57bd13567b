/** The operator's list of addresses that requests may reach although they lie in forbidden ranges. */
import ipaddr from 'ipaddr.js';
import { Failure } from '../errors.ts';
import { type Address, plainAddress } from './address-ranges.ts';

export interface AllowList {
  /** The very address is named, alone or with this port. */
  readonly namesAddress: (address: Address, port: number) => boolean;
  /** A range holds the address. */
  readonly hasRange: (address: Address) => boolean;
  /** The host is named with this port, whatever it resolves to. */
  readonly namesHost: (hostname: string, port: number) => boolean;
}

const WITH_PORT = /^(?:\[(?<bracketed>[^\]]+)\]|(?<host>[^:/[\]\s]+)):(?<port>\d{1,5})$/u;

/** Reads entries: an address, a range (`10.0.0.0/8`), `host:port`, `address:port`, `[address]:port`. Throws SETTINGS_INVALID. */
export function parseAllowList(entries: readonly string[]): AllowList {
  const addresses = new Set<string>();
  const hosts = new Set<string>();
  const ranges: [Address, number][] = [];
  for (const written of entries) {
    const entry = written.trim();
    const groups = WITH_PORT.exec(entry)?.groups;
    const address = plainAddress(entry);
    if (address !== undefined) addresses.add(address.toString());
    else if (ipaddr.isValidCIDR(entry)) ranges.push(ipaddr.parseCIDR(entry));
    else if (groups !== undefined && Number(groups.port) <= 65_535) {
      const host = groups.bracketed ?? groups.host ?? '';
      const literal = plainAddress(host);
      if (literal !== undefined) addresses.add(`${literal.toString()}|${groups.port}`);
      else if (groups.host !== undefined) hosts.add(`${host.toLowerCase()}|${groups.port}`);
      else throw invalid(written);
    } else throw invalid(written);
  }
  return Object.freeze<AllowList>({
    namesAddress: (address, port) =>
      addresses.has(address.toString()) || addresses.has(`${address.toString()}|${port}`),
    hasRange: (address) =>
      ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits)),
    namesHost: (hostname, port) => hosts.has(`${hostname}|${port}`),
  });
}

function invalid(entry: string): Failure {
  return new Failure(
    'SETTINGS_INVALID',
    `SLUICEWAY_ALLOW_ADDRESSES has the entry "${entry}", which is none of these: an address (10.0.0.5), a range (10.0.0.0/8), or a host or address with its port (crm.example:8080, [fd00::5]:8080).`,
  );
}
