/** Parts of the address a provider called, cut out of its text: a signature covers the text, not what it means. */
export interface Address {
  readonly scheme: string;
  readonly host: string;
  /** `:8443`, or empty. */
  readonly port: string;
  readonly path: string;
  /** The query with its `?`, or empty. */
  readonly search: string;
}

const PARTS = /^(https?:)\/\/(\[[^\]/?#]*\]|[^/?#:@[\]]+)(:\d+)?(\/[^?#]*)?(\?[^#]*)?$/i;

/** The parts of an address; undefined if it is not an http address. */
export function cutAddress(url: string): Address | undefined {
  const effects = PARTS.exec(url);
  if (effects === null) return undefined;
  const [, scheme = '', host = '', port = '', path = '', search = ''] = effects;
  return { scheme, host, port, path, search };
}

/** The address as it was called, or with its port left out, or written even where it is the usual one. */
export function addressText(address: Address, show?: 'with_port' | 'without_port'): string {
  const { scheme, host, port, path, search } = address;
  const usual = scheme.toLowerCase() === 'https:' ? ':443' : ':80';
  const shown = show === undefined ? port : show === 'without_port' ? '' : port || usual;
  return `${scheme}//${host}${shown}${path}${search}`;
}
