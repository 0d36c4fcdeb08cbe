import { stringify } from 'yaml';
import type { ApiRequest } from './api-request.ts';

interface ApiObject {
  readonly kind?: string;
  readonly metadata: { readonly name: string; managedFields?: unknown };
  data?: unknown;
}
interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}
interface Event {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly involvedObject?: { readonly kind?: string; readonly name?: string };
  readonly metadata: { readonly creationTimestamp: string };
}
interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName?: string; readonly containers: readonly { name: string }[] };
}

const GREATEST_LENGTH = 60_000;

/** All that a person needs to see why a test failed in a namespace: objects as YAML, events in order, container logs. */
export async function dumpNamespace(request: ApiRequest, namespace: string): Promise<string> {
  const sections = [
    ...(await objects(request, namespace)),
    await events(request, namespace),
    ...(await logs(request, namespace)),
  ];
  const text = sections.join('\n');
  const cut = text.length - GREATEST_LENGTH;
  return cut > 0 ? `${text.slice(0, GREATEST_LENGTH)}\n(${cut} more characters)` : text;
}

async function objects(request: ApiRequest, namespace: string): Promise<string[]> {
  const found: string[] = [];
  for (const version of await groupVersions(request)) {
    const { body } = await request({ path: version });
    const { resources = [] } = body as { resources?: Resource[] };
    for (const { name, kind } of resources.filter(isWorthShowing)) {
      const answer = await request({ path: `${version}/namespaces/${namespace}/${name}` });
      const { items = [] } = answer.body as { items?: ApiObject[] };
      for (const item of items) found.push(show(kind, item));
    }
  }
  return found;
}

async function groupVersions(request: ApiRequest): Promise<string[]> {
  const { body } = await request({ path: '/apis' });
  const { groups } = body as { groups: { preferredVersion: { groupVersion: string } }[] };
  return ['/api/v1', ...groups.map((group) => `/apis/${group.preferredVersion.groupVersion}`)];
}

function isWorthShowing({ name, kind, namespaced, verbs }: Resource): boolean {
  return namespaced && verbs.includes('list') && kind !== 'Event' && !name.includes('/');
}

function show(kind: string, object: ApiObject): string {
  delete object.metadata.managedFields;
  if (kind === 'Secret') delete object.data;
  return `--- ${kind} ${object.metadata.name}\n${stringify(object, { lineWidth: 0 })}`;
}

async function events(request: ApiRequest, namespace: string): Promise<string> {
  const { body } = await request({ path: `/api/v1/namespaces/${namespace}/events` });
  const { items = [] } = body as { items?: Event[] };
  const lines = items
    .toSorted((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp))
    .map(({ type, reason, message, count = 1, involvedObject: about, metadata }) =>
      [metadata.creationTimestamp, type, reason, `${about?.kind}/${about?.name}`, `x${count}`]
        .concat(message)
        .join(' '),
    );
  return ['--- events', ...lines].join('\n');
}

async function logs(request: ApiRequest, namespace: string): Promise<string[]> {
  const { body } = await request({ path: `/api/v1/namespaces/${namespace}/pods` });
  const { items = [] } = body as { items?: Pod[] };
  const found: string[] = [];
  for (const { metadata, spec } of items) {
    if (spec.nodeName === undefined) continue;
    for (const { name } of spec.containers) {
      for (const previous of [true, false]) {
        const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}/log?container=${name}&tailLines=60&previous=${previous}`;
        const { status, body: log } = await request({ path });
        const which = `${metadata.name}/${name}${previous ? ' before its restart' : ''}`;
        if (status === 200) found.push(`--- log of ${which}\n${asText(log)}`);
      }
    }
  }
  return found;
}

function asText(log: unknown): string {
  return typeof log === 'string' ? log : JSON.stringify(log);
}
