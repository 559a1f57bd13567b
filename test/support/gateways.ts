/** The servers that built-in channels talk to, each in a process of its own. */
import { run } from './engine.ts';

export interface Gateway<Log> {
  readonly port: number;
  readonly log: () => Promise<Log>;
  readonly logUrl: string;
  readonly end: () => Promise<unknown>;
}

async function start<Log>(
  file: string,
  environment: Readonly<Record<string, string>>,
): Promise<Gateway<Log>> {
  const running = await run(file, [], environment, /^(\d+ \d+)$/m);
  const [port, logPort] = running.match.split(' ');
  const logUrl = `http://127.0.0.1:${logPort}`;
  return {
    port: Number(port),
    logUrl,
    log: async () => (await (await fetch(`${logUrl}/log`)).json()) as Log,
    end: () => running.end('SIGKILL'),
  };
}

export interface MailLog {
  readonly taken: readonly {
    readonly to: string;
    readonly from: string;
    readonly secure: boolean;
    readonly user: string | null;
    readonly message: string;
  }[];
  readonly recipients: readonly string[];
  readonly connections: number;
}

export const startMailServer = (environment: Readonly<Record<string, string>> = {}) =>
  start<MailLog>('test/support/mail-server.ts', environment);

export interface PushLog {
  readonly received: readonly {
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly payload: unknown;
    readonly claims: Readonly<Record<string, unknown>> | null;
  }[];
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

export const startPushService = () => start<PushLog>('test/support/push-service.ts', {});

export interface SmsLog {
  readonly taken: readonly {
    readonly to: string;
    readonly from: string;
    readonly coding: number;
    readonly esm: number;
    readonly ton: readonly [number, number];
    readonly validity: string;
    readonly text: string;
    readonly id: string;
  }[];
  readonly binds: readonly string[];
  readonly bound: number;
  readonly enquiries: number;
  readonly mostUnderWay: number;
}

export const startSmsCentre = () => start<SmsLog>('test/support/sms-centre.ts', {});

/** Makes the SMS centre do something; for receipts, gives the status that we answered with. */
export async function askCentre({ logUrl }: Gateway<SmsLog>, path: string): Promise<number | null> {
  return (await (await fetch(`${logUrl}${path}`)).json()) as number | null;
}
