//! The schema of the database and its migrations.

use migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DbErr, Statement, TransactionTrait};
use tenant_gateway_migrations as migrations;

use super::change_records::{PROGRAM_VERSION, applied, forget_undone, record, recorded};
use super::{Database, Failure, MIGRATION_LOCK};
use crate::error::{Error, ErrorCode, Result};

/// The state of a database's schema, as this version of the program knows it.
pub struct Schema {
    /// Each change that this version knows, oldest first, and whether it was applied.
    pub changes: Vec<(String, bool)>,
    /// The changes that a newer version applied.
    pub newer: Vec<NewerChange>,
}

/// A change of the schema that this version of the program does not know.
pub struct NewerChange {
    /// Its name.
    pub name: String,
    /// The version that applied it, if it was recorded.
    pub program_version: Option<String>,
    /// Whether it only adds objects that this version does not use.
    pub is_additive: bool,
}

impl Schema {
    /// How many of the changes that this version knows have not been applied.
    pub fn pending(&self) -> usize {
        self.changes.iter().filter(|(_, applied)| !applied).count()
    }

    /// Says how far the schema is behind this version; `None` if it is not.
    pub fn lag(&self) -> Option<String> {
        match self.pending() {
            0 => None,
            1 => Some("the database's schema is 1 change behind this version".to_owned()),
            pending => {
                Some(format!("the database's schema is {pending} changes behind this version"))
            }
        }
    }

    /// The newer version that made the schema, if this one cannot work with it.
    pub fn newer_version(&self) -> Option<NewerVersion> {
        let unknown: Vec<_> = self.newer.iter().filter(|change| !change.is_additive).collect();
        let first = unknown.first()?;
        let newest = unknown.iter().rev().find_map(|change| change.program_version.as_deref());
        let maker = match newest {
            None => "a newer version".to_owned(),
            Some(PROGRAM_VERSION) => format!("a later build of version {PROGRAM_VERSION}"),
            Some(version) => format!("version {version}"),
        };
        let difference = format!(
            "this is version {PROGRAM_VERSION}, which does not know the change {}",
            first.name
        );
        Some(NewerVersion { maker, difference })
    }

    /// Refuses a schema that a newer version made and this one cannot work with.
    ///
    /// # Errors
    /// Names the version that made it, and what to do.
    pub fn require_compatible(&self) -> Result<()> {
        let Some(NewerVersion { maker, difference }) = self.newer_version() else { return Ok(()) };
        let last_known = self.changes.last().map_or("", |(name, _)| name.as_str());
        Err(Error::internal(format!(
            "the database's schema was made by {maker} of tenant-gateway; {difference}. Install \
            {maker} again, or undo the change with its `tenant-gateway migrate down --to \
            {last_known}` before installing this one, or restore a backup made before the change"
        )))
    }

    /// Refuses a schema to which this version cannot apply what is missing, because a newer one
    /// has applied changes that come later.
    ///
    /// # Errors
    /// As [`Schema::require_compatible`], and if a change is missing before a newer one.
    pub fn require_upgradable(&self) -> Result<()> {
        self.require_compatible()?;
        let missing = self.changes.iter().find(|(_, applied)| !applied);
        let (Some((missing, _)), Some(newer)) = (missing, self.newer.last()) else { return Ok(()) };
        Err(Error::internal(format!(
            "the database lacks the change {missing}, and has the change {} of a newer version of \
            tenant-gateway: run `tenant-gateway migrate up` of that version",
            newer.name
        )))
    }

    /// Refuses to undo changes before one of a newer version, which only that version can undo.
    fn require_newest(&self, to: &str) -> Result<()> {
        let Some(newer) = self.newer.last() else { return Ok(()) };
        Err(Error::internal(format!(
            "the database has the change {} of a newer version of tenant-gateway, which has to be \
            undone first: run `tenant-gateway migrate down --to {to}` of that version",
            newer.name
        )))
    }
}

/// A newer version that made a schema with which this one cannot work.
pub struct NewerVersion {
    /// The version, such as `version 1.2.0`.
    pub maker: String,
    /// The changes that this version lacks.
    pub difference: String,
}

impl Database {
    /// Applies every pending change of the schema. Safe to call from several nodes at once on
    /// PostgreSQL; for SQLite the caller holds a file lock.
    ///
    /// # Errors
    /// If a change fails, which is then rolled back; if a newer version made the schema and this one
    /// cannot work with it.
    pub async fn migrate(&self) -> Result<()> {
        let schema = self.schema().await?;
        schema.require_upgradable()?;
        if schema.pending() == 0 {
            return Ok(());
        }
        if self.is_sqlite() {
            // One transaction for all changes, so that the disk is synced once. It takes the write
            // lock at its start: SQLite rejects one that reads first if another process, which
            // serves from the same file, has written since.
            let write = self.begin().await?;
            Migrator::up(write.on().unmonitored(), None).await?;
            record(write.on().unmonitored()).await?;
            return write.commit().await;
        }
        let lock = self.pool.unmonitored().begin().await?;
        // The changes of another node may take longer than the lock timeout.
        lock.execute_unprepared("SET LOCAL lock_timeout = 0").await?;
        lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
        Migrator::up(self.pool.unmonitored(), None).await?;
        record(self.pool.unmonitored()).await?;
        Ok(lock.commit().await?)
    }

    /// Undoes every change of the schema, newest first.
    ///
    /// # Errors
    /// If a change cannot be undone.
    pub async fn unmigrate(&self) -> Result<()> {
        Ok(Migrator::down(self.pool.unmonitored(), None).await?)
    }

    /// Undoes the changes of the schema after the one named, newest first. Data that they added is
    /// lost.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` if no change has that name or it was not run; if a change cannot be undone.
    pub async fn unmigrate_to(&self, name: &str) -> Result<()> {
        let schema = self.schema().await?;
        schema.require_compatible()?;
        let position = schema.changes.iter().position(|(known, applied)| known == name && *applied);
        let position = position.ok_or_else(|| {
            Error::bad_input(
                "--to",
                "must name a change that was run; `tenant-gateway migrate status` lists them",
            )
        })?;
        schema.require_newest(name)?;
        let after = &schema.changes[position + 1..];
        let steps = after.iter().filter(|(_, applied)| *applied).count();
        let steps = u32::try_from(steps).map_err(Error::internal)?;
        if steps == 0 {
            return Ok(());
        }
        Migrator::down(self.pool.unmonitored(), Some(steps)).await?;
        Ok(forget_undone(self.pool.unmonitored()).await?)
    }

    /// Lists each change of the schema by name, and whether it was applied. Writes nothing.
    ///
    /// # Errors
    /// If the database cannot be read, or a newer version made the schema, and this one cannot work
    /// with it.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>> {
        let schema = self.schema().await?;
        schema.require_compatible()?;
        Ok(schema.changes)
    }

    /// Checks every page of an SQLite database. PostgreSQL checks its own files.
    ///
    /// # Errors
    /// If it is damaged; the cause names the file.
    pub async fn check_content(&self) -> Result<()> {
        if !self.is_sqlite() {
            return Ok(());
        }
        let check =
            Statement::from_string(sea_orm::DatabaseBackend::Sqlite, "PRAGMA quick_check(1)");
        let row = self.pool.query_one_raw(check).await.map_err(|error| self.named(error.into()))?;
        let found =
            row.map(|row| row.try_get_by_index::<String>(0)).transpose()?.unwrap_or_default();
        if found == "ok" {
            return Ok(());
        }
        let damaged = Error::new(ErrorCode::DatabaseUnavailable, Failure::Damaged.message());
        Err(self.named(damaged.because(format!("{}: {found}", Failure::Damaged.message()))))
    }

    /// Reads the state of the schema. Writes nothing.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn schema(&self) -> Result<Schema> {
        read(self.pool.unmonitored()).await.map_err(|error| self.named(error.into()))
    }
}

/// Reads the state of a database's schema.
pub(super) async fn read(on: &impl ConnectionTrait) -> Result<Schema, DbErr> {
    let applied = applied(on).await?;
    let recorded = recorded(on).await?;
    let changes: Vec<_> =
        Migrator::migrations().iter().map(|change| change.name().to_owned()).collect();
    let newer = applied.iter().filter(|name| !changes.contains(name)).map(|name| {
        let record = recorded.get(name);
        NewerChange {
            name: name.clone(),
            program_version: record.map(|(version, _)| version.clone()),
            is_additive: record.is_some_and(|(_, is_additive)| *is_additive),
        }
    });
    let newer = newer.collect();
    let changes = changes.into_iter().map(|name| {
        let was_run = applied.contains(&name);
        (name, was_run)
    });
    Ok(Schema { changes: changes.collect(), newer })
}
