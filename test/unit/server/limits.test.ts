import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { WIRE_LIMITS } from '../../../crds/wire/limits.ts';
import type { ServerConfig } from '../../../server/config.ts';
import { CONFIG_VARIABLES, loadConfig } from '../../../server/config.ts';
import { ERRORS } from '../../../server/errors.ts';
import {
  MAX_ID_LENGTH,
  MAX_JSON_VALUES,
  MAX_TIMEOUT_SECONDS,
  STANDARD_CONNECTION_LIMITS,
} from '../../../server/limits.ts';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';

function load(more: Record<string, string> = {}): ServerConfig {
  const result = loadConfig({
    LAYERCACHE_MODEL_NAME: 'digits',
    LAYERCACHE_BACKBONE_URI: '/model.onnx',
    ...more,
  });
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.value;
}

interface Row {
  readonly limit: string;
  readonly standard: number;
  readonly setWith: string;
  readonly past: string;
}

function readTable(): Row[] {
  const readme = readFileSync(new URL('../../../server/README.md', import.meta.url), 'utf8');
  const [, table = ''] = readme.split(
    '| limit | default | set with | past it |\n| --- | --- | --- | --- |\n',
  );
  return table
    .split('\n\n')[0]!
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [limit = '', standard, setWith = '', past = ''] = line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim());
      return { limit, standard: Number(standard), setWith, past };
    });
}

const rows = readTable();

/** Every limit of the code with what sets it: a variable, a field of the policy, or nothing. */
function limitsInForce(config: ServerConfig): Record<string, readonly [number, string]> {
  const { requestLimits: request, connectionLimits: connection } = config;
  return {
    'bytes of a body': [DEFAULT_LIMITS.maxRequestBytes, 'policy `maxRequestBytes`'],
    'times that limit, once decompressed': [
      request.maxDecompressionRatio,
      '`MAX_DECOMPRESSION_RATIO`',
    ],
    'levels of JSON': [request.maxJsonDepth, '`MAX_JSON_DEPTH`'],
    'elements of the input': [request.maxTensorElements, '`MAX_TENSOR_ELEMENTS`'],
    'values of a JSON body beside its numbers': [MAX_JSON_VALUES, ''],
    'bytes that all requests hold together, bodies and tensors': [
      request.maxHeldBytes,
      '`MAX_HELD_BODIES`',
    ],
    'pixels of an image': [request.maxImagePixels, '`MAX_IMAGE_PIXELS`'],
    'requests answered at once': [
      DEFAULT_LIMITS.maxConcurrentRequests,
      'policy `maxConcurrentRequests`',
    ],
    'rows that wait': [DEFAULT_LIMITS.maxQueueLength, 'policy `maxQueueLength`'],
    'milliseconds to the answer': [
      DEFAULT_LIMITS.requestTimeoutMs,
      'policy `requestTimeoutMs`, header `request-timeout` in seconds',
    ],
    'seconds that header may say': [MAX_TIMEOUT_SECONDS, ''],
    'characters of an `id`': [MAX_ID_LENGTH, ''],
    'bytes of the headers': [connection.maxHeaderBytes, '`MAX_HEADER_SIZE`'],
    'milliseconds for the headers': [connection.headersTimeoutMs, '`HEADERS_TIMEOUT`'],
    'milliseconds for a whole request': [connection.receiveTimeoutMs, '`RECEIVE_TIMEOUT`'],
    'milliseconds of an idle connection': [connection.keepAliveTimeoutMs, '`KEEP_ALIVE_TIMEOUT`'],
    'milliseconds in which a client takes nothing of its answer': [
      connection.writeTimeoutMs,
      '`WRITE_TIMEOUT`',
    ],
    'connections of a port': [connection.maxConnections, '`MAX_CONNECTIONS`'],
    'bytes of a policy': [WIRE_LIMITS.policyBytes, ''],
    'bytes of a head bundle': [WIRE_LIMITS.headBundleBytes, ''],
  };
}

describe('the table of limits in the README', () => {
  test('has every limit of the code with its default and what sets it, and no other', () => {
    const table = Object.fromEntries(
      rows.map(({ limit, standard, setWith }) => [limit, [standard, setWith]]),
    );
    expect(table).toEqual(limitsInForce(load()));
  });

  test('names a code of the catalogue for what is past each limit, or says that the connection is closed', () => {
    const codes = rows.flatMap(({ past }) =>
      [...past.matchAll(/`(\w+)`/g)].map((code) => code[1]!),
    );
    for (const code of codes) expect(ERRORS).toHaveProperty(code);
    for (const { past } of rows) expect(past).toMatch(/^closed$|`/);
    // Whatever is too large, too deep or too slow has its limit in the table.
    const bounded = Object.keys(ERRORS).filter((code) => /^too_|_too_|full|deadline/.test(code));
    expect([...new Set(codes)]).toEqual(expect.arrayContaining(bounded));
  });

  test('gives the admin port the same connections as the others', () => {
    expect(load().connectionLimits).toEqual(STANDARD_CONNECTION_LIMITS);
  });

  test.each(
    rows.flatMap(({ limit, setWith }) => (setWith.startsWith('`') ? [[limit, setWith]] : [])),
  )('%s is set with the variable %s', (limit, setWith) => {
    const name = setWith.replaceAll('`', '');
    expect(CONFIG_VARIABLES).toContain(name);
    const isTime = name.endsWith('TIMEOUT');
    const changed = limitsInForce(load({ [`LAYERCACHE_${name}`]: isTime ? '13s' : '13' }));
    expect(changed[limit]![0]).toBe(isTime ? 13_000 : 13);
  });
});
