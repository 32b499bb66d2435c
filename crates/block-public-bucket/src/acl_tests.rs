use proptest::prelude::*;

use super::*;

const LOGS: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

fn group(uri: &str, permission: &str) -> Grant {
    Grant { kind: "Group".into(), uri: Some(uri.into()), permission: permission.into(), ..Grant::default() }
}

fn user(id: &str) -> Grant {
    Grant {
        kind: "CanonicalUser".into(),
        id: Some(id.into()),
        permission: "FULL_CONTROL".into(),
        ..Grant::default()
    }
}

#[test]
fn s7_everybody_and_everybody_with_an_account_are_the_public() {
    for (uri, public) in [
        ("http://acs.amazonaws.com/groups/global/AllUsers", true),
        ("http://acs.amazonaws.com/groups/global/AuthenticatedUsers", true),
        (LOGS, false),
        ("http://example.com/AllUsers", false),
    ] {
        for permission in ["READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"] {
            assert_eq!(group(uri, permission).is_public(), public, "{uri} {permission}");
        }
    }
    assert!(!user("owner").is_public());
}

fn any_grant() -> impl Strategy<Value = Grant> {
    let uris = [
        "http://acs.amazonaws.com/groups/global/AllUsers",
        "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
        LOGS,
    ];
    prop_oneof![
        (prop::sample::select(uris.to_vec()), "READ|WRITE|READ_ACP").prop_map(|(uri, p)| group(uri, &p)),
        "[a-f0-9]{8}".prop_map(|id| user(&id)),
    ]
}

proptest! {
    #[test]
    fn s7_law_6_only_public_grants_go_and_the_others_stay_in_their_order(grants in prop::collection::vec(any_grant(), 0..8)) {
        let acl = Acl { owner: Some("owner".into()), owner_name: None, grants };
        let left = acl.without_public();
        prop_assert_eq!(left.public().count(), 0);
        prop_assert_eq!(&left.owner, &acl.owner);
        let kept: Vec<_> = acl.grants.iter().filter(|grant| !grant.is_public()).cloned().collect();
        prop_assert_eq!(left.grants, kept);
    }
}
