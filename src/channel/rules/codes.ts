/** Every code a finding can have: how grave it is, and what it means in one sentence. The docs are made from it. */
import type { Finding } from '../finding.ts';

interface FindingRule {
  readonly severity: 'error' | 'warning';
  readonly meaning: string;
}

const error = (meaning: string): FindingRule => ({ severity: 'error', meaning });
const warning = (meaning: string): FindingRule => ({ severity: 'warning', meaning });

/** The table of findings. A code, once shipped, never changes its meaning. */
export const FINDING_CODES = {
  // the text
  empty: error('The file holds nothing.'),
  'not-json': error('The text is not JSON.'),
  'too-large': error('The text is larger than a document may be.'),
  'too-deep': error('The document is nested deeper than it may be.'),
  comment: error('JSON has no comments; "note" on a pipe is the place for one.'),
  'trailing-comma': error('A comma stands after the last element of an object or array.'),
  'duplicate-member': error(
    'A member name stands twice in one object, so that one of its values would be lost.',
  ),
  'number-not-exact': error(
    'A number has more digits than can be kept, so it would silently become another one.',
  ),
  'byte-order-mark': warning('The file starts with a byte order mark, which some programs cannot read.'),
  // files and folders
  'folder-unreadable': error('A folder of channels cannot be read.'),
  'channel-file-missing': error('A folder of a channel has no channel.json.'),
  'folder-name': error('The name of the folder is not the sid of the channel in it.'),
  'file-unreadable': error('A file cannot be read.'),
  'pipeline-file-unused': warning('No channel that was checked names this pipeline file.'),
  // members
  'unknown-member': error('The document has a member that means nothing there.'),
  'member-missing': error('A member is missing that must be given.'),
  'wrong-type': error('A value has another type than it must have.'),
  'wrong-value': error('A value is none of those that can stand there.'),
  'wrong-format': error('A value does not fit the pattern, length, size or number of elements it must have.'),
  // identity
  'sid-changed': error('The sid of a channel never changes after creation.'),
  'id-changed': error('The id of a channel never changes after creation.'),
  'sid-taken': error('Another channel has this sid.'),
  'id-taken': error('Another channel has this id.'),
  'id-range': error('The id is outside the range of this kind of channel.'),
  'id-missing': error('A built-in or system channel and its events must name their ids.'),
  'event-sid-twice': error('Two events of a channel have the same sid.'),
  'event-id-twice': error('Two events of a channel have the same id.'),
  'event-id-range': error('The id of an event of a custom channel is below 100,000.'),
  'event-id-changed': error('The id of an event never changes after creation.'),
  'event-removed': warning(
    'An event of the version before is gone; what was counted for it keeps only its number.',
  ),
  // fields and entities
  'field-missing': error('A group of fields is empty that this kind of channel needs.'),
  'field-twice': error('Two fields of a group have the same name.'),
  'field-options': error('The options of an enum field are missing or repeat a value.'),
  'field-default': error('The default of a field does not fit its own rules.'),
  'field-limits': error('The least value or length of a field is larger than the greatest.'),
  'field-setting': warning('A setting means nothing for this type of field or in this group.'),
  'secret-group': error('A secret field stands in a group whose values people read: template or mailing.'),
  'secret-default': warning('A secret field has a default, which stands readable in the document.'),
  'entity-unknown': error('A field names an entity that the channel does not declare.'),
  'entity-twice': error('Two entities, or two operations of an entity, have the same sid.'),
  'entity-field': error('"primary" or "preview" of an entity names none of its fields.'),
  'content-unknown': error(
    'The content mapping names a content type, content key or template field that does not exist.',
  ),
  'address-unknown': error('"address" names no subscription field.'),
  'suppress-unknown': error('"suppress" names something that is no event of the channel and no event type.'),
  'suppress-unused': warning(
    '"address" or "suppress" stands in an indirect channel, which reaches no person.',
  ),
  // pipelines as a whole
  'module-or-pipelines': error(
    'A built-in channel names a module and every other channel has pipelines, never both.',
  ),
  'pipeline-missing': error('A pipeline is missing that the channel needs.'),
  'pipeline-file-missing': error('There is no file for a pipeline that the document names.'),
  'pipeline-size': error('A pipeline has no pipe, or more than can be checked.'),
  'pipeline-unused': warning('Nothing ever enters this pipeline.'),
  // pipes
  'pipe-type-unknown': error('There is no pipe of this type.'),
  'pipe-type-old': warning('An older name of a pipe type is used.'),
  'pipe-id-twice': error('Two pipes of a pipeline have the same id.'),
  'pipe-params': error('The params of a pipe contradict each other or cannot work.'),
  'exit-dangling': error('An exit leads to a pipe that does not exist.'),
  'exit-itself': error('An exit leads back to its own pipe.'),
  'entry-dangling': error(
    'A scheduled pipe hands its event to a pipe that the Schedule pipeline does not have.',
  ),
  'pipe-unreachable': error('Nothing leads to this pipe.'),
  circle: error('A way leads in a circle in which nothing waits, so a run would go round until its limit.'),
  // expressions
  'template-syntax': error('A template is not written correctly.'),
  'query-syntax': error('A selector query is not written correctly.'),
  'jsonata-syntax': error('A JSONata expression is not written correctly.'),
  'liquid-syntax': error('A Liquid text is not written correctly.'),
  'regex-invalid': error(
    'A regular expression is not valid, or not supported because it could take forever.',
  ),
  // what expressions read
  'reference-unknown': error('An expression reads a field or member that is not declared.'),
  'keyword-unavailable': error('An expression reads a keyword that does not exist in this pipeline.'),
  'keyword-uncertain': warning(
    'An expression reads a keyword that exists on some ways into this pipeline only.',
  ),
  'keyword-misspelt': warning(
    'A dollar is followed by a name that is almost a keyword, or is one in content only, so it stays literal text.',
  ),
  'liquid-in-pipe': warning('Liquid stands in a pipe, where it stays literal text.'),
  'item-outside-repeat': warning(
    'An item reference stands outside a repeated member, so it stays literal text.',
  ),
  'personal-data': error('An indirect channel uses personal data.'),
  'secret-exposed': warning('A secret field is written into a log line, an event or an answer.'),
  'secret-written': warning('A secret stands as text where everyone who reads the channel reads it.'),
  'in-missing': error('An expression reads a member of $in that no pipe before has added, on any way.'),
  'in-uncertain': warning('An expression reads a member of $in that is there on some ways only.'),
  'error-missing': error('An expression reads $error, but no error exit leads here.'),
  'body-missing': error('A pipe needs $in.body, but nothing before it makes one.'),
  'body-uncertain': warning('A pipe needs $in.body, which is there on some ways only.'),
  // events
  'event-undeclared': error('A pipe registers an event that the channel does not declare.'),
  'event-mismatch': error('The parts that name an event contradict each other or its declaration.'),
  'event-without-message': error('An event is registered where no message is known, and it names none.'),
  // operations
  'operation-pipe': error('A pipe cannot be used in an operation.'),
  'operation-unfinished': error('A way through an operation ends without result or error.'),
  'result-twice': error('A way passes two result pipes, but a run has one result.'),
  'result-unused': warning('A result is set in a pipeline whose result nobody reads.'),
  // listener
  'listener-verify': error('The verification of a listener cannot work as declared.'),
  'listener-response': error('An answer of the listener cannot be given as declared.'),
  'listener-dedupe': error('The name of repeated requests is the same for all requests.'),
  'listener-unused': warning('The listener is declared, but the channel has no Listener pipeline.'),
  // moderation and stopping
  'moderate-direct': error('Only an indirect channel can be moderated.'),
  'moderate-without-pass': error('No pipe ever registers moderate_pass, so no mailing could ever start.'),
  'moderate-event-unused': warning('A moderation event is registered in a channel without moderation.'),
  'delivery-mode': error('The content would leave in a way that this version does not have.'),
  'stop-missing': warning('The channel takes placement mailings, but nothing withdraws what was placed.'),
} as const satisfies Record<string, FindingRule>;

export type FindingCode = keyof typeof FINDING_CODES;

/** A finding with the severity of its code. */
export function findingOf(code: FindingCode, rest: Omit<Finding, 'code' | 'severity'>): Finding {
  return Object.freeze({ severity: FINDING_CODES[code].severity, code, ...rest });
}
