import type { ServiceAccount } from 'kubernetes-types/core/v1.js';

import type { Component } from './labels.ts';
import { trainerAccountName } from './names.ts';
import { childMetadata } from './owner.ts';
import { mayTrain, type ServiceToPlan } from './service.ts';

/** Accounts of pods and trainer, unless the spec names others. They have no rights and no mounted token. */
export function planServiceAccounts(service: ServiceToPlan): ServiceAccount[] {
  const { spec, name } = service;
  const accounts: ServiceAccount[] = [];
  if (spec.pod?.serviceAccountName === undefined) accounts.push(account(service, name, 'server'));
  if (spec.heads.training.serviceAccountName === undefined && mayTrain(service)) {
    accounts.push(account(service, trainerAccountName(name), 'trainer'));
  }
  return accounts;
}

function account(service: ServiceToPlan, name: string, component: Component): ServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: childMetadata(service, name, component),
    automountServiceAccountToken: false,
  };
}
