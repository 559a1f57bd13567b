/**
 * Asks the database for many at once: what arrives while a question is under way goes into the next one. It is the
 * fastest honest way to do it, and the same for every peer, however it takes its jobs.
 */

/** `ask` answers questions in their order; each of them resolves when its batch is answered. */
export function together<Question, Answer>(
  ask: (questions: readonly Question[]) => Promise<readonly Answer[]>,
): (question: Question) => Promise<Answer> {
  interface Waiting {
    readonly question: Question;
    readonly resolve: (answer: Answer) => void;
    readonly reject: (reason: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let asking = false;

  const work = async () => {
    asking = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        const answers = await ask(batch.map((each) => each.question));
        batch.forEach((each, place) => {
          each.resolve(answers[place] as Answer);
        });
      } catch (error) {
        for (const each of batch) each.reject(error);
      }
    }
    asking = false;
  };

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      // A turn later, so that what came in together is asked together.
      if (!asking && waiting.length === 1) setImmediate(() => void work());
    });
}
