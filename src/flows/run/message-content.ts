/** What `$template` is for one message: its own values, those of its launch, or a version of a content item. */
import { Failure } from '../../errors.ts';
import type { Scope } from '../../expression/scope.ts';
import { isObject } from '../../json.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import type { MessageState } from '../../storage/states.ts';
import type { Directory } from '../directory/directory.ts';
import type { RenderedContent } from '../directory/render-content.ts';
import type { ItemRendering } from '../directory/render-item.ts';
import { wasSent } from '../settlement/end-message.ts';
import type { ScopeInput } from './run-scope.ts';

type Template = Readonly<Record<string, unknown>>;

/**
 * Returns the values of the template fields for one message; a promise only for content items. Throws or rejects with what
 * refuses the content, and VALUES_INVALID if it does not fit the channel.
 */
export type RenderMessage = (
  row: ClaimedRow,
  context: ScopeInput,
  keywords: Scope,
) => Template | Promise<Template>;

/** Renders messages with what the directory has compiled. */
export function createRenderMessage(directory: Directory): RenderMessage {
  const renderItem = async (
    row: ClaimedRow,
    { channel }: ScopeInput,
    keywords: Scope,
    own: Readonly<Record<string, unknown>>,
  ): Promise<Template> => {
    const use = { itemId: String(own.item), version: Number(own.version) };
    const [content, serves] = await Promise.all([
      directory.items.version(channel, use),
      directory.items.serves(use.itemId),
    ]);
    if (!serves) refuseWithdrawn(row);
    return render(content, keywords, own.attributes);
  };

  return (row, context, keywords) => {
    const own = isObject(row.content) ? row.content : undefined;
    if (own?.item !== undefined) return renderItem(row, context, keywords, own);
    if (context.launch?.withdrawn === true) refuseWithdrawn(row);
    const content =
      own !== undefined && isObject(own.values)
        ? directory.content(context.channel, own.values)
        : context.launch?.content;
    return render(content, keywords, own?.attributes);
  };
}

function render(
  content: ItemRendering | Failure | undefined,
  keywords: Scope,
  attributes: unknown,
): Template | Promise<Template> {
  if (content === undefined) throw new Failure('VALUES_INVALID', 'The message has no content.');
  if (content instanceof Failure) throw content;
  const rendered = content.render({
    profile: keywords.profile,
    subscription: keywords.subscription,
    resource: keywords.resource,
    campaign: keywords.campaign,
    attributes: attributes ?? {},
    now: keywords.now as string,
  });
  return rendered instanceof Promise ? rendered.then(soundValues) : soundValues(rendered);
}

function soundValues({ values, problems }: RenderedContent): Template {
  const [problem] = problems;
  if (problem === undefined) return values;
  throw new Failure('VALUES_INVALID', `The rendered content does not fit the channel: ${problem.message}`, {
    problems,
  });
}

/** What was archived goes out no more; what was sent already goes on to its end. */
function refuseWithdrawn(row: ClaimedRow): void {
  if (wasSent(row)) return;
  throw new Failure(
    'CONTENT_NOT_PUBLISHED',
    'The content item was archived before this message was sent, so that it is not delivered any more.',
  );
}

/** The state of a message whose content is refused: somebody decided that it does not go out, or it cannot. */
export function refusedState({ code }: Failure): MessageState {
  return code === 'CONTENT_NOT_PUBLISHED' ? 'suppressed' : 'failed';
}
