import {
  grows,
  OF_POD,
  OF_SERVICE,
  OTHER_SERVER,
  series,
  SERVER,
  stays,
  steps,
  traffic,
  type AlertCase,
} from './alert-case.ts';

const HOUR = 60;
const enabled = (labels: string, track = 'stable'): string =>
  series('layercache_exit_enabled', labels, `exit="early",track="${track}"`);
const ready = (labels: string): string => series('layercache_ready', labels);
const requests = (code: string): string =>
  series('layercache_requests_total', SERVER, `protocol="v2",code="${code}"`);
const compute = (kind: string): string =>
  series('layercache_compute_seconds_total', SERVER, `kind="${kind}"`);
const avoided = series('layercache_compute_avoided_seconds_total', SERVER, 'exit="early"');
const queued = series('layercache_queue_rows', SERVER);
const capacity = series('layercache_queue_capacity_rows', SERVER);
const restarts = (cause: string): string =>
  series('layercache_engine_restarts_total', SERVER, `cause="${cause}"`);
const activations = series('layercache_engine_activations', SERVER);

/** Requests that all took between 1 and 2.5 s, so many a minute; and so many that took less. */
function slow(perMinute: number, minutes: number, fast = 0): Record<string, string> {
  const bucket = (le: string): string =>
    series(
      'layercache_request_duration_seconds_bucket',
      SERVER,
      `exit="backbone",track="stable",le="${le}"`,
    );
  return {
    [bucket('1')]: grows(fast, minutes),
    [bucket('2.5')]: grows(perMinute + fast, minutes),
    [bucket('+Inf')]: grows(perMinute + fast, minutes),
    [requests('ok')]: grows(perMinute + fast, minutes),
  };
}

export const SERVING_CASES: readonly AlertCase[] = [
  {
    alert: 'ExitsOff',
    kind: 'firing',
    scene: 'stable heads, and no exit for 40 minutes',
    series: { [enabled(SERVER)]: stays(0, 45), [enabled(OTHER_SERVER)]: stays(0, 45) },
    atMinutes: 40,
    labels: OF_SERVICE,
  },
  {
    alert: 'ExitsOff',
    kind: 'quiet',
    scene: 'one of two pods has an exit',
    series: { [enabled(SERVER)]: stays(0, 45), [enabled(OTHER_SERVER)]: stays(1, 45) },
    atMinutes: 40,
  },
  {
    alert: 'ExitsOff',
    kind: 'thin',
    scene: 'a candidate in its shadow, and no stable heads yet',
    series: { [enabled(SERVER, 'candidate')]: stays(0, 45) },
    atMinutes: 40,
  },
  {
    alert: 'SavingsNegative',
    kind: 'firing',
    scene: 'heads cost twice what exits avoid',
    series: {
      ...traffic({}, 60),
      [avoided]: grows(1, 60),
      [compute('segment')]: grows(10, 60),
      [compute('head')]: grows(2, 60),
    },
    atMinutes: 50,
    labels: OF_SERVICE,
  },
  {
    alert: 'SavingsNegative',
    kind: 'quiet',
    scene: 'exits avoid more than heads cost',
    series: {
      ...traffic({}, 60),
      [avoided]: grows(4, 60),
      [compute('segment')]: grows(10, 60),
      [compute('head')]: grows(2, 60),
    },
    atMinutes: 50,
  },
  {
    alert: 'SavingsNegative',
    kind: 'thin',
    scene: 'heads run in the shadow and answer nothing yet',
    series: {
      ...traffic({ exited: 0 }, 60),
      [avoided]: stays(0, 60),
      [compute('segment')]: grows(10, 60),
      [compute('head')]: grows(2, 60),
    },
    atMinutes: 50,
  },
  {
    alert: 'ServiceNotReady',
    kind: 'firing',
    scene: 'no pod is ready for 20 minutes',
    series: { [ready(SERVER)]: stays(0, 25), [ready(OTHER_SERVER)]: stays(0, 25) },
    atMinutes: 20,
    labels: OF_SERVICE,
  },
  {
    alert: 'ServiceNotReady',
    kind: 'quiet',
    scene: 'one of two pods is ready',
    series: { [ready(SERVER)]: stays(0, 25), [ready(OTHER_SERVER)]: stays(1, 25) },
    atMinutes: 20,
  },
  {
    alert: 'ServiceNotReady',
    kind: 'thin',
    scene: 'pods start for ten minutes',
    series: { [ready(SERVER)]: steps(0, 10, { then: 1, minutes: 25 }) },
    atMinutes: 20,
  },
  {
    alert: 'HighErrorRate',
    kind: 'firing',
    scene: 'a tenth of 120 requests a minute finds the engine down',
    series: { [requests('ok')]: grows(108, 20), [requests('engine_down')]: grows(12, 20) },
    atMinutes: 12,
    labels: OF_SERVICE,
  },
  {
    alert: 'HighErrorRate',
    kind: 'quiet',
    scene: 'half of the requests are refused, and the clients are at fault',
    series: { [requests('ok')]: grows(60, 20), [requests('wrong_shape')]: grows(60, 20) },
    atMinutes: 12,
  },
  {
    alert: 'HighErrorRate',
    kind: 'thin',
    scene: 'a third of six requests a minute fails',
    series: { [requests('ok')]: grows(4, 20), [requests('internal')]: grows(2, 20) },
    atMinutes: 12,
  },
  {
    alert: 'LatencyHigh',
    kind: 'firing',
    scene: '120 requests a minute take 1 to 2.5 s',
    series: slow(120, 30),
    atMinutes: 25,
    labels: OF_SERVICE,
  },
  {
    alert: 'LatencyHigh',
    kind: 'quiet',
    scene: 'one of 241 requests a minute takes so long',
    series: slow(1, 30, 240),
    atMinutes: 25,
  },
  {
    alert: 'LatencyHigh',
    kind: 'thin',
    scene: 'six slow requests a minute',
    series: slow(6, 30),
    atMinutes: 25,
  },
  {
    alert: 'QueueSaturated',
    kind: 'firing',
    scene: 'nine tenths of the queue are taken',
    series: { [queued]: stays(900, 30), [capacity]: stays(1000, 30) },
    atMinutes: 25,
    labels: OF_SERVICE,
  },
  {
    alert: 'QueueSaturated',
    kind: 'firing',
    scene: 'a tenth of 120 requests a minute is refused with 429',
    series: { [requests('ok')]: grows(108, 30), [requests('queue_full')]: grows(12, 30) },
    atMinutes: 25,
    labels: OF_SERVICE,
  },
  {
    alert: 'QueueSaturated',
    kind: 'quiet',
    scene: 'a tenth of the queue is taken',
    series: { [queued]: stays(100, 30), [capacity]: stays(1000, 30) },
    atMinutes: 25,
  },
  {
    alert: 'QueueSaturated',
    kind: 'thin',
    scene: 'one of ten requests a minute is refused',
    series: { [requests('ok')]: grows(9, 30), [requests('queue_full')]: grows(1, 30) },
    atMinutes: 25,
  },
  {
    alert: 'EngineRestarting',
    kind: 'firing',
    scene: 'the engine ends four times in 12 minutes',
    series: { [restarts('signal')]: '0 1 1 1 2 2 2 3 3 3 4 4 4x10' },
    atMinutes: 13,
    labels: OF_POD,
  },
  {
    alert: 'EngineRestarting',
    kind: 'quiet',
    scene: 'the engine ended once',
    series: { [restarts('signal')]: steps(0, 3, { then: 1, minutes: 20 }) },
    atMinutes: 13,
  },
  {
    alert: 'EngineRestarting',
    kind: 'thin',
    scene: 'a pod that has restarts behind it is scraped for the first time',
    series: { [restarts('signal')]: '_ _ _ 5x10' },
    atMinutes: 10,
  },
  {
    alert: 'ActivationLeak',
    kind: 'firing',
    scene: 'one activation more each minute for eight hours, at flat traffic',
    series: { ...traffic({}, 9 * HOUR), [activations]: grows(1, 9 * HOUR) },
    atMinutes: 8 * HOUR,
    labels: OF_POD,
  },
  {
    alert: 'ActivationLeak',
    kind: 'quiet',
    scene: 'activations come and go',
    series: { ...traffic({}, 9 * HOUR), [activations]: '0 9 3 '.repeat(9 * 20).trim() },
    atMinutes: 8 * HOUR,
  },
  {
    alert: 'ActivationLeak',
    kind: 'thin',
    scene: 'activations rise since the start of the pod an hour ago',
    series: { ...traffic({}, HOUR), [activations]: grows(1, HOUR) },
    atMinutes: HOUR,
  },
];
