import { API_VERSION, KIND } from '../../../../crds/v1alpha1/cached-model-service.ts';
import { toServiceSettings, type ServiceSettings } from '../../../../crds/v1alpha1/settings.ts';
import type { ServiceToPlan } from '../../../plan/service.ts';
import { readVerbs } from './read-verbs.ts';

/** Whether `heads.revision` names heads. */
export function hasPin({ spec }: ServiceToPlan): boolean {
  return spec.heads.revision !== undefined;
}

/** The settings of a spec with what annotations add to it: they only ever hold or switch off. */
export function settingsInForce(
  service: ServiceToPlan,
  { nowMs, canTrain }: { readonly nowMs: number; readonly canTrain: boolean },
): ServiceSettings {
  const settings = toServiceSettings(
    { apiVersion: API_VERSION, kind: KIND, metadata: { name: service.name }, spec: service.spec },
    { local: false },
  );
  const { isPaused, areExitsOff } = readVerbs(service.annotations, nowMs);
  return {
    ...settings,
    paused: settings.paused || isPaused,
    // Whoever pins heads has chosen.
    trainingMode: canTrain && !hasPin(service) ? settings.trainingMode : 'Off',
    // Heads go on being audited, so that what is in force stays watched.
    exitMode: areExitsOff && settings.exitMode === 'Active' ? 'Shadow' : settings.exitMode,
  };
}
