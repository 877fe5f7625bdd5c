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
  /** Whether the gateway certainly did not carry it out: it was not sent, or refused for its token. */
  hasNotRun: boolean;
  /** Whether it was stopped: a mutation by the person, any other by a change of tenant. */
  isStopped: boolean;
  /** Whether its end was on the screen, in its own tab and tenant. */
  isSeen: boolean;
}

export type ExecutionChange =
  | { type: 'started'; execution: Execution }
  | { type: 'changed'; key: number; change: Partial<Execution> }
  | { type: 'seen'; key: number }
  | { type: 'leftTenant'; tenantId: string }
  | { type: 'closedTab'; tab: number }
  | { type: 'dismissed'; key: number };

const STOPPED = 'It was stopped when the tenant changed.';

export function reduceExecutions(executions: readonly Execution[], change: ExecutionChange): readonly Execution[] {
  switch (change.type) {
    case 'started': {
      const { tab, tenant } = change.execution;
      const replaced = (other: Execution) => isIn(other, tab, tenant.id) || (isNotice(other) && other.tab === tab);
      return [...executions.filter((other) => !replaced(other)), change.execution];
    }
    case 'changed':
      return executions.map((execution) => (execution.key === change.key ? { ...execution, ...change.change } : execution));
    case 'seen':
      return executions.map((execution) => (execution.key === change.key ? { ...execution, isSeen: true } : execution));
    case 'leftTenant':
      return executions.flatMap((execution) => afterLeaving(execution, change.tenantId));
    case 'closedTab':
      return executions.filter((execution) => execution.tab !== change.tab || isUnseenMutation(execution));
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
    return isUnseenMutation(execution) ? [execution] : [];
  }
  return [execution.kind === 'mutation' ? execution : stopped(execution)];
}

function stopped(execution: Execution): Execution {
  return { ...execution, outcome: null, problem: STOPPED, running: false, isStopped: true };
}

export function isIn(execution: Execution, tab: number, tenantId: string): boolean {
  return execution.tab === tab && execution.tenant.id === tenantId;
}

/** Those that the view of this tab in this tenant does not show by itself, and whose end the person has not seen. */
export function elsewhere(executions: readonly Execution[], tab: number, tenantId: string): Execution[] {
  return executions.filter(
    (execution) => (isNotice(execution) || isUnseenMutation(execution)) && !isIn(execution, tab, tenantId),
  );
}

/** The mutations whose ends would be lost with the page: those that run, and those that ended by themselves, unseen. */
export function openMutations(executions: readonly Execution[]): Execution[] {
  return executions.filter((execution) => isUnseenMutation(execution) && !execution.isStopped);
}

/** A mutation that runs was not seen either: only an end is. */
function isUnseenMutation({ kind, isSeen }: Execution): boolean {
  return kind === 'mutation' && !isSeen;
}

/** Told until the person moves on, since running it again does no harm. */
function isNotice({ kind, isStopped, isSeen }: Execution): boolean {
  return kind !== 'mutation' && isStopped && !isSeen;
}
