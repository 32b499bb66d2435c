//! The requests that leave the function, byte for byte: they are what AWS acts on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use futures_util::StreamExt;
use tourniquet::actor::Actor;
use tourniquet::sdk::offline;
use tourniquet::{Cause, Consent, Lead, Place, Reverted};

use super::*;
use crate::change::{Change, Purpose};
use crate::event::Detail;
use crate::observation::Observation;
use crate::rule::{Access, Draft, Rule, Source};
use crate::settings::Settings;

type Requests = Arc<Mutex<Vec<String>>>;

const GROUP: &str = "sg-0a1b2c3d4e5f60718";

/// Clients whose requests are kept, answered by `answer` from the operation's name and the whole request: a status and
/// what stands inside of the answer.
fn recording(answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static) -> (Clients, Requests) {
    let requests: Requests = Arc::default();
    let kept = Arc::clone(&requests);
    let http = infallible_client_fn(move |request| {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let mut fields: Vec<&str> = body.split('&').filter(|f| !f.starts_with("Version=")).collect();
        fields.sort_unstable_by_key(|f| !f.starts_with("Action="));
        let action = fields.first().copied().unwrap_or_default().trim_start_matches("Action=").to_owned();
        kept.lock().unwrap().push(format!("{host} {}", fields.join(" ")));
        let (status, inside) = answer(&action, &body);
        let body =
            if status == 200 { format!("<{action}Response>{inside}</{action}Response>") } else { inside };
        http::Response::builder().status(status).body(SdkBody::from(body)).unwrap()
    });
    (Clients::new(&offline(http, "eu-central-1", None)), requests)
}

fn plain(_: &str, _: &str) -> (u16, String) {
    (200, "<return>true</return>".to_owned())
}

fn refused(code: &str) -> (u16, String) {
    (
        400,
        format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>"
        ),
    )
}

fn lead(subject: &str, detail: Detail) -> Lead<Detail> {
    Lead {
        place: Place::new("111122223333", "eu-central-1"),
        subject: subject.into(),
        cause: Cause { what: "AuthorizeSecurityGroupIngress".into(), key: "e1".into() },
        actor: Actor::default(),
        detail,
    }
}

fn access(protocol: &str, from: i32, to: i32, source: Source) -> Access {
    Access { protocol: protocol.into(), from: Some(from), to: Some(to), source }
}

fn world() -> Source {
    Source::Ipv4("0.0.0.0/0".into())
}

fn tags() -> BTreeMap<String, String> {
    [("team", "web"), ("aws:cloudformation:stack-name", "web")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into()
}

fn every_change() -> Vec<Change> {
    let whole = access("tcp", 20, 80, world());
    let add = |access: Access, purpose, description: Option<&str>, tags| Change::Add {
        rule: Draft { access, description: description.map(str::to_owned), tags },
        purpose,
        instead_of: whole.clone(),
    };
    vec![
        add(access("tcp", 20, 21, world()), Purpose::Piece, Some("ftp and web"), tags()),
        add(
            access("tcp", 22, 22, Source::Ipv6("2001:db8:7::/48".into())),
            Purpose::Replacement,
            Some("office"),
            BTreeMap::new(),
        ),
        add(
            access("tcp", 22, 22, Source::PrefixList("pl-0a1b2c3d".into())),
            Purpose::Replacement,
            Some("office"),
            BTreeMap::new(),
        ),
        add(access("icmp", -1, -1, world()), Purpose::Piece, None, BTreeMap::new()),
        Change::Revoke {
            rule: Rule {
                id: "sgr-0a1b2c3d4e5f60711".into(),
                access: whole.clone(),
                description: Some("ftp and web".into()),
                tags: tags(),
            },
            closes: vec!["tcp/22".into()],
            beside: vec![access("tcp", 22, 22, Source::Ipv4("198.51.100.0/24".into()))],
            with: vec![access("tcp", 22, 22, Source::Ipv6("2001:db8:7::/48".into()))],
        },
    ]
}

#[tokio::test]
async fn every_change_sends_exactly_these_requests() {
    let mut wire = Vec::new();
    for change in every_change() {
        let (clients, requests) = recording(plain);
        apply(&clients, GROUP, &change).await.unwrap();
        wire.push(format!(
            "{}\n  {}",
            tourniquet::Change::key(&change),
            requests.lock().unwrap().join("\n  ")
        ));
    }
    insta::assert_snapshot!(wire.join("\n"));
}

#[tokio::test]
async fn r12_a_rule_that_is_not_there_is_revoked_and_one_that_is_there_is_added() {
    let revoke = every_change().pop().unwrap();
    // In a default VPC AWS answers 200 to what it does not know; elsewhere it is an error. Neither proves anything.
    let (clients, _) = recording(|_, _| {
        (200, "<return>true</return><unknownIpPermissionSet><item><ipProtocol>tcp</ipProtocol></item></unknownIpPermissionSet>".into())
    });
    assert!(apply(&clients, GROUP, &revoke).await.is_ok());
    for code in ["InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound", "InvalidGroup.NotFound"]
    {
        let (clients, _) = recording(move |_, _| refused(code));
        assert!(apply(&clients, GROUP, &revoke).await.is_ok(), "{code}");
    }
    let (clients, _) = recording(|_, _| refused("InvalidPermission.Duplicate"));
    assert!(apply(&clients, GROUP, &every_change()[0]).await.is_ok());
}

#[tokio::test]
async fn g10_a_refusal_is_an_error_that_names_the_action() {
    let (clients, _) = recording(|_, _| refused("UnauthorizedOperation"));
    for (change, action) in [(0, "ec2:AuthorizeSecurityGroupIngress"), (4, "ec2:RevokeSecurityGroupIngress")]
    {
        let error = apply(&clients, GROUP, &every_change()[change]).await.unwrap_err();
        assert!(error.kind() == "Denied" && error.to_string().contains(action), "{error}");
    }
    let (clients, _) = recording(|_, _| refused("RulesPerSecurityGroupLimitExceeded"));
    assert_eq!(apply(&clients, GROUP, &every_change()[0]).await.unwrap_err().kind(), "Rejected");
}

/// A rule as `DescribeSecurityGroupRules` tells it.
fn item(id: &str, ports: &str, source: &str) -> String {
    let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
    format!(
        "<item><securityGroupRuleId>{id}</securityGroupRuleId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol>\
         <fromPort>{from}</fromPort><toPort>{to}</toPort>{source}</item>"
    )
}

const OFFICE: &str = "<cidrIpv4>198.51.100.0/24</cidrIpv4>";
const WORLD: &str = "<cidrIpv4>0.0.0.0/0</cidrIpv4>";
const V6: &str = "<cidrIpv6>2001:db8:7::/48</cidrIpv6><description>office</description>";

fn live(rules: &[String]) -> String {
    format!("<securityGroupRuleSet>{}</securityGroupRuleSet>", rules.join(""))
}

/// The group as our changes left it: the office, the pieces and the replacement.
fn as_we_left_it() -> Vec<String> {
    vec![
        item("sgr-1", "22", OFFICE),
        item("sgr-2", "20-21", &format!("{WORLD}<description>ftp and web</description>")),
        item("sgr-3", "22", V6),
    ]
}

async fn reverted(rules: Vec<String>, change: &Change, consent: Consent) -> (Reverted, Vec<String>) {
    let (clients, requests) = recording(move |action, _| match action {
        "DescribeSecurityGroupRules" => (200, live(&rules)),
        _ => plain("", ""),
    });
    let done = revert(&clients, GROUP, change, consent).await.unwrap();
    let calls = requests.lock().unwrap().clone();
    (done, calls.into_iter().filter(|call| !call.contains("Action=Describe")).collect())
}

fn whole() -> Change {
    every_change().pop().unwrap()
}

#[tokio::test]
async fn r19_undo_puts_the_same_rule_back_with_description_and_tags_and_takes_the_pieces_out() {
    let mut wire = Vec::new();
    let (done, calls) = reverted(as_we_left_it(), &whole(), Consent::Explicit).await;
    wire.push(format!("{done:?}\n  {}", calls.join("\n  ")));
    let mut there = as_we_left_it();
    there.push(item("sgr-9", "20-80", WORLD));
    for change in &every_change()[..2] {
        let (done, calls) = reverted(there.clone(), change, Consent::Explicit).await;
        wire.push(format!("{done:?}\n  {}", calls.join("\n  ")));
    }
    insta::assert_snapshot!(wire.join("\n"));
}

#[tokio::test]
async fn r19_the_world_is_let_in_again_only_when_that_is_asked_for() {
    for consent in [Consent::Look, Consent::Plain] {
        let (done, calls) = reverted(as_we_left_it(), &whole(), consent).await;
        assert!(matches!(&done, Reverted::Unasked(why) if why.contains("tcp/22 stays closed")), "{done:?}");
        assert!(calls.is_empty());
    }
    // Who looks is told of the pieces as they will be when the whole is back.
    let (look, calls) = reverted(as_we_left_it(), &every_change()[0], Consent::Look).await;
    assert!(look == Reverted::Restored && calls.is_empty(), "{look:?}");
    // Then its pieces stay as well: nobody loses what he had.
    let (kept, more) = reverted(as_we_left_it(), &every_change()[0], Consent::Plain).await;
    assert!(matches!(&kept, Reverted::Kept(why) if why.contains("tcp 20-80 from 0.0.0.0/0")), "{kept:?}");
    assert!(more.is_empty());
}

#[test]
fn r16_r19_an_undone_rule_needs_an_exemption_for_its_port_and_source_alone() {
    let scopes: Vec<String> = every_change().iter().flat_map(crate::scope::needed).collect();
    assert_eq!(scopes, ["tcp/22 0.0.0.0/0"]);
}

#[tokio::test]
async fn r19_undo_refuses_a_group_that_somebody_changed_and_does_nothing_the_second_time() {
    let mut more = as_we_left_it();
    more.push(item("sgr-7", "22", "<cidrIpv4>203.0.113.0/24</cidrIpv4>"));
    let less = as_we_left_it()[1..].to_vec();
    for (rules, found) in [(more, "203.0.113.0/24"), (less, "no other rule for the port")] {
        let (done, calls) = reverted(rules, &whole(), Consent::Explicit).await;
        assert!(matches!(&done, Reverted::Drifted { found: f, .. } if f.contains(found)), "{done:?}");
        assert!(calls.is_empty());
    }
    // What does not reach the port is nobody's business.
    let mut elsewhere = as_we_left_it();
    elsewhere.push(item("sgr-7", "443", WORLD));
    assert_eq!(reverted(elsewhere, &whole(), Consent::Explicit).await.0, Reverted::Restored);
    // AWS makes a block canonical when it is added again.
    let mut back = as_we_left_it();
    back.push(item("sgr-9", "20-80", WORLD));
    let Change::Revoke { mut rule, closes, beside, with } = whole() else { panic!() };
    rule.access.source = Source::Ipv4("203.0.113.254/0".into());
    let odd = Change::Revoke { rule, closes, beside, with };
    assert_eq!(reverted(back.clone(), &odd, Consent::Explicit).await.0, Reverted::AlreadyThere);
    let (done, calls) = reverted(back.clone(), &whole(), Consent::Explicit).await;
    assert!(done == Reverted::AlreadyThere && calls.is_empty());
    back.remove(1);
    let (done, calls) = reverted(back.clone(), &every_change()[0], Consent::Explicit).await;
    assert!(done == Reverted::AlreadyThere && calls.is_empty());
    back.push(item("sgr-2", "20-21", &format!("{WORLD}<description>mine now</description>")));
    let (done, calls) = reverted(back, &every_change()[0], Consent::Explicit).await;
    assert!(
        matches!(&done, Reverted::Drifted { found, .. } if found == "mine now") && calls.is_empty(),
        "{done:?}"
    );
}

#[test]
fn law_7_every_change_comes_back_from_its_record() {
    for change in every_change() {
        let recorded = tourniquet::plan::Recorded::of(&change);
        let text = serde_json::to_string(&recorded.change).unwrap();
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change);
    }
}

/// A group whose rules and prefix list come on two pages each.
fn in_two_pages(action: &str, request: &str) -> (u16, String) {
    let second = request.contains("NextToken=more");
    let next = if second { "" } else { "<nextToken>more</nextToken>" };
    let inside = match action {
        "DescribeSecurityGroups" => "<securityGroupInfo><item><ownerId>111122223333</ownerId><groupId>sg-0a1b2c3d4e5f60718</groupId><groupName>web</groupName><groupDescription>Web</groupDescription><tagSet><item><key>Name</key><value>web</value></item></tagSet></item></securityGroupInfo>".to_owned(),
        "DescribeSecurityGroupRules" if second => live(&[
            item("sgr-3", "22", "<prefixListId>pl-0a1b2c3d</prefixListId>"),
            item("sgr-4", "22", "<referencedGroupInfo><groupId>sg-9</groupId></referencedGroupInfo>").replace("tcp", "-1"),
        ]),
        "DescribeSecurityGroupRules" => live(&[
            item("sgr-1", "22", OFFICE),
            item("sgr-2", "22", WORLD).replace("<isEgress>false", "<isEgress>true"),
        ]),
        "DescribeManagedPrefixLists" => "<prefixListSet><item><prefixListId>pl-0a1b2c3d</prefixListId><addressFamily>IPv4</addressFamily><prefixListName>partners</prefixListName><maxEntries>20</maxEntries><ownerId>777788889999</ownerId></item></prefixListSet>".to_owned(),
        "GetManagedPrefixListEntries" if second => "<entrySet><item><cidr>128.0.0.0/1</cidr></item></entrySet>".to_owned(),
        "GetManagedPrefixListEntries" => "<entrySet><item><cidr>0.0.0.0/1</cidr></item></entrySet>".to_owned(),
        _ => return plain(action, request),
    };
    let paged = matches!(action, "DescribeSecurityGroupRules" | "GetManagedPrefixListEntries");
    (200, if paged { format!("{inside}{next}") } else { inside })
}

#[tokio::test]
async fn r5_r14_all_pages_of_rules_and_lists_are_read_and_outbound_rules_left_out() {
    let (clients, requests) = recording(in_two_pages);
    let seen = observe(&clients, &lead(GROUP, Detail::Group), &Settings::default()).await.unwrap().unwrap();
    let rules: Vec<String> = seen.rules.iter().map(|rule| format!("{} {}", rule.id, rule.access)).collect();
    assert_eq!(
        rules,
        ["sgr-1 tcp 22 from 198.51.100.0/24", "sgr-3 tcp 22 from pl-0a1b2c3d", "sgr-4 everything from sg-9"]
    );
    let list = &seen.lists["pl-0a1b2c3d"];
    assert_eq!((list.owner.as_str(), list.max_entries), ("777788889999", Some(20)));
    assert_eq!(list.blocks.as_deref().unwrap(), ["0.0.0.0/1", "128.0.0.0/1"]);
    assert_eq!(
        (seen.name.as_str(), seen.owner.as_str(), seen.tags["Name"].as_str()),
        ("web", "111122223333", "web")
    );
    assert_eq!(requests.lock().unwrap().len(), 1 + 2 + 1 + 2);
}

#[tokio::test]
async fn g7_a_group_that_is_not_there_is_gone_and_a_refusal_is_an_error() {
    let looked = |code: &'static str| async move {
        let (clients, _) = recording(move |action, _| match action {
            "DescribeSecurityGroups" => refused(code),
            _ => (200, live(&[])),
        });
        observe(&clients, &lead(GROUP, Detail::Group), &Settings::default()).await
    };
    assert_eq!(looked("InvalidGroup.NotFound").await.unwrap(), None::<Observation>);
    assert_eq!(looked("UnauthorizedOperation").await.unwrap_err().kind(), "Denied");
}

#[tokio::test]
async fn r5_a_list_that_must_not_be_read_does_not_hide_the_group() {
    let (clients, _) = recording(|action, request| match action {
        "GetManagedPrefixListEntries" => refused("UnauthorizedOperation"),
        _ => in_two_pages(action, request),
    });
    let seen = observe(&clients, &lead(GROUP, Detail::Group), &Settings::default()).await.unwrap().unwrap();
    assert_eq!((seen.rules.len(), &seen.lists["pl-0a1b2c3d"].blocks), (3, &None));
    assert_eq!(seen.lists["pl-0a1b2c3d"].problem, "ec2:GetManagedPrefixListEntries: UnauthorizedOperation");
}

fn groups(items: &str) -> (u16, String) {
    (200, format!("<securityGroupInfo>{items}</securityGroupInfo>"))
}

#[tokio::test]
async fn r5_r11_lists_and_names_become_the_groups_that_they_stand_for() {
    let answer =
        |_: &str, _: &str| groups("<item><groupId>sg-1</groupId></item><item><groupId>sg-2</groupId></item>");
    let mut wire = Vec::new();
    for (subject, detail) in
        [("pl-0a1b2c3d", Detail::PrefixList), ("web *", Detail::GroupName), (GROUP, Detail::Group)]
    {
        let (clients, requests) = recording(answer);
        let meant = resolve(&clients, &lead(subject, detail)).await.unwrap();
        assert!(meant.iter().all(|lead| lead.detail == Detail::Group && lead.cause.key == "e1"));
        let ids: Vec<&str> = meant.iter().map(|lead| lead.subject.as_str()).collect();
        wire.push(format!("{subject}: {}\n  {}", ids.join(" "), requests.lock().unwrap().join("\n  ")));
    }
    insta::assert_snapshot!(wire.join("\n"));
}

fn permission(ports: &str, source: &str) -> String {
    let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
    format!(
        "<item><groupId>{source}{ports}</groupId><ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>{from}</fromPort><toPort>{to}</toPort>{}</item></ipPermissions></item>",
        match source {
            list if list.starts_with("pl-") =>
                format!("<prefixListIds><item><prefixListId>{list}</prefixListId></item></prefixListIds>"),
            v6 if v6.contains(':') =>
                format!("<ipv6Ranges><item><cidrIpv6>{v6}</cidrIpv6></item></ipv6Ranges>"),
            v4 => format!("<ipRanges><item><cidrIp>{v4}</cidrIp></item></ipRanges>"),
        }
    )
}

/// Three queries of a region: blocks of both families and lists, the first on two pages.
fn of_a_region(action: &str, request: &str) -> (u16, String) {
    assert_eq!(action, "DescribeSecurityGroups");
    if request.contains("prefix-list-id") {
        return groups(&[permission("22", "pl-1"), permission("443", "pl-2")].concat());
    }
    if request.contains("ipv6-cidr") {
        return refused("UnauthorizedOperation");
    }
    if request.contains("NextToken=more") {
        return groups(&[permission("20-80", "0.0.0.0/2"), permission("443", "0.0.0.0/0")].concat());
    }
    let first =
        [permission("22", "0.0.0.0/0"), permission("22", "10.0.0.0/24"), permission("22", "10.0.0.0/8")];
    let (status, inside) = groups(&first.concat());
    (status, format!("{inside}<nextToken>more</nextToken>"))
}

#[tokio::test]
async fn r21_a_sweep_asks_for_offenders_reads_every_page_and_goes_on_after_an_error() {
    let (clients, requests) = recording(of_a_region);
    let (place, settings) = (Place::new("111122223333", "eu-central-1"), Settings::default());
    let found: Vec<_> = sweep(&clients, &place, &settings).collect().await;
    let mut leads: Vec<&str> =
        found.iter().filter_map(|one| Some(one.as_ref().ok()?.subject.as_str())).collect();
    leads.sort_unstable();
    assert_eq!(leads, ["0.0.0.0/022", "0.0.0.0/220-80", "pl-122"]);
    let errors: Vec<_> = found.iter().filter_map(|one| one.as_ref().err()).collect();
    assert!(errors.len() == 1 && errors[0].kind() == "Denied", "{errors:?}");
    let mut wire = requests.lock().unwrap().clone();
    wire.sort();
    insta::assert_snapshot!(wire.join("\n"));
}

#[tokio::test]
async fn r21_only_regions_that_are_enabled_are_looked_at() {
    let regions = |_: &str, _: &str| {
        (200, "<regionInfo><item><regionName>eu-central-1</regionName></item><item><regionName>ap-east-1</regionName></item></regionInfo>".to_owned())
    };
    let (clients, requests) = recording(regions);
    let home = Place::new("444455556666", "eu-central-1");
    let found = places(&clients, &home, &Settings::default()).await.unwrap();
    assert_eq!(found, [Place::new("444455556666", "eu-central-1"), Place::new("444455556666", "ap-east-1")]);
    assert!(requests.lock().unwrap()[0].ends_with(
        "Action=DescribeRegions Filter.1.Name=opt-in-status Filter.1.Value.1=opt-in-not-required Filter.1.Value.2=opted-in"
    ));
    let own = Settings { regions: vec!["eu-west-1".into()], ..Settings::default() };
    assert_eq!(places(&clients, &home, &own).await.unwrap(), [Place::new("444455556666", "eu-west-1")]);
    assert_eq!(requests.lock().unwrap().len(), 1);
}
