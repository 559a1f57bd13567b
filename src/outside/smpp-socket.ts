/** A guarded socket to an SMS centre, encrypted where the sender says so. */
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Failure } from '../errors.ts';
import type { AddressGuard } from './address-guard.ts';
import { connectWithin } from './guarded-socket.ts';
import { codeOf, reasonOf } from './http-failures.ts';
import type { SmppTarget } from './smpp-target.ts';

/** Throws ADDRESS_FORBIDDEN, GATEWAY_TIMEOUT, GATEWAY_UNREACHABLE. */
export async function openSmppSocket(
  { host, port, tls }: SmppTarget,
  guard: AddressGuard,
  timeoutMs: number,
  trustedCertificates: readonly string[] | undefined,
): Promise<Socket> {
  try {
    const socket = await connectWithin(host, port, guard, timeoutMs);
    return tls ? await encrypt(socket, host, timeoutMs, trustedCertificates) : socket;
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    const code = codeOf(thrown);
    const late = code === 'ETIMEDOUT';
    throw new Failure(
      late ? 'GATEWAY_TIMEOUT' : 'GATEWAY_UNREACHABLE',
      `No answer from the SMS centre ${host}: ${late ? 'it gave no connection in time' : reasonOf(code)}.`,
      { kind: late ? 'timeout' : 'network', statusCode: 0, cause: thrown },
    );
  }
}

function encrypt(
  socket: Socket,
  host: string,
  timeoutMs: number,
  trustedCertificates: readonly string[] | undefined,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const secured = connectTls({
      socket,
      ...(isIP(host) === 0 && { servername: host }),
      ...(trustedCertificates !== undefined && { ca: [...trustedCertificates] }),
    });
    const timer = setTimeout(
      () => secured.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })),
      timeoutMs,
    );
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    secured.once('secureConnect', () => {
      clearTimeout(timer);
      secured.off('error', fail);
      resolve(secured);
    });
    secured.once('error', fail);
    secured.once('close', () => fail(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
  });
}
