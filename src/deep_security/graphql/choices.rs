//! The vendor's enumerations in the usual spelling. Between versions words are added: one that is
//! not known here is `UNKNOWN`, and the raw text stands in the field beside.

use async_graphql::Enum;

/// Declares enumerations with the words that the vendor has for their items.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $word:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        pub enum $name {
            $($(#[$item_doc])* $item,)*
            /// A word that this version of the gateway does not know; the field beside has it.
            Unknown,
        }

        impl $name {
            /// What a word of the vendor's means.
            pub fn read(word: &str) -> Self {
                match word {
                    $($word => Self::$item,)*
                    _ => Self::Unknown,
                }
            }

            /// The vendor's word; none for what is not known.
            pub fn word(self) -> Option<&'static str> {
                match self {
                    $(Self::$item => Some($word),)*
                    Self::Unknown => None,
                }
            }
        }
    )*};
}

choices! {
    /// The state of a security module.
    DeepSecurityModuleState {
        /// Off.
        Off = "off",
        /// On.
        On = "on",
        /// Intrusion prevention: attacks are blocked.
        Prevent = "prevent",
        /// Intrusion prevention: attacks are reported.
        Detect = "detect",
        /// Integrity monitoring: at once.
        RealTime = "real-time",
        /// Only to be written: as the policy above says.
        Inherited = "inherited",
    }

    /// How an agent, an appliance or a module is doing.
    DeepSecurityStatus {
        /// Not in use.
        Inactive = "inactive",
        /// Working.
        Active = "active",
        /// Working, with something to look at.
        Warning = "warning",
        /// Not working as it should.
        Error = "error",
        /// Not there on this platform.
        NotSupported = "not-supported",
    }

    /// A switch that the vendor writes as text.
    DeepSecuritySwitch {
        /// Off.
        Off = "off",
        /// On.
        On = "on",
    }

    /// Whether recommendation scans go on by themselves.
    DeepSecurityScanMode {
        /// They do not.
        Off = "off",
        /// They do.
        Ongoing = "ongoing",
    }

    /// Whether application control takes every change for allowed for a while.
    DeepSecurityMaintenanceMode {
        /// It does not.
        Off = "off",
        /// It is about to.
        StartRequested = "start-requested",
        /// It does.
        On = "on",
        /// It is about to end.
        StopRequested = "stop-requested",
        /// Its time is about to begin anew.
        ResetDurationRequested = "reset-duration-requested",
    }

    /// The language and country of an account.
    DeepSecurityLocale {
        /// English.
        EnUs = "en-US",
        /// Japanese.
        JaJp = "ja-JP",
    }

    /// The state of a tenant of the installation.
    DeepSecurityTenantState {
        /// Not known to the manager.
        Undefined = "undefined",
        /// Made, and not ready yet.
        Created = "created",
        /// In use: keys are made for such a tenant alone.
        Active = "active",
        /// Suspended.
        Suspended = "suspended",
        /// Suspended, its database locked.
        SuspendedDbLocked = "suspended-db-locked",
        /// About to be deleted.
        PendingDeletion = "pending-deletion",
        /// Its database could not be upgraded.
        DbUpgradeFailure = "db-upgrade-failure",
        /// Waiting for its administrator to confirm.
        ConfirmationRequired = "confirmation-required",
        /// A prepared tenant, to be initialised.
        CacheRequiresInitialization = "cache-requires-initialization",
        /// A prepared tenant that is initialised now.
        CacheInitializing = "cache-initializing",
        /// A prepared tenant that is ready.
        CacheReadyForUse = "cache-ready-for-use",
        /// A prepared tenant that is taken into use now.
        CacheActivating = "cache-activating",
    }

    /// A module that a tenant sees.
    DeepSecurityVisibleModule {
        /// All of them.
        All = "all",
        /// Anti-malware.
        AntiMalware = "anti-malware",
        /// Web reputation.
        WebReputation = "web-reputation",
        /// Firewall.
        Firewall = "firewall",
        /// Intrusion prevention.
        IntrusionPrevention = "intrusion-prevention",
        /// Integrity monitoring.
        IntegrityMonitoring = "integrity-monitoring",
        /// Log inspection.
        LogInspection = "log-inspection",
        /// Application control.
        ApplicationControl = "application-control",
        /// Protection of SAP systems.
        Sap = "SAP",
        /// Activity monitoring.
        ActivityMonitoring = "activity-monitoring",
        /// Container control.
        ContainerControl = "container-control",
    }
}

/// A test of text, a choice or a flag for being the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum DeepSecurityEqualityTest {
    /// The same.
    Equal,
    /// Another.
    NotEqual,
}

impl DeepSecurityEqualityTest {
    /// The vendor's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::NotEqual => "not-equal",
        }
    }
}

/// A test of a number, a version or an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum DeepSecurityComparisonTest {
    /// Less.
    LessThan,
    /// Less, or the same.
    LessThanOrEqual,
    /// The same.
    Equal,
    /// Greater, or the same.
    GreaterThanOrEqual,
    /// Greater.
    GreaterThan,
    /// Another.
    NotEqual,
}

impl DeepSecurityComparisonTest {
    /// The vendor's word.
    pub fn word(self) -> &'static str {
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
