use std::sync::Arc;

use jiff::tz::TimeZone;

use super::*;
use crate::ids::{TenantId, UpstreamId};
use crate::outbound::{AddressPolicy, BaseUrl, Endpoint, Identity};

fn route() -> UpstreamRoute {
    let endpoint = Endpoint {
        upstream: UpstreamId("0b6f3c0e-5d0f-4f0a-9b63-5f0f0f6f8a11".parse().unwrap()),
        owner: TenantId("3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb".parse().unwrap()),
        system: "INTEGRATION_SERVER",
        revision: 1,
        base_url: BaseUrl::parse(
            "baseURL",
            "https://viis.example:7271",
            AddressPolicy { allow_private: false },
        )
        .unwrap(),
        ca_certificate: None,
    };
    let tenant = TenantId("3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb".parse().unwrap());
    UpstreamRoute { tenant, endpoint: Arc::new(endpoint), identity: Identity::new("own") }
}

fn refused(status: u16, body: &str, sent: Kind, about: About) -> CallError {
    let answer =
        wire::ResponseBody { body: body.as_bytes(), content_type: None, zone: &TimeZone::UTC };
    refusal(&answer, (status, sent, about), &route(), "POST /tenants")
}

#[test]
fn error_kind_follows_status_then_vendor_code() {
    use CallErrorKind::*;
    let not_found = "VIRMT_TenantWithSpecifiedIdNotFound";
    let machine = "VIRMT_VmWithSpecifiedIdNotFound";
    for (status, body, about, kind, code) in [
        (401, "", About::Task, Unauthorized, ErrorCode::UpstreamUnauthorized),
        (403, not_found, About::Tenant, Unauthorized, ErrorCode::UpstreamUnauthorized),
        (404, not_found, About::Machine, TenantNotFound, ErrorCode::NotFound),
        (404, machine, About::Machine, MachineNotFound, ErrorCode::NotFound),
        (404, "<html>", About::Machine, MachineNotFound, ErrorCode::NotFound),
        (404, "", About::Registration, TenantNotFound, ErrorCode::NotFound),
        (404, "", About::Task, TaskNotFound, ErrorCode::NotFound),
        (404, "", About::Report, ReportNotFound, ErrorCode::NotFound),
        (404, "", About::Nothing, Refused, ErrorCode::UpstreamRejected),
        (400, "VIRMT_InvalidTenantType", About::Nothing, BadInput, ErrorCode::BadUserInput),
        (400, "VIRMT_New", About::Nothing, Refused, ErrorCode::UpstreamRejected),
        (405, "", About::Task, TaskIsPart, ErrorCode::Conflict),
        (405, "", About::Tenant, Refused, ErrorCode::UpstreamRejected),
        (409, "", About::Task, TaskEnded, ErrorCode::Conflict),
        (409, "", About::Registration, BiosIdTaken, ErrorCode::Conflict),
        (409, "", About::Tenant, Refused, ErrorCode::Conflict),
        (415, "", About::Report, Refused, ErrorCode::UpstreamRejected),
        (429, "", About::Tenant, Refused, ErrorCode::UpstreamUnavailable),
        (501, "", About::Tenant, Refused, ErrorCode::UpstreamRejected),
        (503, "KSC_ServiceNotConfigured", About::Tenant, Refused, ErrorCode::UpstreamRejected),
        (500, "KSC_ServiceNotConfigured", About::Tenant, Refused, ErrorCode::UpstreamRejected),
        (302, "", About::Tenant, Failed, ErrorCode::UpstreamMalformed),
        (206, "", About::Report, Failed, ErrorCode::UpstreamMalformed),
    ] {
        let error = refused(status, body, Kind::Write, about);
        let found = error.kind();
        assert_eq!((found, Error::from(error).code()), (kind, code), "{status} {body} {about:?}");
    }
}

#[test]
fn list_that_is_not_there_means_that_the_base_url_leads_elsewhere() {
    for status in [404, 405] {
        let error = refused(status, "<html>", Kind::Read, About::Nothing);
        assert_eq!(
            (error.kind(), error.code()),
            (CallErrorKind::NoApi, ErrorCode::UpstreamMalformed)
        );
    }
}

#[test]
fn server_error_leaves_outcome_unknown_for_writes_only() {
    for status in [500, 502, 503, 504, 599] {
        let wrote = refused(status, "", Kind::Write, About::Tenant);
        assert_eq!(wrote.kind(), CallErrorKind::OutcomeUnknown);
        let error = Error::from(wrote);
        assert!(error.is_outcome_unknown() && !error.retryable());
        let read = refused(status, "", Kind::Read, About::Tenant);
        assert_eq!(read.kind(), CallErrorKind::Failed);
        assert!(Error::from(read).retryable());
    }
}

#[test]
fn lost_answer_leaves_outcome_unknown_for_writes_only() {
    for failure in [
        Failure::Timeout { sent: true },
        Failure::ConnectionLost("x".into()),
        Failure::Malformed("x".into()),
    ] {
        assert_eq!(
            CallError::of_failure(failure.clone(), &route(), Kind::Write).kind(),
            CallErrorKind::OutcomeUnknown
        );
        assert_eq!(
            CallError::of_failure(failure, &route(), Kind::Read).kind(),
            CallErrorKind::Failed
        );
    }
    for failure in
        [Failure::Timeout { sent: false }, Failure::Unreachable("x".into()), Failure::CircuitOpen]
    {
        assert_eq!(
            CallError::of_failure(failure, &route(), Kind::Write).kind(),
            CallErrorKind::Failed
        );
    }
}

#[test]
fn error_shows_documented_code_but_no_server_text() {
    let error = Error::from(refused(
        404,
        "VIRMT_TenantWithSpecifiedIdNotFound at viis.example",
        Kind::Read,
        About::Tenant,
    ));
    assert_eq!(error.upstream().unwrap().code, Some("VIRMT_TenantWithSpecifiedIdNotFound"));
    assert_eq!(error.upstream().unwrap().status, Some(404));
    assert!(!error.message().contains("viis.example"));
    assert_eq!(
        Error::from(refused(400, "VIRMT_New", Kind::Read, About::Tenant)).upstream().unwrap().code,
        None
    );
}

#[test]
fn bios_id_conflict_does_not_reveal_its_owner() {
    let body = "<error><code>VIRMT_VmWithSpecifiedBiosIdAlreadyExists</code><message>registered already</message></error>";
    let error = Error::from(refused(409, body, Kind::Write, About::Registration));
    assert_eq!(
        (error.code(), error.upstream().unwrap().code),
        (ErrorCode::Conflict, Some("VIRMT_VmWithSpecifiedBiosIdAlreadyExists"))
    );
    assert!(!error.message().contains("already") && !error.message().contains("exist"));
}
