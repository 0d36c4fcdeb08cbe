import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { ApiRequest } from './api-request.ts';
import { dumpNamespace } from './dump-namespace.ts';

export interface TestNamespace {
  readonly name: string;
  readonly dump: () => Promise<string>;
  /** Asks for deletion without waiting; done by itself when the namespace was made inside a test. */
  readonly delete: () => Promise<void>;
}

export interface NamespaceOptions {
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * A namespace of its own for a test. Made inside a test it is deleted when the test ends, and its objects, events and
 * logs are written to standard error first when the test failed; made in a hook, the hook's counterpart deletes it.
 */
export async function createTestNamespace(
  request: ApiRequest,
  { hasControllers }: { readonly hasControllers: boolean },
  { labels = {} }: NamespaceOptions = {},
): Promise<TestNamespace> {
  const name = `test-${randomBytes(5).toString('hex')}`;
  const path = `/api/v1/namespaces/${name}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  const made = await request({ method: 'POST', path: '/api/v1/namespaces', body });
  if (made.status !== 201) throw new Error(`namespace refused: ${JSON.stringify(made.body)}`);

  const namespace: TestNamespace = {
    name,
    dump: () => dumpNamespace(request, name),
    delete: async () => {
      await request({ method: 'DELETE', path });
    },
  };
  endWithTest(namespace);
  // Pods are refused until the controllers have made the account that they run as.
  if (hasControllers) {
    await eventually(async () => {
      const { status } = await request({ path: `${path}/serviceaccounts/default` });
      if (status !== 200) throw new Error(`namespace ${name} has no default service account yet`);
    }, 10_000);
  }
  return namespace;
}

function endWithTest(namespace: TestNamespace): void {
  try {
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'fail') {
        process.stderr.write(`\n${task.name}\n${await namespace.dump()}\n`);
      }
      await namespace.delete();
    });
  } catch {
    // Not inside a test: the caller's afterAll deletes it.
  }
}
