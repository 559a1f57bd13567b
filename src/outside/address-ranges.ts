/** What an address is: its plain form, and the words for ranges that requests may not reach. */
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];
/** The well-known prefix of RFC 6052 ends in the embedded address; the local-use prefixes of RFC 8215 are never reached. */
const NAT64: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b::'), 96];

/** Addresses at which clouds hand out credentials to anyone who asks. The first is link-local, the last two look public or private. */
const METADATA = new Set([
  '169.254.169.254',
  '169.254.170.2',
  'fd00:ec2::254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
]);

const WORDS: Readonly<Record<string, string>> = {
  private: 'a private address',
  uniqueLocal: 'a private address',
  loopback: 'a loopback address',
  linkLocal: 'a link-local address',
  carrierGradeNat: 'an address behind carrier-grade NAT',
  multicast: 'a multicast address',
  broadcast: 'a broadcast address',
  unspecified: 'the unspecified address',
};

/**
 * The address that is reached in the end: IPv4-mapped (RFC 4291), NAT64 (RFC 6052) and 6to4 (RFC 3056) addresses give the
 * IPv4 address inside them, all others themselves. Undefined for a text that is no address.
 */
export function plainAddress(text: string): Address | undefined {
  if (!ipaddr.isValid(text)) return undefined;
  const address = ipaddr.parse(text);
  if (address instanceof ipaddr.IPv4) return address;
  const bytes = address.toByteArray();
  if (address.range() === 'ipv4Mapped' || address.match(NAT64)) return new ipaddr.IPv4(bytes.slice(12));
  if (address.range() === '6to4') return new ipaddr.IPv4(bytes.slice(2, 6));
  return address;
}

/** True for the addresses of cloud metadata services. */
export function isMetadata(address: Address): boolean {
  return METADATA.has(address.toString());
}

/** What kind of forbidden address it is, in words, or undefined for an ordinary public address. */
export function forbiddenRange(address: Address): string | undefined {
  const range = address.range();
  if (range === 'unicast' && (address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST)))
    return undefined;
  return Object.hasOwn(WORDS, range) ? WORDS[range] : 'a reserved address';
}
