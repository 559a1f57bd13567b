/** The part of the library `smpp` that is used here; it comes without types. */
declare module 'smpp' {
  import type { EventEmitter } from 'node:events';
  import type { Server, Socket } from 'node:net';

  type Fields = Readonly<Record<string, unknown>>;

  class PDU {
    constructor(command: string, fields?: Fields);
    readonly command: string;
    readonly command_status: number;
    readonly sequence_number: number;
    isResponse(): boolean;
    response(fields?: Fields): PDU;
    readonly [field: string]: unknown;
  }

  class Session extends EventEmitter {
    constructor(options: { readonly socket: Socket });
    /** Gives the PDU its number; false if the socket takes nothing any more. Throws where a field cannot be written. */
    send(pdu: PDU): boolean;
  }

  const smpp: {
    readonly PDU: typeof PDU;
    readonly Session: typeof Session;
    readonly createServer: (onSession: (session: Session & { readonly socket: Socket }) => void) => Server;
  };
  namespace smpp {
    type Pdu = PDU;
    type ServerSession = Session & { readonly socket: Socket };
  }
  export = smpp;
}
