/** A message as `GET /messages/{id}` shows it, as far as tests look. */
export interface Event {
  readonly sid: string;
  readonly type: string;
  readonly attempt: number;
  readonly externalId: string | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly data: unknown;
}

export interface TrailPipe {
  readonly pipe: number;
  readonly type: string;
  readonly exit: string;
  readonly rule?: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly log?: readonly { readonly level: string; readonly message: string }[];
}

export interface MessageView {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly externalId: string | null;
  readonly attempt: number;
  readonly sender: string | null;
  readonly rule: string | null;
  readonly events: readonly Event[];
  readonly attempts: readonly {
    readonly number: number;
    readonly sender: string | null;
    readonly outcome: string;
    readonly trail: readonly TrailPipe[];
  }[];
}
