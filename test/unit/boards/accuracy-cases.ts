import {
  fewAudits,
  grows,
  OBJECT,
  OF_SERVICE,
  series,
  SERVER,
  stays,
  steps,
  traffic,
  type AlertCase,
} from './alert-case.ts';

const HOUR = 60;
const enabled = series('layercache_exit_enabled', SERVER, 'exit="early",track="stable"');
const alarms = series('layercache_alarms_total', OBJECT, 'cause="detector"');
const lost = series('layercache_audits_dropped_total', SERVER, 'reason="backlog"');

export const ACCURACY_CASES: readonly AlertCase[] = [
  {
    alert: 'BudgetBurnFast',
    kind: 'firing',
    scene:
      'half of the audited exits are wrong for an hour: 30 % of all answers at a budget of 1 %',
    series: traffic({ agreeing: 6, wrong: 6 }, 70),
    atMinutes: 65,
    labels: OF_SERVICE,
  },
  {
    alert: 'BudgetBurnFast',
    kind: 'quiet',
    scene: 'one audited exit of 120 is wrong',
    series: traffic({ agreeing: 12, wrong: 0.1 }, 70),
    atMinutes: 65,
  },
  {
    alert: 'BudgetBurnFast',
    kind: 'thin',
    scene: 'two wrong answers in three audits',
    series: fewAudits(1, 2, 70),
    atMinutes: 8,
  },
  {
    alert: 'BudgetBurn',
    kind: 'firing',
    scene: 'a fifth of the audited exits is wrong for half a day',
    series: traffic({ agreeing: 8, wrong: 2 }, 7 * HOUR),
    atMinutes: 6.5 * HOUR,
    labels: OF_SERVICE,
  },
  {
    alert: 'BudgetBurn',
    kind: 'quiet',
    scene: 'the violation ended an hour ago: the short window is clean',
    series: {
      ...traffic({ agreeing: 8 }, 7 * HOUR),
      [series('layercache_audits_total', SERVER, 'exit="early",track="stable",result="disagree"')]:
        `0+4x${5 * HOUR} ${4 * 5 * HOUR}x${2 * HOUR}`,
    },
    atMinutes: 6.5 * HOUR,
  },
  {
    alert: 'BudgetBurn',
    kind: 'thin',
    scene: 'twenty audits, all wrong',
    series: fewAudits(0, 20, HOUR),
    atMinutes: 25,
  },
  {
    alert: 'BudgetBurnSlow',
    kind: 'firing',
    scene: 'a twentieth of the audited exits is wrong for a day: 3 % of all answers',
    series: traffic({ agreeing: 19, wrong: 1 }, 10 * HOUR),
    atMinutes: 9 * HOUR,
    labels: OF_SERVICE,
  },
  {
    alert: 'BudgetBurnSlow',
    kind: 'quiet',
    scene: 'half a percent of the audited exits is wrong',
    series: traffic({ agreeing: 19.9, wrong: 0.1 }, 10 * HOUR),
    atMinutes: 9 * HOUR,
  },
  {
    alert: 'BudgetBurnSlow',
    kind: 'thin',
    scene: 'a wrong answer in 40 audits: the bound is above nothing',
    series: fewAudits(39, 1, 4 * HOUR),
    atMinutes: 3 * HOUR,
  },
  {
    alert: 'AlarmNotMitigated',
    kind: 'firing',
    scene: 'an alarm, and exits stay on',
    series: { [alarms]: steps(0, 6, { then: 1, minutes: 30 }), [enabled]: stays(1, 30) },
    atMinutes: 18,
    labels: OF_SERVICE,
  },
  {
    alert: 'AlarmNotMitigated',
    kind: 'firing',
    scene: 'no alarm, and an hour of answers that are surely over the budget',
    series: { ...traffic({ agreeing: 18, wrong: 2 }, 90), [enabled]: stays(1, 90) },
    atMinutes: 80,
    labels: OF_SERVICE,
  },
  {
    alert: 'AlarmNotMitigated',
    kind: 'quiet',
    scene: 'an alarm, and exits are off two minutes later',
    series: {
      [alarms]: steps(0, 6, { then: 1, minutes: 30 }),
      [enabled]: steps(1, 8, { then: 0, minutes: 30 }),
    },
    atMinutes: 18,
  },
  {
    alert: 'AlarmNotMitigated',
    kind: 'thin',
    scene: 'no alarm, two wrong answers in three audits',
    series: { ...fewAudits(1, 2, 60), [enabled]: stays(1, 60) },
    atMinutes: 30,
  },
  {
    alert: 'DisagreementUnmeasured',
    kind: 'firing',
    scene: 'exits answered for seven hours, nothing was audited',
    series: traffic({ agreeing: 0 }, 7 * HOUR),
    atMinutes: 6 * HOUR + 40,
    labels: OF_SERVICE,
  },
  {
    alert: 'DisagreementUnmeasured',
    kind: 'quiet',
    scene: 'two percent are audited',
    series: traffic({}, 7 * HOUR),
    atMinutes: 6 * HOUR + 40,
  },
  {
    alert: 'DisagreementUnmeasured',
    kind: 'thin',
    scene: 'exits have answered for an hour only',
    series: traffic({ agreeing: 0 }, HOUR),
    atMinutes: HOUR,
  },
  {
    alert: 'AuditsDropped',
    kind: 'firing',
    scene: 'one of thirteen audits is lost',
    series: { ...traffic({}, 40), [lost]: grows(1, 40) },
    atMinutes: 32,
    labels: OF_SERVICE,
  },
  {
    alert: 'AuditsDropped',
    kind: 'quiet',
    scene: 'one of 240 audits is lost',
    series: { ...traffic({}, 40), [lost]: grows(0.05, 40) },
    atMinutes: 32,
  },
  {
    alert: 'AuditsDropped',
    kind: 'thin',
    scene: 'one of twenty audits is lost',
    series: { ...fewAudits(19, 0, 40), [lost]: steps(0, 3, { then: 1, minutes: 40 }) },
    atMinutes: 17,
  },
];
