import { describe, expect, test } from 'vitest';
import { createPaint } from '../../../../operator/commands/output/paint.ts';
import { renderStatus } from '../../../../operator/commands/status/render-status.ts';
import { readServiceView } from '../../../../operator/commands/service/read-service-view.ts';
import {
  ABORTED,
  ago,
  ALARM,
  aServiceObject,
  COLLECTING,
  NOW_MS,
  RAMPING,
  SERVING,
  SHADOWING,
} from '../../../support/service-objects.ts';

const plain = createPaint(false);
const events = [
  {
    type: 'Normal',
    reason: 'RolloutPromoted',
    note: 'The candidate passed its last step and serves all traffic.',
    time: ago(90_000),
    count: 1,
  },
  {
    type: 'Warning',
    reason: 'RolloutAborted',
    note: 'LatencyP99 failed twice.',
    time: ago(180_000),
    count: 1,
  },
];

function linesOf(status: Record<string, unknown> | undefined, wide = false): string[] {
  const service = readServiceView(aServiceObject({ ...(status && { status }) }));
  return renderStatus({ service, events, nowMs: NOW_MS }, plain, wide);
}

describe('the status screen', () => {
  test.each([
    ['new', {}],
    ['collecting', COLLECTING],
    ['shadowing', SHADOWING],
    ['serving', SERVING],
    ['ramping', RAMPING],
    ['alarm', ALARM],
    ['aborted', ABORTED],
  ])('of a service that is %s', async (name, status) => {
    const text = `${linesOf(status).join('\n')}\n`;
    await expect(text).toMatchFileSnapshot(`../../../golden/commands/status-${name}.txt`);
  });

  test('names the loss that the budget bounds', () => {
    const { accuracy } = SERVING as { readonly accuracy: object };
    const spec = {
      accuracy: { maxDisagreement: '2%', agreement: 'F1' },
      backbone: { uri: 'https://models.example.com/centernet.onnx', task: 'Detection' },
    };
    const status = { ...SERVING, accuracy: { ...accuracy, agreement: 'F1' } };
    const service = readServiceView(aServiceObject({ status, spec }));
    const text = renderStatus({ service, events: [], nowMs: NOW_MS }, plain, true).join('\n');
    expect(text).toMatch(/% F1 loss, at most .*, of a budget of 2% F1 loss at 95% confidence/);
  });

  test('is at most 140 columns wide', () => {
    for (const status of [{}, COLLECTING, SHADOWING, SERVING, RAMPING, ALARM, ABORTED])
      for (const line of linesOf(status)) expect(line.length).toBeLessThanOrEqual(140);
  });

  test('shows whole messages when it may be wide', () => {
    expect(linesOf(ALARM, true).join('\n')).toContain('the heads are recertified or retrained.');
    expect(linesOf(ALARM).join('\n')).not.toContain('recertified or retrained.');
  });

  test('says that events are missing because of a right, not that there are none', () => {
    const service = readServiceView(aServiceObject());
    const lines = renderStatus({ service, events: null, nowMs: NOW_MS }, plain);
    expect(lines.at(-1)).toBe('Events are not shown: this user may not list them.');
  });

  test('colours only what words say too', () => {
    const service = readServiceView(aServiceObject({ status: ALARM }));
    const coloured = renderStatus({ service, events, nowMs: NOW_MS }, createPaint(true));
    // eslint-disable-next-line no-control-regex -- escape sequences are what is taken away
    const bare = coloured.map((line) => line.replace(/\u001b\[\d+m/g, ''));
    expect(coloured).not.toEqual(bare);
    expect(bare).toEqual(linesOf(ALARM));
  });
});
