import type { MetricFamily } from '../../../crds/metrics/catalogue.ts';

// Families that other projects write and that boards show: Node's, Prometheus' own, and the GPU exporter's.

/** Read by prom-client in each of our processes; series of a server carry its `model` too. */
const node = {
  processCpu: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    unit: 'seconds',
    help: 'Processor time of the main process.',
    labels: { model: 'model' },
  },
  processMemory: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Resident memory of the main process.',
    labels: { model: 'model' },
  },
  eventLoopLag: {
    name: 'nodejs_eventloop_lag_p99_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'p99 of how late timers were since the last scrape.',
    labels: { model: 'model' },
  },
} as const satisfies Record<string, MetricFamily>;

const prometheus = {
  up: {
    name: 'up',
    type: 'gauge',
    unit: 'boolean',
    help: '1 while the last scrape of a target succeeded.',
    labels: {},
  },
  scrapeSamples: {
    name: 'scrape_samples_scraped',
    type: 'gauge',
    unit: 'count',
    help: 'Samples of the last scrape.',
    labels: {},
  },
  scrapeDuration: {
    name: 'scrape_duration_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Time of the last scrape.',
    labels: {},
  },
  alerts: {
    name: 'ALERTS',
    type: 'gauge',
    unit: 'boolean',
    help: '1 for each alert that is pending or fires.',
    labels: {
      alertname: 'text',
      alertstate: ['pending', 'firing'],
      severity: ['critical', 'warning', 'info'],
      model: 'model',
    },
  },
} as const satisfies Record<string, MetricFamily>;

/** Of the DCGM exporter, which names the pod that holds the GPU. */
export const GPU_FAMILIES = {
  gpuUtilization: {
    name: 'DCGM_FI_DEV_GPU_UTIL',
    type: 'gauge',
    unit: 'percent',
    help: 'Share of the time in which a kernel ran, 0 to 100.',
    labels: { gpu: 'text' },
  },
  gpuMemory: {
    name: 'DCGM_FI_DEV_FB_USED',
    type: 'gauge',
    unit: 'mebibytes',
    help: 'Frame buffer in use.',
    labels: { gpu: 'text' },
  },
} as const satisfies Record<string, MetricFamily>;

export const PUBLIC_FAMILIES = { ...node, ...prometheus, ...GPU_FAMILIES } as const;
