/** One message explained pipe by pipe, from the message view. */
import type { Api } from './call-api.ts';

interface Step {
  readonly pipe: number;
  readonly type: string;
  readonly exit: string;
  readonly ms: number;
  readonly request?: { readonly method: string; readonly url: string; readonly body?: string };
  readonly response?: { readonly status: number; readonly body: string };
  readonly error?: { readonly message: string };
  readonly rule?: string;
}

/** Prints the message of one profile in a mailing. */
export async function explainMessage(
  api: Api,
  mailingId: string,
  profile: string,
  say: (text: string) => void,
): Promise<void> {
  let cursor: string | null = null;
  do {
    const page: { data: { id: string; profile: string }[]; pagination: { nextCursor: string | null } } =
      await api.get(`/messages?mailing=${mailingId}&limit=100${cursor === null ? '' : `&cursor=${cursor}`}`);
    const found = page.data.find((message) => message.profile === profile);
    if (found !== undefined) {
      show(await api.get(`/messages/${found.id}`), say);
      return;
    }
    cursor = page.pagination.nextCursor;
  } while (cursor !== null);
}

function show(
  message: {
    id: string;
    profile: string;
    state: string;
    events: { sid: string; time: string }[];
    attempts: { number: number; outcome: string; trail: Step[] }[];
  },
  say: (text: string) => void,
): void {
  say(`\none message, explained: ${message.id} to ${message.profile} is ${message.state}`);
  message.attempts.forEach((attempt, run) => {
    say(`  run ${run + 1} of attempt ${attempt.number}: ${attempt.outcome}`);
    for (const step of attempt.trail) {
      say(
        `    ${String(step.pipe).padStart(2)} ${step.type.padEnd(13)} → ${step.exit.padEnd(8)} ${step.ms} ms`,
      );
      if (step.request !== undefined)
        say(`         sent ${step.request.method} ${step.request.body ?? step.request.url}`);
      if (step.response !== undefined) say(`         got  ${step.response.status} ${step.response.body}`);
      if (step.error !== undefined) say(`         ${step.error.message}`);
      if (step.rule !== undefined) say(`         rule: ${step.rule}`);
    }
  });
  say(`  events: ${message.events.map((event) => event.sid).join(', ')}`);
}
