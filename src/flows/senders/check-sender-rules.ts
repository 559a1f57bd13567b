/** What must be right about sender rules before they are kept: names, senders, classes of failures, filters. */
import { type ChannelDocument, fieldsOf } from '../../channel/document.ts';
import { unstorable } from '../../channel/unstorable.ts';
import { Failure, type Problem } from '../../errors.ts';
import { isObject, pointerTo } from '../../json.ts';
import { didYouMean, listed, nearName } from '../../near.ts';
import { RULE_FIELDS, ruleCase } from '../../storage/sender-choice.ts';
import type { SenderRule } from '../../storage/sender-rules.ts';
import { FALLBACK_CLASSES, isFallbackClass } from './fallback-class.ts';

/** Everything that is wrong with rules, each with its pointer; `senders` are the sids of the channel. */
export function ruleProblems(
  rules: readonly SenderRule[],
  channel: ChannelDocument,
  senders: ReadonlySet<string>,
): Problem[] {
  const problems: Problem[] = [];
  const say = (pointer: string, message: string) => problems.push({ pointer, message });
  const names = new Set<string>();
  rules.forEach((rule, index) => {
    const at = `/rules/${index}`;
    if (names.has(rule.name))
      say(`${at}/name`, `There are two rules "${rule.name}"; give each its own name.`);
    names.add(rule.name);
    if (rule.when === undefined && index < rules.length - 1) {
      say(at, 'A rule without "when" fits every message, so it must be the last one.');
    }
    const checkSenders = (sids: readonly string[], pointerOf: (place: number) => string) => {
      sids.forEach((sid, place) => {
        if (sids.indexOf(sid) !== place) say(pointerOf(place), `Sender "${sid}" is named twice.`);
        if (senders.has(sid)) return;
        const near = didYouMean(nearName(sid, senders));
        say(
          pointerOf(place),
          `There is no sender "${sid}" in channel "${channel.sid}".${near || ` There are: ${listed(senders)}.`}`,
        );
      });
    };
    checkSenders(
      rule.senders.map(({ sender }) => sender),
      (place) => `${at}/senders/${place}/sender`,
    );
    checkSenders(rule.fallback ?? [], (place) => `${at}/fallback/${place}`);
    problems.push(...fallbackProblems(rule, at));
    if (rule.when !== undefined) problems.push(...whenProblems(rule.when, `${at}/when`, channel));
  });
  return problems;
}

function fallbackProblems({ fallback = [], fallbackOn = [] }: SenderRule, at: string): Problem[] {
  const words = Object.keys(FALLBACK_CLASSES);
  const problems: Problem[] = fallbackOn.flatMap((entry, place) => {
    if (isFallbackClass(entry)) return [];
    const near = didYouMean(nearName(String(entry), words));
    const message = `"${entry}" is no class of failures.${near || ` Use ${listed(words)}, a status such as 503, or a range such as "5xx".`}`;
    return [{ pointer: `${at}/fallbackOn/${place}`, message }];
  });
  if (fallback.length > 0 !== fallbackOn.length > 0) {
    const message =
      fallback.length > 0
        ? 'Say with "fallbackOn" after which failures the fallback follows, for example ["weather", "server"].'
        : 'Say with "fallback" which senders follow, in their order.';
    problems.push({ pointer: at, message });
  }
  return problems;
}

/** The filter itself, and whether the channel has the fields that it asks. */
function whenProblems(
  when: Readonly<Record<string, unknown>>,
  at: string,
  channel: ChannelDocument,
): Problem[] {
  const unsound = unstorable(when, at);
  if (unsound !== undefined) {
    return [{ pointer: unsound.pointer ?? at, message: `The filter ${unsound.message}.` }];
  }
  const problems = fieldProblems(when, at, channel);
  if (problems.length > 0) return problems;
  try {
    ruleCase([{ name: '', when, senders: [] }], { class: 'null::text', mailing: 'null::text' }, () => '$1');
    return [];
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return (thrown.details.problems ?? [{ pointer: '', message: thrown.message }]).map((problem) => ({
      ...problem,
      pointer: problem.pointer.replace(/^\/rules\/0\/when/, at),
    }));
  }
}

function fieldProblems(
  when: Readonly<Record<string, unknown>>,
  at: string,
  channel: ChannelDocument,
): Problem[] {
  return Object.entries(when).flatMap(([key, value]): Problem[] => {
    const here = pointerTo(at, key);
    const inner = (each: unknown, pointer: string) =>
      isObject(each) ? fieldProblems(each, pointer, channel) : [];
    if (key === 'not') return inner(value, here);
    if ((key === 'and' || key === 'or') && Array.isArray(value)) {
      return value.flatMap((each, place) => inner(each, pointerTo(here, place)));
    }
    const message = key === 'and' || key === 'or' ? undefined : fieldProblem(key, channel);
    return message === undefined ? [] : [{ pointer: here, message }];
  });
}

function fieldProblem(field: string, channel: ChannelDocument): string | undefined {
  if (field === 'class' || field === 'mailing') return undefined;
  const [, table, key] = /^(profile|subscription)\.(.+)$/s.exec(field) ?? [];
  if (key === undefined) {
    const near = didYouMean(nearName(field, ['class', 'mailing']));
    return `"${field}" is not a field of a rule; use ${RULE_FIELDS}.${near}`;
  }
  if (channel.communication === 'indirect') {
    return `Channel "${channel.sid}" is indirect: its messages go to no person, so a rule cannot ask "${field}".`;
  }
  if (table === 'profile') return undefined;
  const fields = fieldsOf(channel.fields.subscription);
  const known = fields.find((each) => each.field === key);
  if (known?.secret === true) return `"${field}" is secret; a rule cannot ask it.`;
  if (known !== undefined) return undefined;
  const near = nearName(
    key,
    fields.map((each) => each.field),
  );
  return `Channel "${channel.sid}" has no subscription field "${key}".${
    near === undefined
      ? ` It has: ${listed(fields.map((each) => each.field))}.`
      : didYouMean(`subscription.${near}`)
  }`;
}
