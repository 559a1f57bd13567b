/** The exchanges that run now. */

/** Ends a running exchange because the client closes. */
export type Stop = () => void;

export interface Running {
  /** Gives the place to `leave` later. */
  readonly enter: (stop: Stop) => number;
  readonly leave: (place: number) => void;
  readonly stopAll: () => void;
}

/**
 * Places in an array, used again. A Set would do, but its outgrown tables keep finished exchanges alive into the old
 * generation, which costs as much as all else the client adds to a request.
 */
export function createRunning(): Running {
  const places: (Stop | undefined)[] = [];
  const free: number[] = [];
  return Object.freeze<Running>({
    enter: (stop) => {
      const place = free.pop() ?? places.length;
      places[place] = stop;
      return place;
    },
    leave: (place) => {
      places[place] = undefined;
      free.push(place);
    },
    stopAll: () => {
      for (const stop of places) stop?.();
    },
  });
}
