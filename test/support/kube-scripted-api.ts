import type {
  Api,
  KubeObject,
  ListOptions,
  ObjectList,
  WatchEvent,
  WatchOptions,
} from '../../operator/kube/api.ts';
import { ApiStatusError } from '../../operator/kube/api-status-error.ts';

/** One watch that a test drives; every end is what a client sees of that fault. */
export interface ScriptedWatch {
  readonly options: WatchOptions;
  readonly isOpen: boolean;
  send(event: WatchEvent): void;
  end(): void;
  fail(error: ApiStatusError): void;
}

/** Lists and watches of one collection, without a network: for tests of loops in fake time. */
export interface ScriptedApi {
  readonly api: Api;
  readonly lists: readonly (ListOptions | undefined)[];
  readonly watches: readonly ScriptedWatch[];
  objects: readonly KubeObject[];
  version: string;
  /** Instead of the list: an error to throw, or null for the list. */
  onList: () => ApiStatusError | null;
  /** Called with every new watch. */
  onWatch: (watch: ScriptedWatch) => void;
}

export function createScriptedApi(): ScriptedApi {
  const lists: (ListOptions | undefined)[] = [];
  const watches: ScriptedWatch[] = [];
  const scripted: ScriptedApi = {
    api: {
      list: (_, options) => {
        lists.push(options);
        const error = scripted.onList();
        if (error !== null) return Promise.reject(error);
        const { keep = (object: KubeObject) => object } = options ?? {};
        const items = scripted.objects.map(keep).filter((kept) => kept !== null);
        const list: ObjectList = { items, resourceVersion: scripted.version };
        return Promise.resolve(list);
      },
      watch: (_, options, onEvent) =>
        new Promise((resolve, reject) => {
          const watch = scriptedWatch(options, onEvent, { resolve, reject });
          watches.push(watch);
          scripted.onWatch(watch);
        }),
    } as Partial<Api> as Api,
    lists,
    watches,
    objects: [],
    version: '1',
    onList: () => null,
    onWatch: () => undefined,
  };
  return scripted;
}

export function apiError(status: number, reason = '', retryAfterSeconds?: number): ApiStatusError {
  return new ApiStatusError({
    status,
    reason,
    detail: 'scripted',
    call: 'test',
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

function scriptedWatch(
  options: WatchOptions,
  onEvent: (event: WatchEvent) => void,
  settle: { readonly resolve: () => void; readonly reject: (error: Error) => void },
): ScriptedWatch {
  let isOpen = true;
  const close = (): void => {
    isOpen = false;
  };
  options.signal.addEventListener('abort', () => {
    close();
    settle.reject(apiError(0, 'Aborted'));
  });
  return {
    options,
    get isOpen() {
      return isOpen;
    },
    send: (event) => {
      try {
        onEvent(event);
      } catch (error) {
        close();
        settle.reject(error as Error);
      }
    },
    end: () => {
      close();
      settle.resolve();
    },
    fail: (error) => {
      close();
      settle.reject(error);
    },
  };
}
