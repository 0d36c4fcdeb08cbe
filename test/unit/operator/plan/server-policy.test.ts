import { describe, expect, test } from 'vitest';

import { toServiceSettings } from '../../../../crds/v1alpha1/settings.ts';
import type { ServiceStatus } from '../../../../crds/v1alpha1/service-status.ts';
import { parsePolicy, serializePolicy } from '../../../../crds/wire/policy.ts';
import type { CutReport, ServerState } from '../../../../crds/wire/state.ts';
import { planAdminGeneration } from '../../../../operator/plan/request.ts';
import { selectExits, type SelectedExits } from '../../../../operator/plan/select-exits.ts';
import {
  claimEpoch,
  numberPolicy,
  planPlainPolicy,
} from '../../../../operator/plan/server-policy.ts';
import { aState, DIGEST_A, DIGEST_B, DIGEST_C } from '../../crds/documents.ts';
import { aService } from '../../crds/v1alpha1/service.ts';

const cut = (tensor: string, macsShare: number, msShare = macsShare): CutReport => ({
  tensor,
  macsShare,
  msShare,
  channels: 64,
  height: 8,
  width: 8,
  pool: 4,
});

function aModel(cuts: readonly CutReport[]): ServerState {
  return aState({
    cuts,
    rejectedCuts: [{ tensor: 'shape_out', reason: 'its type is INT64' }],
    backbone: { ...aState().backbone, digest: DIGEST_A },
  });
}

const CUTS = [cut('layer1_out', 0.2), cut('layer3_out', 0.8), cut('layer2_out', 0.5)];

describe('the exits of a service', () => {
  const named = (exits: readonly Record<string, unknown>[]): SelectedExits =>
    selectExits(aModel(CUTS), aService({ exits }).spec.exits, {});

  test('are those of the spec, in backbone order', () => {
    const exits = [
      { name: 'late', tensor: 'layer3_out', mode: 'Shadow' },
      { name: 'early', tensor: 'layer1_out' },
    ];
    expect(named(exits)).toEqual({
      exits: [
        { name: 'early', tensor: 'layer1_out', mode: 'Active', macsShare: 0.2, msShare: 0.2 },
        { name: 'late', tensor: 'layer3_out', mode: 'Shadow', macsShare: 0.8, msShare: 0.8 },
      ],
      missing: [],
      companions: [],
    });
  });

  test('say which header names the sources of frames, and so does the policy', () => {
    const still = { name: 'still', tensor: 'layer1_out', sourceHeader: 'x-camera' };
    const { exits } = named([{ name: 'late', tensor: 'layer3_out' }, still]);
    expect(exits.map(({ sourceHeader }) => sourceHeader)).toEqual(['x-camera', undefined]);
    const settings = toServiceSettings(aService(), { local: false });
    expect(planPlainPolicy(settings, DIGEST_A, exits).exits).toEqual([
      { ...still, mode: 'Active' },
      { name: 'late', tensor: 'layer3_out', mode: 'Active' },
    ]);
  });

  test('of equal cost stay as the spec lists them', () => {
    const { exits } = aService({
      exits: [
        { name: 'first', tensor: 'layer5_out' },
        { name: 'second', tensor: 'layer4_out' },
      ],
    }).spec;
    const model = aModel([cut('layer4_out', 0.5), cut('layer5_out', 0.5)]);
    expect(selectExits(model, exits, {}).exits.map(({ name }) => name)).toEqual([
      'first',
      'second',
    ]);
  });

  test('that are no cuts are missing, with the nearest names and the reason', () => {
    const { exits, missing } = named([
      { name: 'a', tensor: 'layer1_oot' },
      { name: 'b', tensor: 'shape_out' },
      { name: 'c', tensor: 'zzzzzzzzzzzzzzzzzzzzzzzzzzzz' },
    ]);
    expect(exits).toEqual([]);
    expect(missing.map(({ hint }) => hint)).toEqual([
      'is no cut of the backbone; did you mean layer1_out, layer3_out, layer2_out?',
      'is no cut (its type is INT64)',
      'is no cut of the backbone',
    ]);
  });

  test('begin with the companions that run, the cheapest first', () => {
    const model = { uri: 'https://a.example/s.onnx' };
    const { exits } = aService({
      exits: [
        { name: 'late', tensor: 'layer3_out' },
        { name: 'larger', model },
        { name: 'small', model: { ...model, uri: 'https://a.example/t.onnx' }, mode: 'Shadow' },
        { name: 'twin', model: { ...model, uri: 'https://a.example/u.onnx' } },
      ],
    }).spec;
    const { macs } = aModel(CUTS).backbone;
    const aCompanion = (name: string, digest: string, share: number) => ({
      ...{ name, digest, format: 'ONNX', sizeBytes: 9 },
      ...{ macs: share * macs, msShare: share / 2 },
    });
    const companionModels = [
      aCompanion('larger', DIGEST_A, 0.5),
      aCompanion('twin', DIGEST_C, 0.25),
      aCompanion('small', DIGEST_B, 0.25),
    ];
    const selected = selectExits({ ...aModel(CUTS), companionModels }, exits, {});
    expect(selected).toEqual({
      exits: [
        ...[
          { name: 'small', modelDigest: DIGEST_B, mode: 'Shadow', macsShare: 0.25, msShare: 0.125 },
          { name: 'twin', modelDigest: DIGEST_C, mode: 'Active', macsShare: 0.25, msShare: 0.125 },
          { name: 'larger', modelDigest: DIGEST_A, mode: 'Active', macsShare: 0.5, msShare: 0.25 },
        ],
        { name: 'late', tensor: 'layer3_out', mode: 'Active', macsShare: 0.8, msShare: 0.8 },
      ],
      missing: [],
      companions: [],
    });
    const settings = toServiceSettings(aService(), { local: false });
    const policy = planPlainPolicy(settings, DIGEST_A, selected.exits);
    expect(policy.exits[0]).toEqual({ name: 'small', modelDigest: DIGEST_B, mode: 'Shadow' });
  });

  test('keep a companion that ran before while it cannot be loaded', () => {
    const model = { uri: 'https://a.example/s.onnx' };
    const { exits } = aService({ exits: [{ name: 'small', model }] }).spec;
    const previous: ServiceStatus = {
      backbone: { digest: DIGEST_A },
      exits: [{ name: 'small', modelDigest: DIGEST_B }],
    };
    expect(selectExits(aModel(CUTS), exits, previous)).toMatchObject({
      exits: [{ name: 'small', modelDigest: DIGEST_B }],
      companions: [],
    });
    const other = { ...previous, backbone: { digest: DIGEST_C } };
    expect(selectExits(aModel(CUTS), exits, other).companions).toEqual(['small']);
  });

  test('that are companion models are told apart', () => {
    const model = { uri: 'https://a.example/s.onnx' };
    expect(named([{ name: 'small', model }])).toEqual({
      exits: [],
      missing: [],
      companions: ['small'],
    });
  });

  test('are discovered without a list, and named after their tensors', () => {
    const cuts = [
      cut('model/Block_1:0', 0.1),
      cut('backbone', 0.2),
      cut('///', 0.3),
      cut('/layer1/Relu_output_0', 0.4, 0.5),
      cut('/layer1/Relu_output_1', 0.4, 0.4),
    ];
    const { exits } = selectExits(aModel(cuts), undefined, {});
    expect(exits.map(({ name }) => name)).toEqual([
      'model-block-1',
      'exit',
      'exit-2',
      'layer1-relu',
      'layer1-relu-2',
    ]);
    expect(exits[3]!.tensor).toBe('/layer1/Relu_output_1');
  });

  test('are at most eight, spread evenly over the cost', () => {
    const cuts = Array.from({ length: 30 }, (_, i) => cut(`t${i}`, (i + 1) / 31));
    const { exits } = selectExits(aModel(cuts), undefined, {});
    expect(exits.map(({ tensor }) => tensor)).toEqual([
      't0',
      't4',
      't8',
      't12',
      't17',
      't21',
      't25',
      't29',
    ]);
  });

  test('keep their names as long as the backbone is the same', () => {
    const previous: ServiceStatus = {
      backbone: { digest: DIGEST_A },
      exits: [
        { name: 'second', tensor: 'layer3_out' },
        { name: 'first', tensor: 'layer1_out' },
        { name: 'gone', tensor: 'layer9_out' },
      ],
    };
    const namesWith = (status: ServiceStatus): string[] =>
      selectExits(aModel(CUTS), undefined, status).exits.map(({ name }) => name);
    expect(namesWith(previous)).toEqual(['first', 'second']);
    const discovered = ['layer1-out', 'layer2-out', 'layer3-out'];
    expect(namesWith({ ...previous, backbone: { digest: DIGEST_B } })).toEqual(discovered);
    expect(namesWith({ backbone: { digest: DIGEST_A } })).toEqual(discovered);
  });
});

describe('the policy of a service without heads', () => {
  const { exits } = selectExits(aModel(CUTS), undefined, {});
  const content = (spec: Record<string, unknown> = {}) =>
    planPlainPolicy(toServiceSettings(aService(spec), { local: false }), DIGEST_A, exits);

  test('is one that servers accept, with every exit off', () => {
    const { policy } = numberPolicy(content(), 1, null);
    const read = parsePolicy(serializePolicy(policy));
    expect(read).toMatchObject({ ok: true, value: { exitsEnabled: false, stable: null } });
    expect(policy.exits.map(({ mode }) => mode)).toEqual(['Active', 'Active', 'Active']);
  });

  test('disables every exit with exitMode Disabled', () => {
    expect(new Set(content({ exitMode: 'Disabled' }).exits.map(({ mode }) => mode))).toEqual(
      new Set(['Disabled']),
    );
  });

  test('keeps its number while its content is the same', () => {
    const first = numberPolicy(content(), 4, null);
    expect(first).toMatchObject({ isNew: true, policy: { epoch: 4, revision: 1 } });
    expect(numberPolicy(content(), 4, first.policy)).toEqual({
      policy: first.policy,
      isNew: false,
    });
    const other = numberPolicy(content({ server: { policyMaxAge: '1m' } }), 4, first.policy);
    expect(other).toMatchObject({ isNew: true, policy: { epoch: 4, revision: 2 } });
    expect(numberPolicy(content(), 5, other.policy)).toMatchObject({
      isNew: true,
      policy: { epoch: 5, revision: 1 },
    });
  });

  test('an epoch is one above every one seen', () => {
    expect(claimEpoch([])).toBe(1);
    expect(claimEpoch([3, 7, 0])).toBe(8);
  });
});

describe('the generation of the admin keys', () => {
  const asked = (value: string, previous: ServiceStatus = {}) =>
    planAdminGeneration({ annotations: { 'layercache.io/request': value } }, previous, 0);

  test('is 1 at first and stays without a request', () => {
    expect(planAdminGeneration({ annotations: {} }, {}, 0)).toEqual({
      adminGeneration: 1,
      request: undefined,
    });
    expect(
      planAdminGeneration({ annotations: {} }, { adminGeneration: 3 }, 0).adminGeneration,
    ).toBe(3);
  });

  test('rises once per value of a rotate request', () => {
    const first = asked('rotate');
    expect(first).toEqual({
      adminGeneration: 2,
      request: {
        value: 'rotate',
        result: 'Done',
        message: 'Admin keys of generation 2 are made; pods roll to them.',
        time: '1970-01-01T00:00:00Z',
      },
    });
    const after: ServiceStatus = { adminGeneration: 2, request: first.request };
    expect(asked('rotate', after)).toEqual(first);
    expect(asked('rotate:again', after).adminGeneration).toBe(3);
  });

  test('does not answer other requests', () => {
    expect(asked('rotated').adminGeneration).toBe(1);
    expect(asked('retrain')).toEqual({ adminGeneration: 1, request: undefined });
  });
});
