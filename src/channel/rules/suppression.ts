/** Rules: the address of a channel is one of its subscription fields, and what suppresses it can happen. */
import { pointerTo } from '../../json.ts';
import { didYouMean, listed, nearName } from '../../near.ts';
import { EVENT_TYPES } from '../../pipes/event-types.ts';
import type { Rule } from './context.ts';

export const checkSuppression: Rule = (draft, report) => {
  const { address, suppress, communication } = draft.document;
  const { source } = draft;
  if (communication === 'indirect') {
    for (const [name, value] of Object.entries({ address, suppress })) {
      if (value === undefined) continue;
      const message = `"${name}" means nothing in an indirect channel, which reaches no person; leave it out.`;
      report.add('suppress-unused', { source, pointer: `/${name}`, of: 'key' }, message);
    }
    return;
  }
  const form = draft.forms.find((each) => each.group === 'subscription');
  const fields = form?.fields.map(({ field }) => field.field) ?? [];
  if (address !== undefined && form?.whole !== false && !fields.includes(address)) {
    const near = nearName(address, fields);
    const message = `The channel has no subscription field "${address}".${didYouMean(near) || ` There are: ${listed(fields)}.`}`;
    report.add('address-unknown', { source, pointer: '/address' }, message, near);
  }
  const { events } = draft.written;
  // Of an event that could not be read the name is not known either.
  if (events !== undefined && (!Array.isArray(events) || events.length !== draft.events.length)) return;
  const sids = draft.events.map(({ event }) => event.sid);
  for (const name of Object.keys(suppress ?? {})) {
    if (sids.includes(name) || EVENT_TYPES.some((type) => type === name)) continue;
    const near = nearName(name, [...sids, ...EVENT_TYPES]);
    const message = `"${name}" is neither an event of this channel nor a platform event type.${didYouMean(near) || ` The channel declares: ${listed(sids)}.`}`;
    report.add(
      'suppress-unknown',
      { source, pointer: pointerTo('/suppress', name), of: 'key' },
      message,
      near,
    );
  }
};
