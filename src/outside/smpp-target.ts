/** Which SMS centre a sender's texts go to, and the addresses on them. */
import { numberOf, textOf } from './module-values.ts';

export interface SmppTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  /** Requests that may wait for an answer at once. */
  readonly window: number;
  /** The SMS centre answers with hexadecimal ids and writes them as decimals into receipts. */
  readonly decimalReceipts: boolean;
}

/** Reads the fields of a sender of the channel SMS. */
export function smppTarget(sender: Readonly<Record<string, unknown>>): SmppTarget {
  return {
    host: textOf(sender, 'host'),
    port: numberOf(sender, 'port', 2775),
    tls: sender.tls === true,
    systemId: textOf(sender, 'system_id'),
    password: textOf(sender, 'password'),
    systemType: textOf(sender, 'system_type'),
    window: numberOf(sender, 'window', 10),
    decimalReceipts: textOf(sender, 'receipt_ids') === 'decimal_of_hex',
  };
}

/** The id under which receipts name a text. */
export function receiptId({ decimalReceipts }: SmppTarget, answered: string): string {
  return decimalReceipts && /^[0-9a-f]{1,32}$/i.test(answered)
    ? BigInt(`0x${answered}`).toString()
    : answered;
}

/** Types of number and numbering plans (SMPP 3.4, 5.2.5 and 5.2.6). */
const INTERNATIONAL = { ton: 1, npi: 1 };
const SHORT_CODE = { ton: 3, npi: 0 };
const WORDS = { ton: 5, npi: 0 };
const LONGEST_SHORT_CODE = 6;

/** The fields of a request that say from whom: a number, a short code, or a name. */
export function sourceFields(source: string): Readonly<Record<string, unknown>> {
  const digits = /^\+?(?<digits>\d+)$/.exec(source)?.groups?.digits;
  const kind =
    digits === undefined
      ? WORDS
      : source.startsWith('+') || digits.length > LONGEST_SHORT_CODE
        ? INTERNATIONAL
        : SHORT_CODE;
  return { source_addr: digits ?? source, source_addr_ton: kind.ton, source_addr_npi: kind.npi };
}

/** The fields that say to whom; the phone is a number with +. */
export function destinationFields(phone: string): Readonly<Record<string, unknown>> {
  const { ton, npi } = INTERNATIONAL;
  return { destination_addr: phone.replace(/^\+/, ''), dest_addr_ton: ton, dest_addr_npi: npi };
}
