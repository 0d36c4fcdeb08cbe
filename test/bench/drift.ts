import type { Report } from '../../operator/local/report/report-schema.ts';
import { atLeast, atMost, seen, type Figure } from './figure.ts';
import { runLocally } from './local-run.ts';

const EXAMPLE = 'server/examples/fashion-mnist';
/** After the certificate and the ramp, whatever the machine. */
const FROM_REQUEST = 17_000;
/** exits.md 8.1, A = 20,000, 3 %: the 90th percentile of audits to alarm in windows of 300, the largest that a tick here brings. */
const SLOWEST_AUDITS = 1_444;
const SECTION = 'drift on the example';

/** Rows of the example are blurred while exits answer: what it takes to switch them off, and what it costs until then. */
export async function measureDrift(): Promise<Figure[]> {
  const { report } = await runLocally([
    ...['-f', `${EXAMPLE}/service.yaml`, '--traffic', 'example:fashion-mnist', '--seed', '1'],
    ...['--drift', `blur@${FROM_REQUEST}`],
  ]);
  const alarm = report.alarms.find(({ drift }) => drift !== null);
  const place = (name: string, unit = ''): { section: string; name: string; unit: string } => ({
    section: SECTION,
    name,
    unit,
  });
  return [
    atLeast(place('alarms that answered it'), alarm === undefined ? 0 : 1, 1),
    ...(alarm?.drift ? alarmFigures(alarm, alarm.drift, place) : []),
    atMost(place('failed requests'), report.errors.count, 0),
  ];
}

type Alarm = Report['alarms'][number];

function alarmFigures(
  { offSeconds, offRequest, backSeconds, backBy }: Alarm,
  { fromSeconds, fromRequest, audits, served }: NonNullable<Alarm['drift']>,
  place: (name: string, unit?: string) => { section: string; name: string; unit: string },
): Figure[] {
  const seconds = (offSeconds ?? Infinity) - fromSeconds;
  const requests = (offRequest ?? Infinity) - fromRequest;
  return [
    atMost(place('audits until exits were off'), audits, SLOWEST_AUDITS),
    seen(place('time until exits were off', 's'), seconds),
    seen(place('requests until exits were off'), requests),
    seen(place('requests a second meanwhile'), requests / seconds),
    seen(place('answered unlike the backbone meanwhile'), (served.k ?? NaN) / served.n),
    seen(place('exits back on after', 's'), (backSeconds ?? Infinity) - fromSeconds),
    seen(place('by the same heads (1) or new ones (0)'), backBy === 'Recertified' ? 1 : 0),
  ];
}
