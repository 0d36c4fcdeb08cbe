import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { accessOf, type ClusterAccess } from './cluster-access.ts';

/** What a person says of a cluster: files of kubeconfig, the first that names something wins, and a context. */
export interface UserAccessSource {
  /** Empty: the usual places, or the account of this pod. */
  readonly paths: readonly string[];
  readonly home: string;
  readonly context: string | undefined;
}

export interface UserAccess {
  readonly access: ClusterAccess;
  readonly context: string;
  /** Of the context, else `default`. */
  readonly namespace: string;
}

export type UserAccessResult =
  | { readonly ok: true; readonly value: UserAccess }
  | {
      readonly ok: false;
      readonly code: 'Unreadable';
      readonly where: string;
      readonly cause: unknown;
    }
  | { readonly ok: false; readonly code: 'Missing' | 'NoServer'; readonly where: string }
  | {
      readonly ok: false;
      readonly code: 'NoContext';
      readonly where: string;
      readonly contexts: readonly string[];
    };

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** A person's way to the API server, as kubectl finds it. What is wrong with it is a value. */
export function openUserAccess({ paths, home, context }: UserAccessSource): UserAccessResult {
  const usual = join(home, '.kube', 'config');
  const named = paths.length > 0 ? paths : existsSync(usual) ? [usual] : [];
  const config = new KubeConfig();
  if (named.length === 0) {
    if (!existsSync(ACCOUNT)) return { ok: false, code: 'Missing', where: usual };
    config.loadFromCluster();
  }
  const present = named.filter((path) => existsSync(path));
  if (named.length > 0 && present.length === 0) {
    return { ok: false, code: 'Missing', where: named.join(', ') };
  }
  for (const [index, path] of present.entries()) {
    try {
      merge(config, path, index === 0);
    } catch (cause) {
      return { ok: false, code: 'Unreadable', where: path, cause };
    }
  }
  return choose(config, context, present.join(', '));
}

function merge(config: KubeConfig, path: string, isFirst: boolean): void {
  if (isFirst) {
    config.loadFromFile(path);
    return;
  }
  const more = new KubeConfig();
  more.loadFromFile(path);
  config.mergeConfig(more, true);
}

function choose(config: KubeConfig, context: string | undefined, where: string): UserAccessResult {
  const contexts = config.getContexts().map(({ name }) => name);
  const name = context ?? config.getCurrentContext();
  if (!contexts.includes(name)) return { ok: false, code: 'NoContext', where, contexts };
  config.setCurrentContext(name);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || !URL.canParse(server)) return { ok: false, code: 'NoServer', where };
  const namespace = config.getContextObject(name)?.namespace ?? 'default';
  const access = accessOf(config, server.replace(/\/+$/, ''));
  return { ok: true, value: { access, context: name, namespace } };
}
