/** The outside of a dry run: one that stops before anything leaves, and one that really sends. */
import { Failure } from '../errors.ts';
import { own } from '../json.ts';
import { createAddressGuard } from '../outside/address-guard.ts';
import { createHttpClient } from '../outside/http-client.ts';
import { asksForToken, type DryRunOutside } from './dry-run.ts';

export interface StoppingOutside extends DryRunOutside {
  /** The pipes before whose requests the run stopped. */
  readonly stopped: ReadonlySet<number>;
}

/** Lets no request leave: the run stops at the first one, which is in its trace as it would have gone out. */
export function stopBeforeSending(): StoppingOutside {
  const stopped = new Set<number>();
  return {
    stopped,
    secrets: () => [],
    answer: async ({ method, url }, pipe) => {
      stopped.add(pipe);
      throw new Failure('SHUTDOWN', `The run stops before ${method} ${url} is sent.`);
    },
  };
}

export interface LiveOutside extends DryRunOutside {
  readonly close: () => Promise<void>;
}

const CONNECTIONS = 4;
const LANE = 'dry-run';
const TOKEN_MEMBERS = ['access_token', 'refresh_token', 'id_token'];

/** Really sends, where the address guard lets it. Throws SETTINGS_INVALID for a wrong allow list. */
export function sendForReal(allowAddresses: readonly string[], randomId: () => string): LiveOutside {
  const http = createHttpClient({
    guard: createAddressGuard(allowAddresses),
    defaultConnections: CONNECTIONS,
  });
  const learned: string[] = [];
  return {
    randomId,
    secrets: () => learned,
    answer: async (request) => {
      const answer = await http.send(request, LANE);
      if (asksForToken(request)) learned.push(...tokensIn(answer.body));
      return answer;
    },
    close: http.close,
  };
}

function tokensIn(body: Uint8Array): readonly string[] {
  try {
    const answer: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    return TOKEN_MEMBERS.flatMap((name) => own(answer, name)).filter((each) => typeof each === 'string');
  } catch {
    // What is no JSON holds no token that would be used.
    return [];
  }
}
