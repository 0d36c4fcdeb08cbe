import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js';
import { describe, expect, test } from 'vitest';

import { renderTemplateV1 } from '../../../../operator/plan/template-v1/render.ts';
import type { ServiceToPlan } from '../../../../operator/plan/service.ts';
import { aServiceToPlan, DEFAULTS, golden, theFullSample, toYaml } from './builders.ts';

const inputs = DEFAULTS.template;

function render(service: ServiceToPlan, changes: Partial<typeof inputs> = {}): PodTemplateSpec {
  return renderTemplateV1({ service, inputs: { ...inputs, ...changes }, adminGeneration: 1 });
}

function serverOf(
  template: PodTemplateSpec,
): NonNullable<PodTemplateSpec['spec']>['containers'][0] {
  return template.spec!.containers[0]!;
}

const DIGEST = `sha256:${'c'.repeat(64)}`;

const EVERY_SOURCE = aServiceToPlan({
  modelName: 'resnet50',
  backbone: {
    uri: 'pvc://models/resnet50/3/model.onnx',
    format: 'ONNX',
    digest: DIGEST,
    outputName: 'logits',
    caBundleConfigMapName: 'corp-ca',
  },
  exits: [
    {
      name: 'small',
      model: {
        uri: 'https://models.example.com/s.onnx',
        digest: DIGEST,
        credentialsSecretName: 'small-read',
      },
    },
    { name: 'claim', model: { uri: 'pvc://small-models/s.onnx', format: 'ONNX', outputName: 'y' } },
    { name: 'late', tensor: 'layer3_out' },
  ],
  heads: {
    store: {
      oci: {
        repository: 'registry.example.com/heads',
        pullSecretName: 'heads-read',
        caBundleConfigMapName: 'heads-ca',
      },
    },
  },
  server: {
    warmup: { iterations: 5, inputsConfigMapName: 'warm' },
    imagePullSecretNames: ['regcred'],
  },
});

describe('template version 1 is frozen', () => {
  test('for the smallest service', async () => {
    const template = render(aServiceToPlan());
    await expect(toYaml(template)).toMatchFileSnapshot(golden('template-v1/smallest'));
  });
  test('for the sample that sets every block', async () => {
    await expect(toYaml(render(theFullSample()))).toMatchFileSnapshot(golden('template-v1/full'));
  });
  test('for a service that mounts something from everywhere', async () => {
    const template = render(EVERY_SOURCE, { allowedHosts: ['models.example.com', '10.0.0.7'] });
    await expect(toYaml(template)).toMatchFileSnapshot(golden('template-v1/every-source'));
  });
});

describe('a server pod', () => {
  test('meets the restricted Pod Security profile', () => {
    const { spec } = render(aServiceToPlan());
    expect(spec!.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(serverOf(render(aServiceToPlan())).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
    });
    expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
  });

  test('mounts nothing by subPath, since that is never refreshed', () => {
    expect(JSON.stringify(render(EVERY_SOURCE))).not.toContain('subPath');
  });

  test('may start without a Secret or ConfigMap: the server says what is missing', () => {
    for (const volume of render(EVERY_SOURCE).spec!.volumes!) {
      const source = volume.secret ?? volume.configMap;
      if (source !== undefined) expect(source.optional, volume.name).toBe(true);
    }
  });

  test('has grace for delay, timeout and ten seconds', () => {
    const service = aServiceToPlan({ server: { drain: { delay: '1500ms', timeout: '40s' } } });
    expect(render(service).spec!.terminationGracePeriodSeconds).toBe(52);
  });

  test('has as many startup probes as the startup deadline takes', () => {
    const service = aServiceToPlan({ server: { startupDeadline: '61s' } });
    expect(serverOf(render(service)).startupProbe).toMatchObject({
      periodSeconds: 5,
      failureThreshold: 13,
    });
  });

  test('with an accelerator takes the GPU image, if the chart has one', () => {
    const service = aServiceToPlan({ pod: { resources: { limits: { 'amd.com/gpu': 1 } } } });
    expect(serverOf(render(service)).image).toBe(inputs.gpuImage);
    expect(serverOf(render(service, { gpuImage: null })).image).toBe(inputs.image);
  });

  const GPU = { resources: { limits: { 'nvidia.com/mig-1g.5gb': 1 } } };
  const { image, gpuImage, tensorflowImage, tensorflowGpuImage } = inputs;
  test.each([
    ['native TensorFlow by name', { server: { engine: 'TFJSNode' } }, tensorflowImage, image],
    [
      'native TensorFlow by name, whatever the pod has',
      { server: { engine: 'TFJSNode' }, pod: GPU },
      tensorflowImage,
      image,
    ],
    ['a SavedModel', { backbone: { format: 'SavedModel' } }, tensorflowImage, image],
    [
      'a SavedModel with a device',
      { backbone: { format: 'SavedModel' }, pod: GPU },
      tensorflowGpuImage,
      gpuImage,
    ],
    [
      'TensorFlow on a device by name',
      { server: { engine: 'TFJSGPU' }, pod: GPU },
      tensorflowGpuImage,
      gpuImage,
    ],
    ['a graph model', { backbone: { format: 'TFJSGraphModel' } }, image, image],
    [
      'a graph model with a device',
      { backbone: { format: 'TFJSGraphModel' }, pod: GPU },
      tensorflowGpuImage,
      gpuImage,
    ],
    [
      'a graph model with a device, on wasm by name',
      { backbone: { format: 'TFJSGraphModel' }, server: { engine: 'TFJSWASM' }, pod: GPU },
      gpuImage,
      gpuImage,
    ],
    ['an ONNX model', { backbone: { format: 'ONNX' } }, image, image],
  ] as const)('for %s takes the image that has its engine', (_, spec, wanted, without) => {
    const { backbone = {}, ...rest } = spec as { readonly backbone?: object };
    const uri = { uri: 'pvc://models/m' };
    const service = aServiceToPlan({ ...rest, backbone: { ...uri, ...backbone } });
    expect(serverOf(render(service)).image).toBe(wanted);
    const none = { tensorflowImage: null, tensorflowGpuImage: null };
    expect(serverOf(render(service, none)).image).toBe(without);
  });

  test('hands its resource claims to the container', () => {
    const claims = [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }, { odd: true }];
    const template = render(aServiceToPlan({ pod: { resourceClaims: claims } }));
    expect(template.spec!.resourceClaims).toEqual(claims);
    expect(serverOf(template).resources!.claims).toEqual([{ name: 'gpu' }]);
    const resources = { claims: [{ name: 'gpu', request: 'half' }] };
    const part = render(aServiceToPlan({ pod: { resourceClaims: claims, resources } }));
    expect(serverOf(part).resources!.claims).toEqual(resources.claims);
  });

  test('takes the store of the chart unless the spec names another', () => {
    const store = { uri: 's3://heads/all', pullSecretName: 'heads-read' };
    const uriOf = (spec: Record<string, unknown>): string | undefined =>
      serverOf(render(aServiceToPlan(spec), { store })).env!.find(
        ({ name }) => name === 'LAYERCACHE_HEAD_STORE',
      )?.value;
    expect(uriOf({})).toBe('s3://heads/all');
    expect(uriOf({ heads: { store: { configMap: {} } } })).toBeUndefined();
    expect(uriOf({ heads: { store: { s3: { uri: 's3://own/x' } } } })).toBe('s3://own/x');
  });
});
