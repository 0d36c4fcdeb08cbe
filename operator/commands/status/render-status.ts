import { measureOf } from '../../../crds/wire/measure.ts';
import { plainPercent } from '../../local/view/format.ts';
import { paintStatus, type Paint } from '../output/paint.ts';
import { renderColumns, renderFields } from '../output/render-columns.ts';
import { ageOf, countText } from '../output/words.ts';
import { renderChecks } from '../rollout/render-checks.ts';
import { conditionOf, type EventView, type ServiceView } from '../service/service-view.ts';

export interface StatusFacts {
  readonly service: ServiceView;
  /** Null: this user may not read them. */
  readonly events: readonly EventView[] | null;
  readonly nowMs: number;
}

const EVENTS_SHOWN = 5;

/** One screen: whether it answers, whether exits do, what audits say, what is being rolled out, what was decided last. */
export function renderStatus(facts: StatusFacts, paint: Paint, wide = false): string[] {
  const { service, nowMs } = facts;
  const { status } = service;
  return [
    `${paint(service.name, 'bold')}  namespace ${service.namespace}  ${ageOf(service.createdTime, nowMs)} old`,
    '',
    ...renderFields(fieldsOf(facts, paint)),
    ...(status.exits === undefined || status.exits.length === 0
      ? []
      : ['', ...renderExits(service)]),
    ...(status.rollout?.checks === undefined ? [] : ['', ...renderChecks(status.rollout.checks)]),
    '',
    ...renderConditions(facts, paint, wide),
    '',
    ...renderEvents(facts, paint, wide),
  ];
}

function fieldsOf({ service, nowMs }: StatusFacts, paint: Paint): (readonly [string, string])[] {
  const { status } = service;
  return [
    ['Endpoint', endpointText(service, paint)],
    ['Backbone', backboneText(service)],
    ['Exits', exitsText(service, paint)],
    ['Agreement', agreementText(service, nowMs)],
    ['Heads', headsText(service, nowMs)],
    ['Rollout', rolloutText(service, nowMs)],
    ...(status.lastFailure === undefined
      ? []
      : [['Last fault', lastFailureText(status.lastFailure, nowMs)] as const]),
    ...(status.request === undefined
      ? []
      : [['Request', requestText(status.request, nowMs)] as const]),
  ];
}

function endpointText({ status }: ServiceView, paint: Paint): string {
  const ready = conditionOf(status.conditions, 'Ready');
  const state =
    ready === undefined
      ? paint('not reported yet', 'yellow')
      : `${ready.status === 'True' ? paint('ready', 'green') : paint('not ready', 'red')} (${ready.reason})`;
  const pods = `${status.readyReplicas ?? 0} of ${status.replicas ?? 0} pods ready`;
  return [state, pods, status.url].filter((part) => part !== undefined).join(', ');
}

function backboneText({ status: { backbone } }: ServiceView): string {
  if (backbone === undefined) return 'no pod has loaded it yet';
  const { format, engine, device, classCount, digest } = backbone;
  const classes = classCount === undefined ? undefined : `${countText(classCount)} classes`;
  const how = engine === undefined ? undefined : `${engine} on ${device ?? 'an unknown device'}`;
  const id = digest === undefined ? undefined : digest.slice(0, 19);
  return [format, how, classes, id].filter((part) => part !== undefined).join(', ');
}

function exitsText({ status }: ServiceView, paint: Paint): string {
  const active = conditionOf(status.conditions, 'ExitsActive');
  if (active === undefined) return paint('not reported yet', 'yellow');
  const isOn = active.status === 'True';
  const state = isOn
    ? paint('on', 'green')
    : paint('off', active.status === 'False' ? 'red' : 'yellow');
  const { exitedShare, saving } = status.accuracy ?? {};
  const figures = isOn
    ? [
        exitedShare === undefined ? undefined : `${exitedShare} of requests leave early`,
        saving === undefined ? undefined : `net saving ${saving}`,
      ]
    : [];
  return [`${state} (${active.reason})`, ...figures]
    .filter((part) => part !== undefined)
    .join(', ');
}

function agreementText({ status, settings }: ServiceView, nowMs: number): string {
  const budget =
    settings === null
      ? 'a budget that breaks a rule'
      : `a budget of ${plainPercent(settings.budget)}${measureOf(settings).afterBudget} at ${plainPercent(settings.confidence)} confidence`;
  const { accuracy } = status;
  if (accuracy?.disagreement === undefined) return `nothing is measured yet against ${budget}`;
  const { disagreement, upperBound = '-', audits = 0, measuredTime } = accuracy;
  const what = measureOf({ agreement: accuracy.agreement ?? 'Strict' }).share;
  return `${disagreement} ${what}, at most ${upperBound}, of ${budget}; ${countText(audits)} audits, ${ageOf(measuredTime, nowMs)} ago`;
}

function headsText({ status: { heads } }: ServiceView, nowMs: number): string {
  if (heads === undefined) return 'none yet';
  const place = (name: 'stable' | 'candidate' | 'previous'): string | undefined => {
    const head = heads[name];
    return head === undefined
      ? undefined
      : `${name} ${head.revision} (${ageOf(head.since, nowMs)})`;
  };
  const failed = heads.failed?.length ?? 0;
  return (
    [
      place('stable'),
      place('candidate'),
      place('previous'),
      failed === 0 ? undefined : `${failed} failed`,
    ]
      .filter((part) => part !== undefined)
      .join(', ') || 'none yet'
  );
}

function rolloutText({ status }: ServiceView, nowMs: number): string {
  const { rollout } = status;
  const condition = conditionOf(status.conditions, 'RolloutSucceeded');
  if (rollout === undefined) {
    const last = condition?.reason ?? 'NoRollout';
    return last === 'NoRollout' ? 'none' : `none in progress; the last one: ${last}`;
  }
  const { stage, step, steps, share, stepStartTime, message } = rollout;
  const at =
    step === undefined
      ? ''
      : `, step ${step} of ${steps ?? '?'} for ${ageOf(stepStartTime, nowMs)}`;
  return `${stage ?? 'unknown stage'}${at}, ${share ?? '0%'} of the traffic. ${message ?? ''}`.trimEnd();
}

function lastFailureText(
  failure: NonNullable<ServiceView['status']['lastFailure']>,
  nowMs: number,
): string {
  const { component, podName, reason, message, time } = failure;
  const where = [component, podName].filter((part) => part !== undefined).join(' ');
  return `${reason ?? ''} ${ageOf(time, nowMs)} ago in ${where}: ${message ?? ''}`.trim();
}

function requestText(
  request: NonNullable<ServiceView['status']['request']>,
  nowMs: number,
): string {
  const { value, result, message, time } = request;
  return `${value} -> ${result ?? 'unanswered'} ${ageOf(time, nowMs)} ago: ${message ?? ''}`;
}

function renderExits({ status: { exits = [] } }: ServiceView): string[] {
  return renderColumns(
    ['EXIT', 'WHERE', 'COST', 'MODE', 'LEAVES', 'REASON'],
    exits.map(({ name, tensor, modelDigest, costShare, mode, exitedShare, reason }) => [
      name,
      tensor ?? modelDigest?.slice(0, 19),
      costShare,
      mode,
      exitedShare,
      reason,
    ]),
    ['COST', 'LEAVES'],
  );
}

function renderConditions({ service, nowMs }: StatusFacts, paint: Paint, wide: boolean): string[] {
  const { conditions = [] } = service.status;
  if (conditions.length === 0) return ['The operator has not reported on this service yet.'];
  return renderColumns(
    ['CONDITION', 'STATUS', 'SINCE', 'REASON', 'MESSAGE'],
    conditions.map(({ type, status, lastTransitionTime, reason, message }) => [
      type,
      paintStatus(paint, status),
      ageOf(lastTransitionTime, nowMs),
      reason,
      wide ? message : shortened(message, MESSAGE_WIDTH),
    ]),
  );
}

/** With the other columns at their longest a line is 140 wide. */
const MESSAGE_WIDTH = 78;

function shortened(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 3).trimEnd()}...`;
}

function renderEvents({ events, nowMs }: StatusFacts, paint: Paint, wide: boolean): string[] {
  if (events === null) return ['Events are not shown: this user may not list them.'];
  if (events.length === 0) return ['No events are kept.'];
  return renderColumns(
    ['AGE', 'DECISION', 'TEXT'],
    events
      .slice(0, wide ? events.length : EVENTS_SHOWN)
      .map(({ time, type, reason, note }) => [
        ageOf(time, nowMs),
        type === 'Warning' ? paint(reason, 'yellow') : reason,
        wide ? note : shortened(note, 106),
      ]),
  );
}
