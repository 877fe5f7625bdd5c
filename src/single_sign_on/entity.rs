//! The tables `identity_providers`, `identity_provider_domains`, `user_identities` and
//! `sign_in_requests`, the finders of their rows, and those of the people they are about.

/// Providers.
pub mod provider {
    use sea_orm::entity::prelude::*;
    use sea_orm::sea_query::{Expr, ExprTrait};
    use sea_orm::{Condition, QuerySelect, QueryTrait};

    use crate::auth::TenantScope;
    use crate::clock::Timestamp;
    use crate::ids::{IdentityProviderId, RoleId, TenantId, UserId};

    /// The identity provider of a tenant.
    #[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "identity_providers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: IdentityProviderId,
        pub tenant_id: TenantId,
        pub issuer: String,
        pub client_id: String,
        pub sealed_secret: Vec<u8>,
        pub ca_certificate: Option<String>,
        /// The role of accounts that sign in for the first time; none are made without it.
        pub default_role_id: Option<RoleId>,
        /// When the right of the administrator who set the default role ends.
        pub default_role_expires_at: Option<Timestamp>,
        pub emergency_user_id: Option<UserId>,
        pub enabled: bool,
        /// Increases with every change.
        pub revision: i64,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
        pub updated_by: String,
    }

    impl std::fmt::Debug for Model {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("IdentityProvider")
                .field("id", &self.id)
                .field("tenant_id", &self.tenant_id)
                .finish_non_exhaustive()
        }
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The provider of the scope's tenant.
        pub fn of_this_tenant(scope: &TenantScope) -> Select<Self> {
            Self::find().filter(Column::TenantId.eq(scope.tenant()))
        }

        /// The provider that the people of a tenant sign in at.
        pub fn of_home(tenant: TenantId) -> Select<Self> {
            Self::find().filter(Column::TenantId.eq(tenant)).filter(Column::Enabled.eq(true))
        }

        /// The provider of a sign-in link, or of a sign-in under way, unless its tenant or one above
        /// is disabled.
        pub fn of_sign_in(id: IdentityProviderId) -> Select<Self> {
            Self::find().filter(Column::Id.eq(id)).filter(is_open())
        }

        /// The enabled providers that name a domain, whichever tenants they are of: to see whether
        /// the domain leads to exactly one.
        pub fn naming(domain: &str) -> Select<Self> {
            let named = super::domain::Entity::find()
                .filter(super::domain::Column::Domain.eq(domain))
                .select_only()
                .column(super::domain::Column::ProviderId);
            Self::find().filter(is_open()).filter(Column::Id.in_subquery(named.into_query()))
        }

        /// All rows, to change the master key.
        pub fn all_rows() -> Select<Self> {
            Self::find()
        }
    }

    /// Whether people can sign in at the provider: it is enabled, and so are its tenant and all
    /// above.
    fn is_open() -> Condition {
        let closed = Expr::cust(
            "EXISTS (SELECT 1 FROM tenant_ancestors a JOIN tenants t ON t.id = a.ancestor_id
                WHERE a.tenant_id = identity_providers.tenant_id AND NOT t.enabled)",
        );
        Condition::all().add(Column::Enabled.eq(true)).add(closed.not())
    }
}

/// The domains whose e-mail addresses a provider may vouch for.
pub mod domain {
    use sea_orm::DeleteMany;
    use sea_orm::entity::prelude::*;

    use crate::ids::IdentityProviderId;

    /// A domain of a provider, in lower case.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "identity_provider_domains")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub provider_id: IdentityProviderId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub domain: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The domains of a provider.
        pub fn of_provider(id: IdentityProviderId) -> Select<Self> {
            Self::find().filter(Column::ProviderId.eq(id))
        }

        /// Deletes the domains of a provider.
        pub fn forget(id: IdentityProviderId) -> DeleteMany<Self> {
            Self::delete_many().filter(Column::ProviderId.eq(id))
        }
    }
}

/// Links of users to accounts at a provider.
pub mod identity {
    use sea_orm::DeleteMany;
    use sea_orm::entity::prelude::*;

    use crate::clock::Timestamp;
    use crate::ids::{TenantId, UserId};

    /// The account of a user.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_identities")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: UserId,
        pub tenant_id: TenantId,
        pub issuer: String,
        pub subject: String,
        pub created_at: Timestamp,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The link of an account, within the provider's own tenant.
        pub fn of_account(tenant: TenantId, issuer: &str, subject: &str) -> Select<Self> {
            Self::find()
                .filter(Column::TenantId.eq(tenant))
                .filter(Column::Issuer.eq(issuer))
                .filter(Column::Subject.eq(subject))
        }

        /// The link of a user.
        pub fn of_user(user: UserId) -> Select<Self> {
            Self::find().filter(Column::UserId.eq(user))
        }

        /// Deletes the link of a user.
        pub fn forget(user: UserId) -> DeleteMany<Self> {
            Self::delete_many().filter(Column::UserId.eq(user))
        }

        /// Deletes the links of a tenant's people, whose provider is another one now.
        pub fn forget_all_of(tenant: TenantId) -> DeleteMany<Self> {
            Self::delete_many().filter(Column::TenantId.eq(tenant))
        }
    }
}

/// Sign-ins that were sent to a provider.
pub mod request {
    use sea_orm::DeleteMany;
    use sea_orm::entity::prelude::*;

    use crate::clock::Timestamp;
    use crate::ids::IdentityProviderId;
    use crate::secret::SecretHash;

    /// A sign-in that was sent to a provider and has not come back.
    #[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sign_in_requests")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub state_hash: Vec<u8>,
        pub provider_id: IdentityProviderId,
        pub provider_revision: i64,
        pub browser_hash: SecretHash,
        /// The nonce and the PKCE verifier.
        pub sealed: Vec<u8>,
        pub redirect_uri: String,
        pub return_to: Option<String>,
        pub expires_at: Timestamp,
    }

    impl std::fmt::Debug for Model {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("SignInRequest")
                .field("provider_id", &self.provider_id)
                .finish_non_exhaustive()
        }
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The sign-in with that `state`.
        pub fn with_state(hash: &SecretHash) -> Select<Self> {
            Self::find().filter(Column::StateHash.eq(hash.as_bytes().to_vec()))
        }

        /// Deletes the sign-in with that `state`.
        pub fn take(hash: &SecretHash) -> DeleteMany<Self> {
            Self::delete_many().filter(Column::StateHash.eq(hash.as_bytes().to_vec()))
        }

        /// Deletes sign-ins that nobody can finish any more.
        pub fn forget_expired(now: Timestamp) -> DeleteMany<Self> {
            Self::delete_many().filter(Column::ExpiresAt.lte(now))
        }
    }
}

/// People, as single sign-on looks for them: before anybody is signed in, so without a scope, but
/// always within the provider's own tenant.
pub mod person {
    use sea_orm::entity::prelude::*;
    use sea_orm::sea_query::{Expr, ExprTrait};
    use sea_orm::{DbBackend, QuerySelect, QueryTrait};

    use crate::ids::{RoleId, TenantId, UserId};
    use crate::users::entity::{Column, Entity, assignment};

    /// A user of the tenant.
    pub fn with_id(tenant: TenantId, id: UserId) -> Select<Entity> {
        Entity::find().filter(Column::TenantId.eq(tenant)).filter(Column::Id.eq(id))
    }

    /// The user of the tenant that these accounts are linked to.
    pub fn linked_to(
        tenant: TenantId,
        accounts: Select<super::identity::Entity>,
    ) -> Select<Entity> {
        let users = accounts.select_only().column(super::identity::Column::UserId).into_query();
        Entity::find().filter(Column::TenantId.eq(tenant)).filter(Column::Id.in_subquery(users))
    }

    /// All users of the tenant.
    pub fn at_home(tenant: TenantId) -> Select<Entity> {
        Entity::find().filter(Column::TenantId.eq(tenant))
    }

    /// The user of the tenant with that address.
    pub fn with_email(tenant: TenantId, email_folded: &str) -> Select<Entity> {
        Entity::find()
            .filter(Column::TenantId.eq(tenant))
            .filter(Column::EmailFolded.eq(email_folded))
    }

    /// People of that domain in all other tenants: to know whether there are any, never to be
    /// shown.
    pub fn elsewhere(tenant: TenantId, domain: &str, backend: DbBackend) -> Select<Entity> {
        // The expression of the index over domains.
        let domain_of = match backend {
            DbBackend::Sqlite => "substr(email_folded, instr(email_folded, '@') + 1)",
            _ => "split_part(email_folded, '@', 2)",
        };
        Entity::find()
            .filter(Column::TenantId.ne(tenant))
            .filter(Expr::cust(domain_of).eq(domain))
            .limit(1)
    }

    /// The roles that people of the tenant hold: each with where and until when, once.
    pub fn roles_of_all(tenant: TenantId) -> Select<assignment::Entity> {
        let people = Entity::find().filter(Column::TenantId.eq(tenant));
        let people = people.select_only().column(Column::Id).into_query();
        assignment::Entity::find()
            .filter(assignment::Column::UserId.in_subquery(people))
            .select_only()
            .column(assignment::Column::RoleId)
            .column(assignment::Column::TenantId)
            .column(assignment::Column::ExpiresAt)
            .distinct()
    }

    /// A role that somebody holds.
    pub type Held = (RoleId, TenantId, Option<crate::clock::Timestamp>);
}
