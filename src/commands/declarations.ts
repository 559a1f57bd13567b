/** What each command takes: one table, from which come the parsing, the help and docs/reference/commands.md. */

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly description: string;
  /** What stands after it, for people. */
  readonly value?: string;
  readonly required?: true;
  readonly default?: string;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

export interface Declaration {
  readonly summary: string;
  /** By place: `name`, `[name]` where it may be left out, `[name…]` for any number of them. */
  readonly takes: readonly string[];
  readonly options: OptionTable;
}

const json = { type: 'boolean', description: 'Answers in JSON, for programs.' } as const;
const url = {
  type: 'string',
  value: 'address',
  default: 'http://127.0.0.1:8080',
  description: 'The running server.',
} as const;
const token = {
  type: 'string',
  value: 'token',
  description: 'A token of that server. Better in SLUICEWAY_TOKEN, where no list of processes shows it.',
} as const;
const server = { url, token, json };
const pipeline = {
  type: 'string',
  value: 'name',
  description: 'message, schedule, listener, moderate, stop, or `<entity>/<operation>`.',
} as const;

/** The table of commands. */
export const DECLARATIONS = {
  serve: {
    summary: 'Run the engine: API, listener and worker, as the settings say.',
    takes: [],
    options: {},
  },
  check: {
    summary: 'Check channel documents; exit code 1 on any error.',
    takes: ['[folder|file…]'],
    options: { json },
  },
  test: {
    summary: 'Run golden tests beside the channels, offline.',
    takes: ['[folder|file…]'],
    options: {
      update: { type: 'boolean', description: 'Writes down in each file what happened.' },
      outs: { type: 'boolean', description: 'Lists the exits that no test walked.' },
      json,
    },
  },
  'dry-run': {
    summary:
      'Run a channel once with a trace, offline: what would go out, what was answered, which rule decided.',
    takes: ['channel'],
    options: {
      message: {
        type: 'string',
        value: 'file.json',
        required: true,
        description: 'The message: values by group, as `given.message` of a golden test, or a whole `given`.',
      },
      answers: {
        type: 'string',
        value: 'file.json',
        description: 'Answers of the provider by pipe id, as `given.answers` of a golden test.',
      },
      live: {
        type: 'boolean',
        description: 'Really sends the requests that have no answer, to addresses that the settings allow.',
      },
      pipeline: { ...pipeline, default: 'message' },
      json,
    },
  },
  graph: {
    summary: 'Draw the pipelines of a channel as a Mermaid flowchart.',
    takes: ['channel'],
    options: { pipeline: { ...pipeline, description: `Only this one: ${pipeline.description}` }, json },
  },
  init: {
    summary: 'Make the folder of a new channel with its tests, passing `check` and `test` from the start.',
    takes: ['sid'],
    options: {
      folder: { type: 'string', value: 'folder', default: '.', description: 'Where the folder is made.' },
      json,
    },
  },
  send: {
    summary: 'Send one message through a running server.',
    takes: [],
    options: {
      channel: { type: 'string', value: 'sid', required: true, description: 'The channel.' },
      template: {
        type: 'string',
        value: 'file|json|sid',
        description: 'Values of the template fields: a file, JSON, or the sid of a saved template.',
      },
      'content-item': {
        type: 'string',
        value: 'id',
        description: 'Instead of --template: a content item, of which the published version is sent.',
      },
      profile: {
        type: 'string',
        value: 'externalId|file|json',
        description:
          'To whom: an external id, or a profile that is created or updated. Direct channels only.',
      },
      sender: { type: 'string', value: 'sid', description: 'May be left out where there is exactly one.' },
      resource: { type: 'string', value: 'sid', description: 'May be left out where there is exactly one.' },
      attributes: { type: 'string', value: 'file|json', description: 'Values for {{attributes.…}}.' },
      class: { type: 'string', value: 'class', description: 'transactional, marketing or urgent.' },
      'idempotency-key': {
        type: 'string',
        value: 'text',
        description: 'The same command with the same key sends once.',
      },
      wait: {
        type: 'string',
        value: 'seconds',
        description: 'Waits until the message is through, and says how it went.',
      },
      ...server,
    },
  },
  'mailing start': {
    summary: 'Start a mailing and show how it goes until it is finished.',
    takes: ['id'],
    options: {
      'no-wait': { type: 'boolean', description: 'Only starts it.' },
      ...server,
    },
  },
  import: {
    summary:
      'Import profiles, subscriptions or suppressions from a CSV or NDJSON file into a running server.',
    takes: ['profiles|subscriptions|suppressions', 'file'],
    options: {
      format: {
        type: 'string',
        value: 'csv|ndjson',
        description: 'Where the name of the file does not tell.',
      },
      ...server,
    },
  },
  export: {
    summary:
      'Write what an account has set up (channels and all that belongs to them, rules, webhooks) as a bundle, without secrets.',
    takes: [],
    options: {
      out: { type: 'string', value: 'file', description: 'Where it is written; standard output without it.' },
      ...server,
    },
  },
  plan: {
    summary: 'Show what `apply` would create and change; changes nothing.',
    takes: ['bundle|folder'],
    options: {
      secrets: { type: 'boolean', description: 'Counts secrets that are set already as changed.' },
      ...server,
    },
  },
  apply: {
    summary: 'Make a running server hold what a bundle, or a folder of channels, says.',
    takes: ['bundle|folder'],
    options: {
      secrets: { type: 'boolean', description: 'Writes secrets again that are set already.' },
      ...server,
    },
  },
  migrate: {
    summary: 'Bring the database of the settings to the schema of this program.',
    takes: [],
    options: { json },
  },
  'keys rotate': {
    summary: 'Encrypt every stored secret again with the first key of SLUICEWAY_SECRET_KEY.',
    takes: [],
    options: { json },
  },
  'token create': {
    summary: 'Make a token in the database of the settings and print it, this once.',
    takes: [],
    options: {
      name: { type: 'string', value: 'text', required: true, description: 'What it is for.' },
      role: { type: 'string', value: 'role', required: true, description: 'viewer, editor or admin.' },
      account: { type: 'string', value: 'name', description: 'The first account where it is left out.' },
      user: {
        type: 'string',
        value: 'email',
        description: 'Whose token it is: a user of that account.',
        default: 'admin@localhost',
      },
      json,
    },
  },
  'user create': {
    summary: 'Make a user with a password in the database of the settings, for the first who is to sign in.',
    takes: [],
    options: {
      email: { type: 'string', value: 'email', required: true, description: 'Unique in the account.' },
      role: { type: 'string', value: 'role', required: true, description: 'viewer, editor or admin.' },
      name: { type: 'string', value: 'text', description: 'For people; the email where it is left out.' },
      account: { type: 'string', value: 'name', description: 'The first account where it is left out.' },
      'password-stdin': {
        type: 'boolean',
        description: 'Reads the password from standard input; without it one is made and shown, this once.',
      },
      json,
    },
  },
} as const satisfies Readonly<Record<string, Declaration>>;

export type CommandName = keyof typeof DECLARATIONS;

/** `dry-run <channel> --message <file.json> [--live]`. */
export function usageOf(name: CommandName): string {
  const { takes, options }: Declaration = DECLARATIONS[name];
  const places = takes.map((place) => (place.startsWith('[') ? place : `<${place}>`));
  const named = Object.entries(options).map(([option, { value, required }]) => {
    const text = value === undefined ? `--${option}` : `--${option} <${value}>`;
    return required === true ? text : `[${text}]`;
  });
  return [name, ...places, ...named].join(' ');
}
