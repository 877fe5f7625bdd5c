//! Dummy keys for clients without a key: verification then takes the same time. Nobody has the
//! private halves.

/// Ed25519.
pub(super) const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig",
    "x":"O1RjKN8JDSEF41Pd-YDk1qoyzLC2sKUP_6caRJD8hbk"}"#;

/// P-256.
pub(super) const P256: &str = r#"{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig",
    "x":"arlYCD_tSb7UfvBNotr8a3DGu0UtZf1stW7FSWM1RPo",
    "y":"uZHSnhtF7qKjKda2i7PV7pFMNfi4Iax0KuG2IGD1JZE"}"#;

/// RSA of 2048 bits.
pub(super) const RSA: &str = concat!(
    r#"{"kty":"RSA","alg":"RS256","use":"sig","e":"AQAB","n":""#,
    "j-YkO5NoQbjGmv9CASLwsdUk1_jN96Q4nMyxI4-UnNvFuokoxDmOqRpvnR_nSQEBAmJbtWVCFm_heQA40D7tIq74cJRjq4c1i1PU",
    "9HqwadrY8PKsVmV52q-9MWeC9cRyr-k_-KOV5mz62UKK2BrOdD8i60LZ4WVDTcud-fzMli000Eg966tEA-0lBO4EHDu-bZhleU2M",
    "wKL4j0FStCYg2xzMDWB2BMVfxm4rqubydnkepItCeHaO0y5lHJPkqdc2KgZzbJwCuzmBXC4Qee6clvZVbbgrMViTCrnG6KKnn4yA",
    "ppaustxYd1yq27JRs-whM1dYICAqyMixzwV2nbyQkQ",
    r#""}"#
);
