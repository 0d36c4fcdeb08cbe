import { nearestNames } from '../../../crds/schema/edit-distance.ts';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';
import { createClient } from '../../kube/client.ts';
import { systemKubeClock } from '../../kube/clock.ts';
import { readAnswer, withAnswer } from '../../kube/http-call.ts';
import { openUserAccess, type UserAccess, type UserAccessResult } from '../../kube/user-access.ts';
import type { Cluster, ClusterFlags } from './cluster.ts';

const CALL_MS = 15_000;

/** The cluster that a person means; nothing is asked of it yet. */
export function openCluster(
  flags: ClusterFlags,
  environment: Readonly<Record<string, string>>,
): Cluster {
  const { access, context, namespace } = accessFor(flags, environment);
  const clock = systemKubeClock;
  const own = flags.namespace ?? namespace;
  return {
    api: createClient({ access, clock, budget: null, deadlineMs: CALL_MS }),
    clock,
    server: access.server,
    context,
    namespace: own,
    listNamespace: flags.allNamespaces === true ? undefined : own,
    raw: async (method, target, body) => {
      const name = `${method.toLowerCase()} ${target.split('?')[0] ?? ''}`;
      const call = { method, target, body, name, deadlineMs: CALL_MS } as const;
      return withAnswer(access, clock, call, async (incoming) => {
        const serverMs = Date.parse(incoming.headers.date ?? '');
        const { status, text } = await readAnswer(incoming, call);
        return { status, text, serverMs: Number.isNaN(serverMs) ? null : serverMs };
      });
    },
    close: () => {
      access.close();
    },
  };
}

function accessFor(
  { kubeconfig, context }: ClusterFlags,
  environment: Readonly<Record<string, string>>,
): UserAccess {
  const { KUBECONFIG: listed = '', HOME: home = '/' } = environment;
  const paths = kubeconfig === undefined ? listed.split(':').filter(Boolean) : [kubeconfig];
  const found = openUserAccess({ paths, home, context });
  if (found.ok) return found.value;
  throw toError(found, context);
}

function toError(found: UserAccessResult & { readonly ok: false }, context?: string): CliError {
  const { where } = found;
  switch (found.code) {
    case 'Missing':
      return new CliError('KubeconfigUnreadable', { where, why: 'there is no such file.' });
    case 'Unreadable': {
      const why = `${errorText(found.cause).split('\n')[0] ?? ''}.`;
      return new CliError('KubeconfigUnreadable', { where, why, cause: found.cause });
    }
    case 'NoServer':
      return new CliError('KubeconfigUnreadable', {
        where,
        why: 'its context names no API server.',
      });
    case 'NoContext':
      return noContext(found.contexts, where, context);
  }
}

function noContext(contexts: readonly string[], where: string, context?: string): CliError {
  if (context === undefined) {
    const why = 'no current context is set.';
    const nextStep = `Choose one with --context: ${contexts.join(', ')}.`;
    return new CliError('ContextNotFound', { where, why, nextStep });
  }
  const [near] = nearestNames(context, contexts);
  const nextStep =
    near === undefined ? `It has ${contexts.join(', ')}.` : `Did you mean --context ${near}?`;
  const why = 'it is not in the file.';
  return new CliError('ContextNotFound', { where: `--context ${context}`, why, nextStep });
}
