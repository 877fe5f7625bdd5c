import type { Execution } from './executions';

export const MAY_HAVE_RUN = 'The gateway may have carried out the mutation all the same.';

/** The question before signing out, which names the answers that would be lost. */
export function askToSignOut(open: readonly Execution[]): string {
  const awaited = open.filter((execution) => execution.running || execution.outcome);
  const ended = open.filter((execution) => !awaited.includes(execution)).map(withoutAnswer);
  const question = awaited.length > 0 ? ` and lose the answer of ${awaited.map(nameOf).join(', ')}` : '';
  const why = awaited.length > 0 ? ['It may hold a secret that is shown once.'] : [];
  return [`Sign out${question}?`, ...why, ...ended].join(' ');
}

/** The losses by the end of a session, one sentence or two for each mutation. */
export function lostWithSession(open: readonly Execution[]): string[] {
  return open.map((execution) =>
    execution.outcome ? `The answer of ${nameOf(execution)} is lost.` : withoutAnswer(execution),
  );
}

function withoutAnswer(execution: Execution): string {
  const name = nameOf(execution);
  return execution.hasNotRun ? `${name} was not carried out.` : `No answer came to ${name}. ${MAY_HAVE_RUN}`;
}

function nameOf({ title, tenant }: Execution): string {
  return `${title} in ${tenant.name}`;
}
