import type { MetricFamily } from './catalogue.ts';

/** Families about the backbone, the engine that runs it, and the process around both. */
export const BACKBONE_METRICS = {
  backboneInfo: {
    name: 'layercache_backbone_info',
    type: 'gauge',
    unit: 'info',
    help: '1, with format, engine and the first 12 digits of the digest.',
    labels: { format: 'text', engine: 'text', digest: 'text' },
  },
  fetches: {
    name: 'layercache_fetches_total',
    type: 'counter',
    unit: 'events',
    help: 'Attempts to bring the backbone or heads here and check them, by the scheme of their place; a pod goes on until one is ok.',
    labels: { kind: ['backbone', 'heads'], source: 'text', result: ['ok', 'failed'] },
  },
  fetchBytes: {
    name: 'layercache_fetch_bytes_total',
    type: 'counter',
    unit: 'bytes',
    help: 'Bytes that came over the network in these attempts; of file and pvc there are none.',
    labels: { kind: ['backbone', 'heads'], source: 'text', result: ['ok', 'failed'] },
  },
  backboneLoad: {
    name: 'layercache_backbone_load_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Time of the last load of the backbone, warm-up included.',
    labels: {},
  },
  warmUp: {
    name: 'layercache_warmup_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: "Time of the warm-up with the user's own inputs before the server was ready; 0 without inputs.",
    labels: {},
  },
  engineUp: {
    name: 'layercache_engine_up',
    type: 'gauge',
    unit: 'boolean',
    help: '1 while the engine host runs.',
    labels: {},
  },
  engineMemory: {
    name: 'layercache_engine_memory_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Resident memory of the engine host.',
    labels: { kind: ['rss'] },
  },
  engineActivations: {
    name: 'layercache_engine_activations',
    type: 'gauge',
    unit: 'count',
    help: 'Live activations; returns to 0 when idle: a leak detector.',
    labels: {},
  },
  enginePlans: {
    name: 'layercache_engine_plans',
    type: 'gauge',
    unit: 'count',
    help: 'Cut backbones that the engine holds; the same after each swap of heads: a leak detector.',
    labels: {},
  },
  engineRestarts: {
    name: 'layercache_engine_restarts_total',
    type: 'counter',
    unit: 'events',
    help: 'Restarts of the engine host.',
    labels: { cause: ['exit', 'signal', 'stuck', 'memory', 'garbled', 'wrong_answers'] },
  },
  ready: {
    name: 'layercache_ready',
    type: 'gauge',
    unit: 'boolean',
    help: '1 while the server is ready.',
    labels: {},
  },
  buildInfo: {
    name: 'layercache_build_info',
    type: 'gauge',
    unit: 'info',
    help: '1, with the versions of the program and of Node.',
    labels: { version: 'text', commit: 'text', node_version: 'text' },
  },
} as const satisfies Record<string, MetricFamily>;
