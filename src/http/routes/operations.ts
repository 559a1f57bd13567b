/** Operations of a channel's entities, run while the user waits: a list at the provider, a new record there. */

import type { Directory } from '../../flows/directory/directory.ts';
import type { Lanes } from '../../flows/lanes/lanes.ts';
import type { OpenOutside } from '../../flows/run/run-context.ts';
import { createRunOperation, type OperationRequest } from '../../flows/run/run-operation.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { type Route, route } from '../route.ts';
import { anyObject, objectSchema, sid } from '../schemas.ts';
import { visibleChannel } from '../visible-channel.ts';

/** Routes of operations. `open` gives a run what it may reach. */
export function operationRoutes(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  open: OpenOutside,
): Route[] {
  const run = createRunOperation(runtime, directory, lanes, open);
  return [
    route<Pick<OperationRequest, 'sender' | 'resource' | 'input'>>({
      method: 'POST',
      path: '/channels/{sid}/entities/{entity}/{operation}',
      action: 'operations.run',
      tag: 'channels',
      summary: 'Run an operation and wait for its result, at most 30 seconds.',
      body: objectSchema({
        sender: {
          ...sid,
          description: 'Whose credentials are used; may be left out where there is exactly one.',
        },
        resource: { ...sid, description: 'May be left out where there is exactly one.' },
        input: { ...anyObject, description: "Values of the operation's input fields." },
      }),
      answers: {
        200: {
          description:
            'The result of the `result` pipe. What an `error` pipe says is a problem with its code in `error`.',
          schema: objectSchema({ result: { description: 'An object, or a list of objects.' } }, ['result']),
        },
      },
      run: async ({ caller, params, body }) => {
        const { channel } = await visibleChannel(directory, caller.accountId, params.sid ?? '');
        const { entity = '', operation = '' } = params;
        return {
          status: 200,
          body: { result: await run(caller.accountId, channel, { ...body, entity, operation }) },
        };
      },
    }),
  ];
}
