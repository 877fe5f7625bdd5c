import type { OperationTypeNode } from 'graphql';
import type { Outcome } from './answer';
import type { Tenant } from './tenants';

/** One run of an operation: in the tenant and the tab in which it was started, wherever the person is by now. */
export interface Execution {
  key: number;
  tab: number;
  tenant: Tenant;
  /** The name of the operation. */
  title: string;
  kind: OperationTypeNode;
  outcome: Outcome | null;
  /** Why there is no answer, for the person at the page. */
  problem: string;
  running: boolean;
  /** Whether its tab was closed or its tenant left while it ran. */
  isLeft: boolean;
}

export type ExecutionChange =
  | { type: 'started'; execution: Execution }
  | { type: 'changed'; key: number; change: Partial<Pick<Execution, 'outcome' | 'problem' | 'running'>> }
  | { type: 'leftTenant'; tenantId: string }
  | { type: 'closedTab'; tab: number }
  | { type: 'dismissed'; key: number };

const STOPPED = 'It was stopped when the tenant changed.';

export function reduceExecutions(executions: readonly Execution[], change: ExecutionChange): readonly Execution[] {
  switch (change.type) {
    case 'started': {
      const { tab, tenant } = change.execution;
      return [...executions.filter((other) => !isIn(other, tab, tenant.id) && !isStoppedIn(other, tab)), change.execution];
    }
    case 'changed':
      return executions.map((execution) => (execution.key === change.key ? { ...execution, ...change.change } : execution));
    case 'leftTenant':
      return executions.flatMap((execution) => afterLeaving(execution, change.tenantId));
    case 'closedTab':
      return executions.flatMap((execution) => (execution.tab === change.tab ? afterClosing(execution) : [execution]));
    case 'dismissed':
      return executions.filter(({ key }) => key !== change.key);
  }
}

/**
 * No answer of one tenant stays on the screen of another. A mutation goes on, since stopping to listen does not stop the
 * gateway, and its answer may hold a secret that is shown once. All others are stopped, and the page says so.
 */
function afterLeaving(execution: Execution, tenantId: string): Execution[] {
  if (execution.tenant.id !== tenantId) {
    return isNotice(execution) ? [] : [execution];
  }
  if (!execution.running) {
    return isOpenMutation(execution) ? [execution] : [];
  }
  return [execution.kind === 'mutation' ? { ...execution, isLeft: true } : stopped(execution)];
}

function afterClosing(execution: Execution): Execution[] {
  return isOpenMutation(execution) ? [{ ...execution, isLeft: true }] : [];
}

function stopped(execution: Execution): Execution {
  return { ...execution, outcome: null, problem: STOPPED, running: false, isLeft: true };
}

function isNotice({ kind, isLeft }: Execution): boolean {
  return isLeft && kind !== 'mutation';
}

function isStoppedIn(execution: Execution, tab: number): boolean {
  return execution.tab === tab && isNotice(execution);
}

export function isIn(execution: Execution, tab: number, tenantId: string): boolean {
  return execution.tab === tab && execution.tenant.id === tenantId;
}

/** Those that the view of this tab in this tenant does not show by itself. */
export function elsewhere(executions: readonly Execution[], tab: number, tenantId: string): Execution[] {
  return executions.filter((execution) => execution.isLeft && !isIn(execution, tab, tenantId));
}

/** The mutations whose answers would be lost with the page: those that run, and those that were answered elsewhere. */
export function openMutations(executions: readonly Execution[]): Execution[] {
  return executions.filter(isOpenMutation);
}

function isOpenMutation({ kind, running, isLeft }: Execution): boolean {
  return kind === 'mutation' && (running || isLeft);
}
