//! Assertions of one client: valid ones, and every way to be refused.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

struct Client {
    private: Ed25519KeyPair,
    public: PublicKey,
}

impl Client {
    fn new() -> Self {
        let private = Ed25519KeyPair::generate().unwrap();
        let x = URL_SAFE_NO_PAD.encode(private.public_key().as_ref());
        let public =
            PublicKey::parse("jwk", &json!({ "kty": "OKP", "crv": "Ed25519", "x": x })).unwrap();
        Self { private, public }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.private.sign(message.as_bytes())))
    }

    fn judged(&self, header: &Value, claims: &Value) -> Result<Proof, &'static str> {
        let assertion = Assertion::read(&self.sign(header, claims)).ok_or("unread")?;
        assertion.verify(
            std::slice::from_ref(&self.public),
            &["us".to_owned(), "us/token".to_owned()],
            NOW,
        )
    }
}

fn claims() -> Value {
    json!({
        "iss": "me",
        "sub": "me",
        "aud": "us",
        "exp": 1_000_300,
        "iat": 1_000_000,
        "jti": "1",
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[member] = value;
    claims
}

#[test]
fn valid_assertion_is_accepted() {
    let client = Client::new();
    for alg in ["EdDSA", "Ed25519"] {
        let proof = client.judged(&json!({ "alg": alg, "kid": "any" }), &claims()).unwrap();
        assert_eq!(
            (proof.key, proof.jti.as_str(), proof.expires_at.seconds()),
            (0, "1", 1_000_300)
        );
    }
    let header = json!({ "alg": "EdDSA", "typ": "JWT" });
    for aud in [json!("us/token"), json!(["us"]), json!(["us", "us/token"])] {
        assert!(client.judged(&header, &with("aud", aud)).is_ok());
    }
    assert!(client.judged(&header, &with("exp", json!(1_000_300.5))).is_ok());
}

#[test]
fn anything_else_has_its_reason() {
    let client = Client::new();
    for (member, value, reason) in [
        ("iss", json!("another"), "wrong_issuer"),
        ("aud", json!("another"), "wrong_audience"),
        ("aud", json!(["us", "another"]), "wrong_audience"),
        ("aud", json!([]), "wrong_audience"),
        ("exp", json!(1_000_000), "assertion_expired"),
        ("exp", json!(1_000_331), "assertion_lives_too_long"),
        ("exp", json!(1e300), "assertion_lives_too_long"),
        ("iat", json!(1_000_031), "assertion_not_yet_valid"),
        ("nbf", json!(1_000_031), "assertion_not_yet_valid"),
        ("jti", json!(""), "jti_missing"),
        ("jti", Value::Null, "jti_missing"),
        ("exp", json!("1000300"), "unread"),
        ("exp", Value::Null, "unread"),
    ] {
        let judged = client.judged(&json!({ "alg": "EdDSA" }), &with(member, value));
        assert_eq!(judged, Err(reason), "{member}");
    }
}

#[test]
fn header_does_not_choose_the_algorithm() {
    let client = Client::new();
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "eddsa" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt" }),
        json!({ "alg": "EdDSA", "crit": ["b64"], "b64": false }),
        json!({ "typ": "JWT" }),
    ] {
        assert_eq!(client.judged(&header, &claims()), Err("unread"), "{header}");
    }
    assert_eq!(
        client.judged(&json!({ "alg": "ES256" }), &claims()),
        Err("no_key_of_this_algorithm")
    );
    let stranger = Client::new().sign(&json!({ "alg": "EdDSA" }), &claims());
    let assertion = Assertion::read(&stranger).unwrap();
    assert_eq!(assertion.verify(&[client.public], &["us".to_owned()], NOW), Err("wrong_signature"));
}

#[test]
fn rubbish_is_refused_without_panic() {
    for text in ["", ".", "..", "...", "a.b.c", "e30.e30.", "e30.e30.e30", &"x.".repeat(5000)] {
        assert!(Assertion::read(text).is_none(), "{text}");
    }
}
