import { buildClientSchema, getIntrospectionQuery, type GraphQLSchema, type IntrospectionQuery } from 'graphql';
import { ask } from './gateway';
import type { Session } from './session';

/** The schema is the same in every tenant, so that one introspection serves the whole session. */
export async function loadSchema(session: Session): Promise<GraphQLSchema> {
  const introspection = getIntrospectionQuery({ inputValueDeprecation: true });
  return buildClientSchema(await ask<IntrospectionQuery>(session, introspection));
}
