//! Canonical spelling of the ids of legacy systems' tenants and of base URLs, so that equal ones
//! are equal texts.

use std::collections::HashMap;

use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use sea_orm_migration::prelude::*;
use url::{Host, Url};

/// The most conflicts that one error message lists.
const NAMED: usize = 20;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// Fails if two links lead to one tenant of an installation: only the operator can decide
    /// between them.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let conflicts = conflicts(manager).await?;
        if !conflicts.is_empty() {
            return Err(DbErr::Migration(format!(
                "one tenant of a legacy system is linked to several tenants; with the version before, end all links but one \
                 (unlinkTenant), then migrate again: {}",
                conflicts.join("; ")
            )));
        }
        rewrite(manager, "upstreams", "base_url", canonical_base_url).await?;
        rewrite(manager, "tenant_keys", "base_url", canonical_base_url).await?;
        for table in ["upstream_links", "tenant_keys", "integration_server_tasks"] {
            rewrite(manager, table, "remote_tenant_id", canonical_id).await?;
        }
        Ok(())
    }

    /// Nothing: the earlier schema accepts the canonical spelling too.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// A link and its target.
struct Link {
    id: Uuid,
    tenant: Uuid,
    owner: Uuid,
    place: (String, String),
    remote: String,
}

impl Link {
    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        let text = |name: &str| row.try_get::<String>("", name);
        Ok(Self {
            id: row.try_get("", "id")?,
            tenant: row.try_get("", "tenant_id")?,
            owner: row.try_get("", "owner_tenant_id")?,
            place: (text("system")?, canonical_base_url(&text("base_url")?)),
            remote: canonical_id(&text("remote_tenant_id")?),
        })
    }
}

/// The pairs of links to the same tenant of one installation that was registered by the same
/// gateway tenant, or by one above the other.
async fn conflicts(manager: &SchemaManager<'_>) -> Result<Vec<String>, DbErr> {
    let sql =
        "SELECT l.id, l.tenant_id, l.remote_tenant_id, u.owner_tenant_id, u.system, u.base_url
        FROM upstream_links l JOIN upstreams u ON u.id = l.upstream_id
        WHERE l.remote_tenant_id IS NOT NULL ORDER BY l.created_at, l.id";
    let mut seen: HashMap<((String, String), String), Vec<Link>> = HashMap::new();
    let mut conflicts = Vec::new();
    for row in ask(manager, sql, []).await? {
        let link = Link::read(&row)?;
        let others = seen.entry((link.place.clone(), link.remote.clone())).or_default();
        for other in others.iter() {
            if conflicts.len() < NAMED && are_related(manager, link.owner, other.owner).await? {
                conflicts.push(format!(
                    "link {} of tenant {} and link {} of tenant {} both mean the tenant {} at {}",
                    other.id, other.tenant, link.id, link.tenant, link.remote, link.place.1
                ));
            }
        }
        others.push(link);
    }
    Ok(conflicts)
}

async fn are_related(manager: &SchemaManager<'_>, one: Uuid, other: Uuid) -> Result<bool, DbErr> {
    let sql = "SELECT 1 AS found FROM tenant_ancestors
        WHERE (tenant_id = $1 AND ancestor_id = $2) OR (tenant_id = $2 AND ancestor_id = $1)";
    Ok(one == other || !ask(manager, sql, [one.into(), other.into()]).await?.is_empty())
}

/// Writes each value of a column in its canonical spelling.
async fn rewrite(
    manager: &SchemaManager<'_>,
    table: &str,
    column: &str,
    canonical: fn(&str) -> String,
) -> Result<(), DbErr> {
    let distinct =
        format!("SELECT DISTINCT {column} AS value FROM {table} WHERE {column} IS NOT NULL");
    for row in ask(manager, &distinct, []).await? {
        let before: String = row.try_get("", "value")?;
        let after = canonical(&before);
        if after != before {
            let sql = format!("UPDATE {table} SET {column} = $1 WHERE {column} = $2");
            let connection = manager.get_connection();
            let values = [after.into(), before.into()];
            connection
                .execute_raw(Statement::from_sql_and_values(
                    connection.get_database_backend(),
                    sql,
                    values,
                ))
                .await?;
        }
    }
    Ok(())
}

async fn ask<const N: usize>(
    manager: &SchemaManager<'_>,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>, DbErr> {
    let connection = manager.get_connection();
    connection
        .query_all_raw(Statement::from_sql_and_values(
            connection.get_database_backend(),
            sql,
            values,
        ))
        .await
}

/// A number without leading zeros, a UUID with hyphens in lower case, any other text as it is.
fn canonical_id(id: &str) -> String {
    if let Ok(uuid) = Uuid::try_parse(id) {
        return uuid.to_string();
    }
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    match id.trim_start_matches('0') {
        "" if is_number => "0".to_owned(),
        digits if is_number => digits.to_owned(),
        _ => id.to_owned(),
    }
}

/// The host without a trailing dot, IPv4 addresses in dotted form, no unnecessary percent-encoding,
/// no trailing slash.
fn canonical_base_url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return text.to_owned() };
    let absolute =
        url.host_str().and_then(|name| name.strip_suffix('.')).filter(|name| !name.is_empty());
    if let Some(name) = absolute.map(str::to_owned) {
        url.set_host(Some(&name)).ok();
    }
    if let Some(Host::Ipv6(address)) = url.host()
        && let Some(address) = address.to_ipv4_mapped()
    {
        url.set_ip_host(address.into()).ok();
    }
    let path = plain_path(url.path());
    url.set_path(&path);
    url.as_str().trim_end_matches('/').to_owned()
}

/// A path with unreserved characters decoded and all others percent-encoded with upper-case digits.
fn plain_path(path: &str) -> String {
    let mut parts = path.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits =
            part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                plain.push(char::from(byte));
                plain.push_str(&part[2..]);
            }
            Some(byte) => {
                plain.push_str(&format!("%{byte:02X}"));
                plain.push_str(&part[2..]);
            }
            None => {
                plain.push('%');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_things_are_spelled_alike() {
        for (text, canonical) in [
            ("07", "7"),
            ("000", "0"),
            ("{345AE5D6-EEB7-4635-884A-01AC1781DEEB}", "345ae5d6-eeb7-4635-884a-01ac1781deeb"),
            ("x07", "x07"),
        ] {
            assert_eq!(canonical_id(text), canonical);
        }
        for text in ["https://manager.example./api/", "https://MANAGER.example:443/%61pi"] {
            assert_eq!(canonical_base_url(text), "https://manager.example/api");
        }
    }
}
