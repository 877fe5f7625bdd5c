//! The vendor's enumerations as GraphQL enums. Managers of later versions add values: one that this
//! version does not know is `UNKNOWN`, and a `…Text` field has the vendor's spelling.

use async_graphql::Enum;
use async_graphql::resolver_utils::{EnumItem, EnumType};

use crate::projection::Words;

/// A GraphQL enum of the vendor's values.
pub trait VendorEnum: Copy {
    /// The vendor's spelling; `None` for `UNKNOWN`.
    fn as_vendor(self) -> Option<&'static str>;

    /// The value for every spelling that this version does not know.
    const UNKNOWN: Self;
}

/// The values as data.
pub fn words<E: VendorEnum + EnumType>() -> Words {
    let known =
        |item: &EnumItem<E>| Some((item.value.as_vendor()?.to_owned(), item.name.to_owned()));
    let unknown = E::items().iter().find(|item| item.value == E::UNKNOWN);
    Words {
        known: E::items().iter().filter_map(known).collect(),
        unknown: unknown.map(|item| item.name.to_owned()).unwrap_or_default(),
    }
}

/// Declares enums with the vendor's spelling of each value.
macro_rules! vendor_enums {
    ($(
        $(#[$doc:meta])*
        $name:ident { $($(#[$item_doc:meta])* $item:ident = $word:literal),* $(,)? }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        pub enum $name {
            $($(#[$item_doc])* $item,)*
            /// A value that this version of the gateway does not know; the accompanying `…Text`
            /// field has it.
            Unknown,
        }

        impl $name {
            /// The value with the vendor's spelling.
            pub fn from_vendor(text: &str) -> Self {
                match text {
                    $($word => Self::$item,)*
                    _ => Self::Unknown,
                }
            }
        }

        impl VendorEnum for $name {
            const UNKNOWN: Self = Self::Unknown;

            fn as_vendor(self) -> Option<&'static str> {
                match self {
                    $(Self::$item => Some($word),)*
                    Self::Unknown => None,
                }
            }
        }
    )*};
}

vendor_enums! {
    /// The state of a security module.
    DeepSecurityModuleState {
        /// Off.
        Off = "off",
        /// On.
        On = "on",
        /// Intrusion prevention: attacks are blocked.
        Prevent = "prevent",
        /// Intrusion prevention: attacks are reported but not blocked.
        Detect = "detect",
        /// Integrity monitoring: changes are detected in real time.
        RealTime = "real-time",
        /// As in the parent policy. Input only.
        Inherited = "inherited",
    }

    /// The status of an agent, an appliance or a module.
    DeepSecurityStatus {
        /// It is not in use.
        Inactive = "inactive",
        /// It works.
        Active = "active",
        /// It works, and reports a warning.
        Warning = "warning",
        /// It reports an error.
        Error = "error",
        /// The platform does not support it.
        NotSupported = "not-supported",
    }

    /// A switch.
    DeepSecuritySwitch {
        /// Off.
        Off = "off",
        /// On.
        On = "on",
    }

    /// Whether recommendation scans run continuously.
    DeepSecurityScanMode {
        /// Off.
        Off = "off",
        /// Recommendation scans run continuously.
        Ongoing = "ongoing",
    }

    /// The state of the maintenance mode of application control, which allows every software change
    /// while it lasts.
    DeepSecurityMaintenanceMode {
        /// Off.
        Off = "off",
        /// Its start is requested.
        StartRequested = "start-requested",
        /// On.
        On = "on",
        /// Its end is requested.
        StopRequested = "stop-requested",
        /// A restart of its duration is requested.
        ResetDurationRequested = "reset-duration-requested",
    }

    /// The locale of an account.
    DeepSecurityLocale {
        /// English.
        EnUs = "en-US",
        /// Japanese.
        JaJp = "ja-JP",
    }

    /// The state of a tenant of an installation.
    DeepSecurityTenantState {
        /// The manager reports no state.
        Undefined = "undefined",
        /// Created, but not ready yet.
        Created = "created",
        /// Active. The gateway mints keys only for active tenants.
        Active = "active",
        /// Suspended.
        Suspended = "suspended",
        /// Suspended, with a locked database.
        SuspendedDbLocked = "suspended-db-locked",
        /// Deletion is pending.
        PendingDeletion = "pending-deletion",
        /// Its database could not be upgraded.
        DbUpgradeFailure = "db-upgrade-failure",
        /// Waiting for confirmation by its administrator.
        ConfirmationRequired = "confirmation-required",
        /// A prepared tenant that requires initialization.
        CacheRequiresInitialization = "cache-requires-initialization",
        /// A prepared tenant that is being initialized.
        CacheInitializing = "cache-initializing",
        /// A prepared tenant that is ready.
        CacheReadyForUse = "cache-ready-for-use",
        /// A prepared tenant that is being activated.
        CacheActivating = "cache-activating",
    }

    /// A module that is visible to a tenant.
    DeepSecurityVisibleModule {
        /// All modules.
        All = "all",
        /// The anti-malware module.
        AntiMalware = "anti-malware",
        /// The web reputation module.
        WebReputation = "web-reputation",
        /// The firewall module.
        Firewall = "firewall",
        /// The intrusion prevention module.
        IntrusionPrevention = "intrusion-prevention",
        /// The integrity monitoring module.
        IntegrityMonitoring = "integrity-monitoring",
        /// The log inspection module.
        LogInspection = "log-inspection",
        /// The application control module.
        ApplicationControl = "application-control",
        /// The module that protects SAP systems.
        Sap = "SAP",
        /// The activity monitoring module.
        ActivityMonitoring = "activity-monitoring",
        /// The container control module.
        ContainerControl = "container-control",
    }
}

/// An equality test of text or choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum DeepSecurityEqualityTest {
    /// Equal.
    Equal,
    /// Not equal.
    NotEqual,
}

impl DeepSecurityEqualityTest {
    /// The vendor's spelling.
    pub fn as_vendor(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::NotEqual => "not-equal",
        }
    }
}

/// A comparison of numbers, versions or ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum DeepSecurityComparisonTest {
    /// Less than.
    LessThan,
    /// Less than or equal.
    LessThanOrEqual,
    /// Equal.
    Equal,
    /// Greater than or equal.
    GreaterThanOrEqual,
    /// Greater than.
    GreaterThan,
    /// Not equal.
    NotEqual,
}

impl DeepSecurityComparisonTest {
    /// The vendor's spelling.
    pub fn as_vendor(self) -> &'static str {
        match self {
            Self::LessThan => "less-than",
            Self::LessThanOrEqual => "less-than-or-equal",
            Self::Equal => "equal",
            Self::GreaterThanOrEqual => "greater-than-or-equal",
            Self::GreaterThan => "greater-than",
            Self::NotEqual => "not-equal",
        }
    }
}
