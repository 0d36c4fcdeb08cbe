import { hasAccelerator } from '../../../crds/v1alpha1/accelerator.ts';
import type { CachedModelServiceSpec } from '../../../crds/v1alpha1/cached-model-service.ts';
import type { TemplateInputs } from './inputs.ts';

/**
 * The image of the chart that has the engine of a service. Native TensorFlow is four times as large as all else and for x64 alone, so
 * that pods get it where a service asks for it: by the engine, by a model that nothing else reads, or, with a device, by one
 * that nothing else runs there. Without such an image in the chart: the one beside it, whose server says which engine it lacks.
 */
export function chooseImage(spec: CachedModelServiceSpec, inputs: TemplateInputs): string {
  const { image, gpuImage, tensorflowImage, tensorflowGpuImage } = inputs;
  if (spec.server.engine === 'TFJSNode') return tensorflowImage ?? image;
  if (hasAccelerator(spec)) {
    return (needsTensorFlow(spec, true) ? tensorflowGpuImage : null) ?? gpuImage ?? image;
  }
  return (needsTensorFlow(spec, false) ? tensorflowImage : null) ?? image;
}

function needsTensorFlow(
  { server, backbone }: CachedModelServiceSpec,
  hasDevice: boolean,
): boolean {
  if (server.engine === 'TFJSGPU') return true;
  if (server.engine !== 'Auto') return false;
  return backbone.format === 'SavedModel' || (hasDevice && backbone.format === 'TFJSGraphModel');
}
