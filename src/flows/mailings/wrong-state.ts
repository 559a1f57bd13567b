/** What a mailing's state does not allow. */
import { Failure } from '../../errors.ts';
import type { MailingRow } from '../../storage/mailings.ts';

/** The refusal of a verb that is allowed in some states only. */
export function wrongState(mailing: MailingRow, verb: string, from: readonly string[]): Failure {
  return new Failure(
    'WRONG_STATE',
    `A mailing can be ${verb} when it is ${from.join(' or ')}; "${mailing.name}" is ${mailing.state}.`,
  );
}
