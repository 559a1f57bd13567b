/** The built-in channels: declared here, checked and kept like all others, and controlled by code modules. */
import type { ChannelSource } from '../check.ts';
import { email } from './email.ts';
import { push } from './push.ts';
import { sms } from './sms.ts';

/** As the loader finds channels of folders. */
export const BUILT_INS: readonly ChannelSource[] = Object.freeze(
  [email, sms, push].map(
    (document): ChannelSource => ({
      file: `built-in ${document.sid}`,
      text: JSON.stringify(document, null, 2),
      kind: 'built_in',
      sid: document.sid,
      pipelines: () => undefined,
    }),
  ),
);
