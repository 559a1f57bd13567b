/** The exchanges that run now. */

/** A running exchange, which ends where the client closes. */
export interface Stoppable {
  readonly stop: () => void;
}

export interface Running {
  /** Returns the place to `leave` later. */
  readonly enter: (running: Stoppable) => number;
  readonly leave: (place: number) => void;
  readonly stopAll: () => void;
}

/**
 * Places in an array, used again. A Set would do, but its outgrown tables keep finished exchanges alive into the old
 * generation, which costs as much as all else the client adds to a request.
 */
export function createRunning(): Running {
  const places: (Stoppable | undefined)[] = [];
  const free: number[] = [];
  return Object.freeze<Running>({
    enter: (running) => {
      const place = free.pop() ?? places.length;
      places[place] = running;
      return place;
    },
    leave: (place) => {
      places[place] = undefined;
      free.push(place);
    },
    stopAll: () => {
      for (const running of places) running?.stop();
    },
  });
}
