/** Delivery reports of the scripted provider: each is sent until it is answered with 200, some more than once. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Reports {
  /** What is taken at this path is reported to this address; it may move. */
  readonly sendTo: (path: string, url: string) => void;
  readonly taken: (path: string, reference: string) => void;
  readonly log: () => ReportLog;
}

export interface ReportLog {
  /** Names of the reports that were answered with 200, one for each answer. */
  readonly answered: readonly string[];
  /** Reports that are still to be sent. */
  readonly left: number;
}

interface Report {
  readonly path: string;
  readonly body: string;
  readonly key: string;
}

const TOGETHER = 8;
const PAUSE_MS = 100;
const LIMIT_MS = 5_000;
/** Of sixteen messages so many are reported, and so many of these twice. */
const REPORTED = 12;
const TWICE = 3;

/** Reports go out at random only as far as the references are random. */
export function createReports(): Reports {
  const addresses = new Map<string, string>();
  const known = new Set<string>();
  const waiting: Report[] = [];
  const answered: string[] = [];
  let underWay = 0;

  const send = async (report: Report): Promise<void> => {
    for (;;) {
      const url = addresses.get(report.path) ?? '';
      const status = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: report.body,
        signal: AbortSignal.timeout(LIMIT_MS),
      }).then(
        async (response) => {
          await response.arrayBuffer();
          return response.status;
        },
        () => 0,
      );
      if (status === 200) return;
      await sleep(PAUSE_MS);
    }
  };
  const next = () => {
    while (underWay < TOGETHER) {
      const report = waiting.shift();
      if (report === undefined) return;
      underWay += 1;
      void send(report).then(() => {
        answered.push(report.key);
        underWay -= 1;
        next();
      });
    }
  };

  return {
    sendTo: (path, url) => void addresses.set(path, url),
    taken: (path, reference) => {
      if (!addresses.has(path) || known.has(reference)) return;
      known.add(reference);
      const place = Number.parseInt(reference.slice(-1), 16);
      if (place >= REPORTED) return;
      const key = `${reference}/delivered`;
      const body = JSON.stringify({ message: reference, type: 'delivered', key });
      for (let copy = 0; copy < (place < TWICE ? 2 : 1); copy += 1) waiting.push({ path, body, key });
      next();
    },
    log: () => ({ answered, left: waiting.length + underWay }),
  };
}
