//! The tables `upstreams` and `upstream_links`, and the finders of their rows.

/// Installations.
pub mod upstream {
    use sea_orm::entity::prelude::*;
    use sea_orm::sea_query::{Expr, ExprTrait};
    use sea_orm::{QuerySelect, QueryTrait};

    use crate::auth::TenantScope;
    use crate::clock::Timestamp;
    use crate::ids::{TenantId, UpstreamId};
    use crate::tenants::entity::{ScopeFilter, above, below};

    /// An installation of a legacy system.
    #[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "upstreams")]
    pub struct Model {
        /// The id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: UpstreamId,
        /// The tenant that owns the installation.
        pub owner_tenant_id: TenantId,
        /// The display name.
        pub name: String,
        /// The kind of system, as in `System::as_str`.
        pub system: String,
        /// The base URL in its canonical form.
        pub base_url: String,
        /// The way of authentication, as in `Authentication::as_str`.
        pub authentication: String,
        /// The credential, sealed with the master key.
        pub sealed_credential: Vec<u8>,
        /// Certificates in PEM that are trusted in place of the public authorities.
        pub ca_certificate: Option<String>,
        /// The IANA name of the time zone of dates without one.
        pub time_zone: String,
        /// Increases with every change.
        pub revision: i64,
        /// When the row was created, by the database's time.
        pub created_at: Timestamp,
        /// When the row was last changed.
        pub updated_at: Timestamp,
    }

    impl std::fmt::Debug for Model {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Upstream")
                .field("id", &self.id)
                .field("system", &self.system)
                .finish_non_exhaustive()
        }
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// Installations owned by the scope's tenant or by a tenant below it.
        pub fn of_tenant(scope: &TenantScope) -> Select<Self> {
            let owner = Expr::col((Entity, Column::OwnerTenantId));
            Self::find().filter(ScopeFilter::EachRow.below(owner, scope.tenant()))
        }

        /// Installations owned by this tenant.
        pub fn owned_by(tenant: TenantId) -> Select<Self> {
            Self::find().filter(Column::OwnerTenantId.eq(tenant))
        }

        /// Installations owned by the scope's tenant or by a tenant above it.
        pub fn above(scope: &TenantScope) -> Select<Self> {
            Self::find().filter(Column::OwnerTenantId.in_subquery(above(scope.tenant())))
        }

        /// The installation of a link.
        pub fn of_link(link: &super::link::Model) -> Select<Self> {
            Self::find().filter(Column::Id.eq(link.upstream_id))
        }

        /// The installation that a recorded task was started at.
        pub fn of_record(id: UpstreamId) -> Select<Self> {
            Self::find().filter(Column::Id.eq(id))
        }

        /// The installations that links or records lead to which the caller may see.
        pub fn of_records(ids: &[UpstreamId]) -> Select<Self> {
            Self::find().filter(Column::Id.is_in(ids.iter().copied()))
        }

        /// Installations that the scope's tenant owns or is linked to.
        pub fn used_by(scope: &TenantScope) -> Select<Self> {
            let linked = super::link::Entity::of_this_tenant(scope)
                .select_only()
                .column(super::link::Column::UpstreamId);
            let used = Column::OwnerTenantId
                .eq(scope.tenant())
                .or(Column::Id.in_subquery(linked.into_query()));
            Self::find().filter(used)
        }

        /// Registrations of the same installation (same system, same base URL) owned by this
        /// tenant, a tenant above it or a tenant below it. Unrelated tenants may have registered it
        /// too; they share nothing with this tenant and learn nothing about it.
        pub fn at_place(owner: TenantId, system: &str, base_url: &str) -> Select<Self> {
            let related = Column::OwnerTenantId
                .in_subquery(above(owner))
                .or(Column::OwnerTenantId.in_subquery(below(owner)));
            Self::find()
                .filter(Column::System.eq(system))
                .filter(Column::BaseUrl.eq(base_url))
                .filter(related)
        }

        /// Installations of all tenants: for the operator of the machine, never for a caller.
        pub fn of_all_tenants() -> Select<Self> {
            Self::find()
        }

        /// All rows, to change the master key.
        pub fn all_rows() -> Select<Self> {
            Self::find()
        }
    }
}

/// Links.
pub mod link {
    use sea_orm::entity::prelude::*;
    use sea_orm::sea_query::{Expr, ExprTrait};
    use sea_orm::{QuerySelect, QueryTrait};

    use crate::auth::TenantScope;
    use crate::clock::Timestamp;
    use crate::ids::{LinkId, TenantId, UpstreamId};
    use crate::tenants::entity::ScopeFilter;

    /// A link between a tenant of the gateway and a tenant of an installation.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "upstream_links")]
    pub struct Model {
        /// The id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: LinkId,
        /// The gateway tenant.
        pub tenant_id: TenantId,
        /// The installation.
        pub upstream_id: UpstreamId,
        /// The kind of system, as in `System::as_str`.
        pub system: String,
        /// The vendor's id of the tenant in its canonical form; `None` if the installation's own
        /// credential belongs to that tenant.
        pub remote_tenant_id: Option<String>,
        /// When the row was created, by the database's time.
        pub created_at: Timestamp,
        /// The name of a `LinkState`.
        pub verification: String,
        /// The name of a `LinkFailure`: why the last check failed.
        pub failure: Option<String>,
        /// When the last check failed; `None` if it succeeded.
        pub failed_at: Option<Timestamp>,
        /// When the tenant was last found.
        pub verified_at: Option<Timestamp>,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// Links of the scope's tenant and of all tenants below it.
        pub fn of_tenant(scope: &TenantScope) -> Select<Self> {
            let tenant = Expr::col((Entity, Column::TenantId));
            Self::find().filter(ScopeFilter::EachRow.below(tenant, scope.tenant()))
        }

        /// Links of the scope's tenant only.
        pub fn of_this_tenant(scope: &TenantScope) -> Select<Self> {
            Self::find().filter(Column::TenantId.eq(scope.tenant()))
        }

        /// Links to an installation, of any tenant: to know whether it is in use, never to be
        /// shown.
        pub fn using(upstream: UpstreamId) -> Select<Self> {
            Self::find().filter(Column::UpstreamId.eq(upstream))
        }

        /// One link, to record the result of a check.
        pub fn checked(id: LinkId) -> sea_orm::UpdateMany<Self> {
            Self::update_many().filter(Column::Id.eq(id))
        }

        /// All links to an installation, which must be checked again because it changed.
        pub fn to_check_anew(upstream: UpstreamId) -> sea_orm::UpdateMany<Self> {
            Self::update_many().filter(Column::UpstreamId.eq(upstream))
        }

        /// Unverified links of any tenant whose last check failed before that time: for the gateway
        /// itself, which checks each in its tenant's scope.
        pub fn unverified(before: Timestamp) -> Select<Self> {
            let due = Column::FailedAt.is_null().or(Column::FailedAt.lt(before));
            Self::find().filter(Column::Verification.eq("PENDING")).filter(due)
        }

        /// Links to any of these installations, of any tenant: to know which remote tenants are
        /// taken, never to be shown.
        pub fn using_any(upstreams: Select<super::upstream::Entity>) -> Select<Self> {
            let ids = upstreams.select_only().column(super::upstream::Column::Id);
            Self::find().filter(Column::UpstreamId.in_subquery(ids.into_query()))
        }
    }
}
