use std::fmt;

/// Selects the traces to record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TraceSampler {
    /// The choice among traces that begin at this gateway.
    pub root: RootSampler,
    /// Whether a trace of a caller is recorded if, and only if, the caller records it.
    pub parent_based: bool,
}

/// The choice among traces without a parent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RootSampler {
    /// All.
    AlwaysOn,
    /// None.
    AlwaysOff,
    /// This part of them, from 0 to 1.
    Ratio(f64),
}

impl Default for TraceSampler {
    /// `parentbased_always_on`, the default of the specification.
    fn default() -> Self {
        Self { root: RootSampler::AlwaysOn, parent_based: true }
    }
}

impl TraceSampler {
    /// The sampler of that name in `OTEL_TRACES_SAMPLER`. One that records a part records all
    /// unless [`TraceSampler::with_ratio`] says otherwise.
    ///
    /// # Errors
    /// For an unknown name.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let of_root = name.strip_prefix("parentbased_");
        let root = match of_root.unwrap_or(name) {
            "always_on" => RootSampler::AlwaysOn,
            "always_off" => RootSampler::AlwaysOff,
            "traceidratio" => RootSampler::Ratio(1.0),
            _ => {
                return Err(
                    "must be always_on, always_off or traceidratio, or one of them behind \
                            parentbased_"
                        .into(),
                );
            }
        };
        Ok(Self { root, parent_based: of_root.is_some() })
    }

    /// Whether it records a part of the traces.
    pub(super) fn has_ratio(self) -> bool {
        matches!(self.root, RootSampler::Ratio(_))
    }

    /// The same for another part.
    pub(super) fn with_ratio(self, ratio: f64) -> Self {
        Self { root: RootSampler::Ratio(ratio), ..self }
    }
}

/// Parses `OTEL_TRACES_SAMPLER_ARG` of a sampler that records a part.
///
/// # Errors
/// For anything but a number from 0 to 1.
pub(super) fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "must be a number from 0 to 1".into())
}

impl fmt::Display for TraceSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parent_based {
            f.write_str("parentbased_")?;
        }
        match self.root {
            RootSampler::AlwaysOn => f.write_str("always_on"),
            RootSampler::AlwaysOff => f.write_str("always_off"),
            RootSampler::Ratio(ratio) => write!(f, "traceidratio {ratio}"),
        }
    }
}
