/** Tells when something in a folder changes, for channels that an admin edits while the engine runs. */
import { type FSWatcher, watch } from 'node:fs';

/** Editors write a file in several steps; what comes within this time is one change. */
const SETTLE_MS = 300;

/** Calls `changed` some time after anything below the folders changed, one call at a time. Returns a function that ends it. */
export function watchFolders(
  folders: readonly string[],
  changed: () => Promise<void>,
  failed: (thrown: unknown) => void,
): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  const run = () => {
    timer = undefined;
    if (running !== undefined) {
      again = true;
      return;
    }
    running = changed()
      .catch(failed)
      .finally(() => {
        running = undefined;
        if (again) {
          again = false;
          run();
        }
      });
  };
  const watchers: FSWatcher[] = [];
  for (const folder of folders) {
    try {
      const watcher = watch(folder, { recursive: true, persistent: false }, () => {
        clearTimeout(timer);
        timer = setTimeout(run, SETTLE_MS);
      });
      watcher.on('error', failed);
      watchers.push(watcher);
    } catch (thrown) {
      failed(thrown);
    }
  }
  return async () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
    await running;
  };
}
