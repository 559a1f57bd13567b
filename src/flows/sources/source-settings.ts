/** Settings of a content source on their way into the database and out: checked, secrets sealed and never shown. */
import { openFields, type Vault } from '../../access/vault.ts';
import { SOURCE_ADAPTERS } from '../../content/sources/catalog.ts';
import type { Provider, SourceAdapter, SourceConfig } from '../../content/sources/contract.ts';
import { objectOf } from '../../content/sources/parts.ts';
import { Failure, type Problem } from '../../errors.ts';
import { isObject } from '../../json.ts';
import type { SourceRow } from '../../storage/content-sources.ts';
import { compileSchema, type Validator } from '../../validate.ts';
import { type FieldGroupCheck, showFields, storeFields } from '../directory/stored-fields.ts';
import { createRedact, type Redact } from '../redact.ts';

type Values = Readonly<Record<string, unknown>>;

/** Stands beside the connection details, so that keys rotate for it as for them. */
const WEBHOOK_SECRET = 'webhookSecret';

/** What a request says about secrets and connection details; what is left out stays. */
export interface GivenSettings {
  readonly config?: Values | undefined;
  /** Null clears it; `{ set: true }`, as answers show it, leaves it. */
  readonly webhookSecret?: unknown;
}

/** Everything that asking a source takes. */
export interface OpenSource {
  readonly row: SourceRow;
  readonly adapter: SourceAdapter;
  readonly config: SourceConfig;
  readonly webhookSecret: string | undefined;
  /** Takes the secrets out of what is kept or logged. */
  readonly redact: Redact;
}

/** What is stored of the settings. Throws REQUEST_INVALID with every problem at its place. */
export function storeSettings(
  vault: Vault,
  provider: Provider,
  given: GivenSettings,
  stored: Values,
  setAt: string,
): Values {
  const { [WEBHOOK_SECRET]: storedSecret, ...storedConfig } = stored;
  const config =
    given.config === undefined
      ? storedConfig
      : storeFields(vault, formOf(provider), {
          given: given.config,
          stored: storedConfig,
          setAt,
          pointer: '/config',
        });
  const { webhookSecret } = given;
  const secret =
    webhookSecret === undefined || isObject(webhookSecret)
      ? storedSecret
      : webhookSecret === null
        ? undefined
        : vault.seal(webhookSecret, setAt);
  return { ...config, ...(secret !== undefined && { [WEBHOOK_SECRET]: secret }) };
}

/** Connection details and the webhook's secret as people may see them. */
export function showSettings(row: SourceRow): { readonly config: Values; readonly webhookSecret: unknown } {
  const { [WEBHOOK_SECRET]: webhookSecret = null, ...config } = showFields(
    row.config,
    new Set([...SOURCE_ADAPTERS[row.provider as Provider].secrets, WEBHOOK_SECRET]),
  );
  return { config, webhookSecret };
}

/** A source with its secrets in the clear, for asking it. Throws SECRET_UNREADABLE. */
export function openSource(vault: Vault, row: SourceRow): OpenSource {
  const { values, secrets } = openFields(vault, row.config);
  const { [WEBHOOK_SECRET]: webhookSecret, ...config } = values;
  return {
    row,
    adapter: SOURCE_ADAPTERS[row.provider as Provider],
    config,
    webhookSecret: typeof webhookSecret === 'string' ? webhookSecret : undefined,
    redact: createRedact(secrets),
  };
}

/** The failure of settings that break a rule. */
export function invalidSettings(problems: readonly Problem[]): Failure {
  const [first] = problems;
  return new Failure('REQUEST_INVALID', `The source breaks a rule at ${first?.pointer}: ${first?.message}`, {
    problems,
  });
}

/** Compiled when first needed, because compiling takes milliseconds. */
const validators = new Map<Provider, Validator>();

function formOf(provider: Provider): FieldGroupCheck {
  const { config, secrets } = SOURCE_ADAPTERS[provider];
  const validator = validators.get(provider) ?? compileSchema(config);
  validators.set(provider, validator);
  return {
    names: new Set(),
    secret: secrets,
    check: (values) => {
      const checked = { ...objectOf(values) };
      const problems = validator.check(checked, '/config');
      if (problems.length > 0) throw invalidSettings(problems);
      return { values: checked, problems: [] };
    },
  };
}
