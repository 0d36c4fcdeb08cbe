import type { TemplateInputs } from './template-v1/inputs.ts';

/** What the chart gives to services that leave a field open. */
export interface ServiceDefaults {
  /** What reaches a pod template; recorded with each Deployment, so that an upgrade changes no pod. */
  readonly template: TemplateInputs;
  readonly networkPolicy: 'Enabled' | 'Disabled';
  /** With which trainers write to `template.store`; absent: with what pods read with. */
  readonly pushSecretName?: string;
  /** What training Jobs run; absent: nothing is trained in this installation. */
  readonly trainer?: TrainerDefaults;
}

export interface TrainerDefaults {
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly imagePullSecretNames: readonly string[];
  /** For services without `heads.training.resources`. */
  readonly resources: Readonly<Record<string, unknown>>;
}

/** This installation of the operator, as its children name it and as network policies admit it. */
export interface Installation {
  readonly namespace: string;
  /** The Helm release. */
  readonly release: string;
  /** Labels of the operator's pods. */
  readonly operatorLabels: Readonly<Record<string, string>>;
  /** Where Prometheus runs; null: pods of every namespace may read metrics. */
  readonly monitoringNamespace: string | null;
}

/** `<namespace>/<release>`, the value of annotation `layercache.io/installation`. */
export function installationName({ namespace, release }: Installation): string {
  return `${namespace}/${release}`;
}
