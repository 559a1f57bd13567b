/**
 * Every failure the program can name: one table of codes, one class.
 *
 * `blame` says who must act: `author` (the channel document is wrong), `caller` (the request is wrong), `operator` (the
 * settings or the machine are wrong),
 * `provider` (they said no), `weather` (no answer), `us` (a bug), `shutdown` (we are stopping).
 * `status` is the HTTP status of the problem+json answer when the failure reaches a caller.
 */
export type Blame = 'author' | 'caller' | 'operator' | 'provider' | 'weather' | 'us' | 'shutdown';

interface FailureKind {
  readonly blame: Blame;
  readonly status: number;
  readonly title: string;
}

const kind = (blame: Blame, status: number, title: string): FailureKind => ({ blame, status, title });

/** The table of failures. A code, once shipped, never changes its meaning. */
export const FAILURES = {
  // documents and expressions
  DOCUMENT_INVALID: kind('author', 422, 'The channel document breaks a rule.'),
  DOCUMENT_NOT_JSON: kind('author', 422, 'The text is not JSON.'),
  DOCUMENT_TOO_LARGE: kind('author', 413, 'The document is larger than the limit.'),
  TEMPLATE_SYNTAX: kind('author', 422, 'A template is not written correctly.'),
  TEMPLATE_VALUE_MISSING: kind('author', 422, 'A template asks for a value that is not there.'),
  QUERY_SYNTAX: kind('author', 422, 'A selector query is not written correctly.'),
  QUERY_FAILED: kind('author', 422, 'A selector query could not be evaluated.'),
  JSONATA_SYNTAX: kind('author', 422, 'A JSONata expression is not written correctly.'),
  JSONATA_FAILED: kind('author', 422, 'A JSONata expression could not be evaluated.'),
  LIQUID_SYNTAX: kind('author', 422, 'A Liquid text is not written correctly.'),
  LIQUID_FAILED: kind('author', 422, 'A Liquid text could not be rendered.'),
  EXPRESSION_LIMIT: kind('author', 422, 'An expression went over its limits.'),
  REGEX_INVALID: kind('author', 422, 'A regular expression is not valid or not supported.'),
  // pipes
  PIPE_PARAMS: kind('author', 422, 'A pipe received a parameter it cannot use.'),
  PIPE_INPUT: kind('author', 422, 'A pipe did not find what it works on.'),
  PARSE_FAILED: kind('provider', 502, 'The received text could not be parsed.'),
  HTTP_STATUS: kind('provider', 502, 'The provider answered with a status that is not a success.'),
  HTTP_REJECTED: kind('provider', 502, 'The provider answered, but its answer says that it refused.'),
  HTTP_NETWORK: kind('weather', 502, 'The provider could not be reached.'),
  HTTP_TIMEOUT: kind('weather', 504, 'The provider did not answer in time.'),
  HTTP_RESPONSE_SIZE: kind('provider', 502, 'The provider answered with more than the limit.'),
  HTTP_URL_INVALID: kind('author', 422, 'The address of the request is not valid.'),
  ADDRESS_FORBIDDEN: kind('author', 422, 'The address is in a range that requests may not reach.'),
  AUTH_FAILED: kind('provider', 502, 'The credentials were not accepted.'),
  STORE_KEY_MISSING: kind('author', 404, 'The store has no record under this key.'),
  STORE_VALUE_TOO_LARGE: kind('author', 413, 'The value is larger than the store keeps.'),
  SQL_FAILED: kind('provider', 502, 'The external database refused the query.'),
  SQL_TIMEOUT: kind('weather', 504, 'The external database did not answer in time.'),
  SQL_UNREACHABLE: kind('weather', 502, 'The external database could not be reached.'),
  CONNECTOR_UNKNOWN: kind('author', 422, 'There is no connector with this id.'),
  EVENT_UNDECLARED: kind('author', 422, 'The event is not declared in the channel.'),
  EVENT_WITHOUT_MESSAGE: kind('author', 422, 'The event names no message.'),
  PROVIDER_ID_TOO_LONG: kind('provider', 502, 'The id that the provider gave is longer than the limit.'),
  RESULT_TWICE: kind('author', 422, 'A result was set twice in one run.'),
  OPERATION_ERROR: kind('provider', 422, 'The operation ended with an error.'),
  OPERATION_UNFINISHED: kind('author', 422, 'The operation ended without result or error.'),
  SPLIT_FAILED: kind('author', 422, 'Some elements of a split failed.'),
  HOP_LIMIT: kind('author', 422, 'The run went through too many pipes.'),
  RUN_TIMEOUT: kind('author', 504, 'The run took longer than it may.'),
  GATEWAY_REFUSED: kind('provider', 502, 'The mail server or SMS centre refused the message.'),
  GATEWAY_UNREACHABLE: kind('weather', 502, 'The mail server or SMS centre could not be reached.'),
  GATEWAY_TIMEOUT: kind('weather', 504, 'The mail server or SMS centre did not answer in time.'),
  // messages
  VALUES_INVALID: kind('caller', 422, 'Values do not fit the fields of the channel.'),
  PERSONAL_DATA_REFUSED: kind('author', 422, 'An indirect channel may not use personal data.'),
  CONTENT_VARIABLE_MISSING: kind('caller', 422, 'A value that the content needs is missing.'),
  CONTENT_NOT_PUBLISHED: kind('caller', 422, 'The content item has no published version.'),
  MESSAGE_EXPIRED: kind('caller', 409, 'The message expired before it could be sent.'),
  MESSAGE_STOPPED: kind('caller', 409, 'The message was stopped.'),
  SEND_UNKNOWN: kind('weather', 502, 'It is not known whether the provider took the message.'),
  // requests
  REQUEST_MALFORMED: kind('caller', 400, 'The request is not well-formed.'),
  REQUEST_INVALID: kind('caller', 422, 'The request breaks a rule.'),
  NOT_JSON: kind('caller', 415, 'The request body must be JSON.'),
  MEDIA_TYPE: kind('caller', 415, 'This call does not take this media type.'),
  TOO_LARGE: kind('caller', 413, 'The request body is larger than the limit.'),
  UNAUTHENTICATED: kind('caller', 401, 'A valid token is needed.'),
  SIGN_IN_REFUSED: kind('caller', 401, 'The sign-in was refused.'),
  FORBIDDEN: kind('caller', 403, 'The role of this token does not allow this.'),
  NOT_FOUND: kind('caller', 404, 'There is nothing here.'),
  METHOD_UNKNOWN: kind('caller', 405, 'This address does not take this method.'),
  CONFLICT: kind('caller', 409, 'This contradicts what is stored.'),
  REQUEST_IN_PROGRESS: kind('caller', 409, 'The same request is still being worked on.'),
  IMMUTABLE: kind('caller', 409, 'This never changes after creation.'),
  FOUR_EYES: kind('caller', 403, 'Somebody else has to approve this.'),
  CHANNEL_READ_ONLY: kind('caller', 403, 'Built-in and system channels cannot be changed.'),
  WRONG_STATE: kind('caller', 409, 'The state does not allow this.'),
  SIGNATURE_INVALID: kind('caller', 401, 'The signature of the request is missing or wrong.'),
  RATE_LIMITED: kind('caller', 429, 'Too many requests.'),
  // running the program
  SETTINGS_INVALID: kind('operator', 500, 'The settings contain mistakes.'),
  DATA_FOLDER_IN_USE: kind('operator', 500, 'The data folder is used by another process.'),
  SERVER_UNREACHABLE: kind('weather', 503, 'No Sluiceway answers at this address.'),
  DATABASE_UNREACHABLE: kind('weather', 503, 'The database could not be reached.'),
  SECRET_UNREADABLE: kind('operator', 500, 'A stored secret cannot be decrypted with the given keys.'),
  SHUTDOWN: kind('shutdown', 503, 'The engine is stopping.'),
  BUG: kind('us', 500, 'Something went wrong inside Sluiceway.'),
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof FAILURES;

/** One place in a document or request and what is wrong there. `pointer` is an RFC 6901 JSON pointer. */
export interface Problem {
  readonly pointer: string;
  readonly message: string;
}

export interface FailureDetails {
  readonly problems?: readonly Problem[];
  /** `$error.code` of a pipe: the HTTP status of the answer, or 0. */
  readonly statusCode?: number;
  /** `$error.kind` of a pipe, for example `network`, `timeout`, `rate_limited`. */
  readonly kind?: string;
  /** How long the provider asked us to wait. */
  readonly retryAfterMs?: number;
  /** What the failing pipe still learned and adds to `$in` (an answer's status, headers, body). */
  readonly add?: Readonly<Record<string, unknown>>;
  /** Set when the request may have reached the provider without an answer. */
  readonly ambiguous?: boolean;
  /** Further members of `$error`. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one error class. `message` is a full sentence for people that says what to do next. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly details: FailureDetails;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Failure';
    this.code = code;
    this.details = details;
  }

  get blame(): Blame {
    return FAILURES[this.code].blame;
  }

  get status(): number {
    return FAILURES[this.code].status;
  }
}

/** Any thrown value as a Failure; what is not one of ours is a bug and keeps its cause for the log. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new Failure('BUG', `Something went wrong inside Sluiceway (${text}). The log has the details.`, {
    cause: thrown,
  });
}
