/** Which mail server a sender's emails go to, and how. */
import { numberOf, textOf } from './module-values.ts';

export interface SmtpTarget {
  readonly host: string;
  readonly port: number;
  /** `starttls` and `tls` send nothing in clear; a server that cannot is refused. */
  readonly secure: 'starttls' | 'tls' | 'none';
  /** Empty: the server asks for none. */
  readonly user: string;
  readonly password: string;
  readonly connections: number;
}

/** Reads the fields of a sender of the channel Email. */
export function smtpTarget(sender: Readonly<Record<string, unknown>>): SmtpTarget {
  const secure = textOf(sender, 'secure', 'starttls');
  return {
    host: textOf(sender, 'host'),
    port: numberOf(sender, 'port', 587),
    secure: secure === 'tls' || secure === 'none' ? secure : 'starttls',
    user: textOf(sender, 'user'),
    password: textOf(sender, 'password'),
    connections: numberOf(sender, 'connections', 5),
  };
}
